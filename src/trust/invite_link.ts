/**
 * The text behind `#borrow=`: an invite that fits a QR code, and the seed of the key that the invite names. Behind `#`, like
 * a pairing link: whoever has it can borrow, so no server ever sees it.
 *
 *     byte   0      1 .. 32             33 .. 48   49 .. 56   57 .. 72   73 .. 76     77 .. 80   81 .. 84   85 .. 88
 *            1      device public key   seed       issuer     id         not before   expires    epoch      ttl
 *
 *     byte   89      90     91           92         93        94 ..                then 64 bytes
 *            depth   uses   operations   services   cameras   two bytes a number   signature
 *
 * Bytes 92 and 93 count the numbers that follow, services first. What the invite has beyond follows from these: the
 * audience from the device's key, the holder's key from the seed.
 *
 * With four services and four cameras 232 characters: QR version 10 at level L behind a prefix of up to 39 characters.
 */
import { type Bytes, concat, equalBytes, fromBase64Url, toBase64Url } from "../lib/bytes.ts";
import { verifyEnvelope } from "./cose.ts";
import { hkdfSha256, randomBytes } from "./digest.ts";
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES, type Signer, signerFromSeed } from "./ed25519.ts";
import { assembleGrant, grantHash, openGrant, readGrant, signGrant } from "./grant.ts";
import { deviceId, KEY_ID_BYTES, keyId } from "./key_id.ts";
import { operationBits, operationsOf, type Scope } from "./scope.ts";
import { TOKEN_ID_BYTES } from "./token.ts";

/** What a person shows to another to lend something. */
export interface InviteLink {
  readonly devicePublicKey: Bytes;
  /** Whoever knows it can redeem the invite. */
  readonly seed: Bytes;
  /** The invite, a grant. */
  readonly token: Bytes;
}

/** What a lender decides. Times and `ttl` in seconds, as in a grant. */
export interface InviteTerms {
  readonly devicePublicKey: Bytes;
  /** An owner, or the device itself. */
  readonly issuer: Signer;
  /** The epoch that the device asks of this issuer. */
  readonly issuerEpoch: number;
  readonly scope: Scope;
  readonly notBefore: number;
  readonly expires: number;
  readonly ttl: number;
  readonly uses: number;
}

/** An invite that was made: the token for the device, and the link for the guest. */
export interface MadeInvite {
  readonly token: Bytes;
  /** Goes behind `#` of the shell's address. A secret. */
  readonly fragment: string;
  /** `cti`, 16 bytes. */
  readonly id: Bytes;
}

/** The fragment is this and `encodeInviteLink`'s text. */
export const BORROW_FRAGMENT = "borrow=";

export const SEED_BYTES = 16;

/** Of version 10 at level L (271 bytes, ISO/IEC 18004) 30 are for the shell's address and "borrow=". */
export const MAX_LINK_CHARACTERS = 241;

const VERSION = 1;
const HEAD_BYTES = 94;
const NUMBER_BYTES = 2;
const MAX_LINK_BYTES = Math.floor((MAX_LINK_CHARACTERS * 3) / 4);

/** Services and cameras together that a link has room for. */
export const MAX_LINK_NUMBERS = Math.floor(
  (MAX_LINK_BYTES - HEAD_BYTES - SIGNATURE_BYTES) / NUMBER_BYTES,
);

/** Below an invite stands the guest and nobody else. */
const INVITE_DEPTH = 1;
const KEY_LABEL = "porthole/invite-key/v1";

/** The key that an invite names, from the seed in its link. */
export async function inviteSigner(seed: Bytes): Promise<Signer> {
  if (seed.length !== SEED_BYTES) throw new RangeError("Cannot make key: seed of another size");
  return await signerFromSeed(await hkdfSha256(seed, KEY_LABEL));
}

/**
 * Makes an invite of one lender. Rejects with a RangeError for more services and cameras than a link has room for, and
 * with a CborError for terms that no grant may have.
 */
export async function makeInvite(terms: InviteTerms): Promise<MadeInvite> {
  const { devicePublicKey, issuer, issuerEpoch, scope, notBefore, expires, ttl, uses } = terms;
  const seed = randomBytes(SEED_BYTES);
  const id = randomBytes(TOKEN_ID_BYTES);
  const token = await signGrant("invite", {
    audience: await deviceId(devicePublicKey),
    holder: (await inviteSigner(seed)).publicKey,
    id,
    notBefore,
    expires,
    epoch: issuerEpoch,
    scope,
    depth: INVITE_DEPTH,
    ttl,
    uses,
  }, issuer);
  const fragment = BORROW_FRAGMENT + encodeInviteLink({ devicePublicKey, seed, token });
  return { token, fragment, id };
}

/**
 * The text to put behind `#borrow=`. Throws a RangeError for an invite that does not fit: one with more services and
 * cameras than a link has room for, or below another grant.
 */
