/**
 * The text behind `#pair=` in a pairing link, small enough for a QR code that a phone reads off a terminal. It stands
 * behind `#`, so that neither the page's server nor the rendezvous ever sees it.
 *
 *     byte    0      1 .. 32             33 .. 48        49 .. 64   65 .. 72   73 .. 136
 *             1      device public key   secret          claim id   boot id    claim signature
 *
 * The rest of the claim follows from these (`claim.ts`), which saves 43 bytes: 183 characters, QR version 9 at level L
 * behind a prefix of up to 47 characters, version 10 up to 88.
 */
import { type Bytes, concat, fromBase64Url, toBase64Url } from "../lib/bytes.ts";
import { assembleClaim, readClaim, verifyClaim } from "./claim.ts";
import { decodeEnvelope } from "./cose.ts";
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from "./ed25519.ts";
import { BOOT_ID_BYTES, MAX_TOKEN_BYTES, TOKEN_ID_BYTES } from "./token.ts";

/** What a person shows to a browser to make it an owner. */
export interface PairLink {
  readonly devicePublicKey: Bytes;
  /** Whoever knows it can become an owner, once. */
  readonly secret: Bytes;
  /** The claim, a signed object of the device. */
  readonly claim: Bytes;
}

/** The fragment is this and `encodePairLink`'s text. */
export const PAIR_FRAGMENT = "pair=";

export const SECRET_BYTES = 16;

const VERSION = 1;
const PART_BYTES = [
  1,
  PUBLIC_KEY_BYTES,
  SECRET_BYTES,
  TOKEN_ID_BYTES,
  BOOT_ID_BYTES,
  SIGNATURE_BYTES,
];
const LINK_BYTES = PART_BYTES.reduce((sum, bytes) => sum + bytes, 0);

/** The text to put behind `#pair=`. */
export function encodePairLink(link: PairLink): string {
  const { id, boot } = readClaim(link.claim);
  const { signature } = decodeEnvelope(link.claim, MAX_TOKEN_BYTES);
  const version = new Uint8Array([VERSION]);
  const bytes = concat(version, link.devicePublicKey, link.secret, id, boot, signature);
  if (bytes.length !== LINK_BYTES) {
    throw new RangeError("Cannot write pairing link: wrong key size");
  }
  return toBase64Url(bytes);
}

/**
 * Reads the text behind `#pair=`. Rejects with a SyntaxError unless it is whole, of this version, and signed by the
 * device that it names.
 */
export async function decodePairLink(text: string): Promise<PairLink> {
  if (text.length > 2 * LINK_BYTES) throw new SyntaxError("Cannot read pairing link: too long");
  const [version, devicePublicKey, secret, id, boot, signature] = cut(fromBase64Url(text));
  if (version![0] !== VERSION) {
    throw new SyntaxError("Cannot read pairing link: made by another version of porthole");
  }
  try {
    const parts = { id: id!, boot: boot!, signature: signature! };
    const claim = await assembleClaim(devicePublicKey!, parts);
    await verifyClaim(claim, devicePublicKey!);
    return { devicePublicKey: devicePublicKey!, secret: secret!, claim };
  } catch (cause) {
    throw new SyntaxError("Cannot read pairing link: damaged", { cause });
  }
}

/** The parts in the order of `PART_BYTES`: every index up to its length is there. */
function cut(bytes: Bytes): Bytes[] {
  if (bytes.length !== LINK_BYTES) {
    throw new SyntaxError("Cannot read pairing link: cut or damaged");
  }
  let offset = 0;
  return PART_BYTES.map((length) => bytes.slice(offset, offset += length));
}
