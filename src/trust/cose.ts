/**
 * COSE_Sign1 (RFC 9052 4.2) as security.md 1.2 cuts it down: one algorithm, one header, no choice for a sender.
 *
 *     [ h'A10132', {}, payload, signature ]                          on the wire
 *     [ "Signature1", h'A10132', "porthole/cap/v1/" + kind, payload ]   what is signed
 *
 * h'A10132' is {1: -19}: "Ed25519" (RFC 9864). The kind is part of what is signed, so nothing signed for one purpose
 * passes for another.
 */
import { type Bytes, equalBytes, utf8 } from "../lib/bytes.ts";
import { SIGNATURE_BYTES, type Signer, verify } from "./ed25519.ts";
import { type CborValue, decodeCbor, encodeCbor, readBytes, readList } from "./strict_cbor.ts";

/** What a signed object is for. */
export type SignedKind =
  | "claim"
  | "owner"
  | "invite"
  | "guest"
  | "revoke"
  | "presence"
  | "offer"
  | "answer"
  | "chan";

/** A signed object cut into its parts. Says nothing about who signed it. */
export interface Envelope {
  readonly payload: Bytes;
  readonly signature: Bytes;
}

/** The signature is not the key's over this payload and kind. */
export class SignatureError extends Error {
  override name = "SignatureError";
}

const PROTECTED = new Uint8Array([0xa1, 0x01, 0x32]);
const DOMAIN = "porthole/cap/v1/";

/** Signs `payload`, a deterministic CBOR map, and gives the whole object. */
export async function signEnvelope(
  kind: SignedKind,
  payload: Bytes,
  signer: Signer,
): Promise<Bytes> {
  const signature = await signer.sign(signedBytes(kind, payload));
  return encodeEnvelope({ payload, signature });
}

/** Puts an object together from its parts. */
export function encodeEnvelope(envelope: Envelope): Bytes {
  return encodeCbor([PROTECTED, new Map(), envelope.payload, envelope.signature]);
}

/** Takes an object apart. Throws a CborError for anything that `encodeEnvelope` would not write. */
export function decodeEnvelope(bytes: Bytes, maxBytes: number): Envelope {
  const parts: readonly CborValue[] = readList(decodeCbor(bytes, maxBytes), 4);
  const [header, unprotected, payload, signature] = parts;
  const headersHold = header instanceof Uint8Array && equalBytes(header, PROTECTED) &&
    unprotected instanceof Map && unprotected.size === 0;
  if (!headersHold) throw new SignatureError("Cannot read signed object: foreign algorithm");
  return {
    payload: readBytes(payload, { max: maxBytes }),
    signature: readBytes(signature, { length: SIGNATURE_BYTES }),
  };
}

/** Throws a SignatureError unless `publicKey` signed this payload as this kind. */
export async function verifyEnvelope(
  kind: SignedKind,
  envelope: Envelope,
  publicKey: Bytes,
): Promise<void> {
  if (!await verify(publicKey, signedBytes(kind, envelope.payload), envelope.signature)) {
    throw new SignatureError(`Cannot accept ${kind}: bad signature`);
  }
}

/** Sig_structure (RFC 9052 4.4). */
function signedBytes(kind: SignedKind, payload: Bytes): Bytes {
  return encodeCbor(["Signature1", PROTECTED, utf8(DOMAIN + kind), payload]);
}