export function encodeInviteLink(link: InviteLink): string {
  const { grant, envelope } = openGrant(link.token);
  const { services, cameras } = grant.scope;
  const numbers = [...services, ...cameras];
  if (numbers.length > MAX_LINK_NUMBERS) {
    throw new RangeError(
      `Cannot write borrow link: it has room for ${MAX_LINK_NUMBERS} services and cameras, ` +
        `not ${numbers.length}`,
    );
  }
  const fits = grant.kind === "invite" && grant.parent === undefined &&
    link.devicePublicKey.length === PUBLIC_KEY_BYTES && link.seed.length === SEED_BYTES;
  if (!fits) throw new RangeError("Cannot write borrow link: not an owner's invite");
  const operations = operationBits(grant.scope.operations);
  return toBase64Url(concat(
    new Uint8Array([VERSION]),
    link.devicePublicKey,
    link.seed,
    grant.issuer,
    grant.id,
    ...[grant.notBefore, grant.expires, grant.epoch, grant.ttl].map((value) => number(value, 4)),
    new Uint8Array([grant.depth, grant.uses!, operations, services.length, cameras.length]), // invites have uses
    ...numbers.map((value) => number(value, NUMBER_BYTES)),
    envelope.signature,
  ));
}

/**
 * Reads the text behind `#borrow=`. Rejects with a SyntaxError unless it is whole, of this version, and holds an invite that
 * could be one. Whether its issuer signed it only the device can say, but for an invite that the device itself made.
 */
export async function decodeInviteLink(text: string): Promise<InviteLink> {
  if (text.length > MAX_LINK_CHARACTERS) {
    throw new SyntaxError("Cannot read borrow link: too long");
  }
  const bytes = fromBase64Url(text);
  if (bytes.length > 0 && bytes[0] !== VERSION) {
    throw new SyntaxError("Cannot read borrow link: made by another version of porthole");
  }
  try {
    const link = await assemble(new LinkReader(bytes));
    await verifyOwnInvite(link);
    return link;
  } catch (cause) {
    throw new SyntaxError("Cannot read borrow link: cut or damaged", { cause });
  }
}

/** Names this browser in a guest grant, signed by the invite's key: the chain to put into its offers. */
export async function redeemInvite(
  link: InviteLink,
  browserPublicKey: Bytes,
): Promise<readonly [invite: Bytes, guest: Bytes]> {
  const { kind: _kind, issuer: _issuer, uses: _uses, ...invite } = readGrant(link.token);
  const guest = await signGrant("guest", {
    ...invite,
    holder: browserPublicKey,
    id: randomBytes(TOKEN_ID_BYTES),
    depth: invite.depth - 1,
    parent: await grantHash(link.token),
  }, await inviteSigner(link.seed));
  return [link.token, guest];
}

async function assemble(reader: LinkReader): Promise<InviteLink> {
  reader.number(1); // the version, which was looked at
  const devicePublicKey = reader.bytes(PUBLIC_KEY_BYTES);
  const seed = reader.bytes(SEED_BYTES);
  const head = {
    issuer: reader.bytes(KEY_ID_BYTES),
    id: reader.bytes(TOKEN_ID_BYTES),
    notBefore: reader.number(4),
    expires: reader.number(4),
    epoch: reader.number(4),
    ttl: reader.number(4),
    depth: reader.number(1),
    uses: reader.number(1),
  };
  const scope = readLinkScope(reader);
  const signature = reader.bytes(SIGNATURE_BYTES);
  reader.end();
  const audience = await deviceId(devicePublicKey);
  const holder = (await inviteSigner(seed)).publicKey;
  const token = assembleGrant({ ...head, scope, audience, holder }, signature);
  return { devicePublicKey, seed, token };
}

function readLinkScope(reader: LinkReader): Scope {
  const operations = operationsOf(reader.number(1));
  const [services, cameras] = [reader.number(1), reader.number(1)];
  return { services: reader.numbers(services), cameras: reader.numbers(cameras), operations };
}

async function verifyOwnInvite({ devicePublicKey, token }: InviteLink): Promise<void> {
  const { grant, envelope } = openGrant(token);
  if (!equalBytes(grant.issuer, await keyId(devicePublicKey))) return;
  await verifyEnvelope("invite", envelope, devicePublicKey);
}

/** Big-endian. */
function number(value: number, length: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => value / 2 ** (8 * (length - 1 - i)));
}

/** Takes a link apart from front to back. Throws a RangeError where it is too short, or too long at the end. */
class LinkReader {
  readonly #bytes: Bytes;
  #offset = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  bytes(length: number): Bytes {
    const part = this.#bytes.slice(this.#offset, this.#offset + length);
    if (part.length < length) throw new RangeError("Cannot read link: cut");
    this.#offset += length;
    return part;
  }

  number(length: number): number {
    return this.bytes(length).reduce((sum, byte) => sum * 256 + byte, 0);
  }

  numbers(count: number): number[] {
    return Array.from({ length: count }, () => this.number(NUMBER_BYTES));
  }

  end(): void {
    if (this.#offset !== this.#bytes.length) throw new RangeError("Cannot read link: too long");
  }
}
