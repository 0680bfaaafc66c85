/**
 * Revocations: an owner's signed word that a grant or another owner is no more. Numbered by the owner, so that a device
 * takes each once and none from before. Whether its issuer may say so is control's to judge.
 */
import { type Bytes, equalBytes } from "../lib/bytes.ts";
import { type Envelope, verifyEnvelope } from "./cose.ts";
import type { Signer } from "./ed25519.ts";
import { DEVICE_ID_BYTES, KEY_ID_BYTES, keyId } from "./key_id.ts";
import { CborError } from "./strict_cbor.ts";
import { KEY, MAX_COUNT, MAX_TIME, openToken, signToken, TOKEN_ID_BYTES } from "./token.ts";

/** What ends. The kinds differ by their length on the wire. */
export type RevocationTarget =
  /** `cti`, 16 bytes, of any link: all below it ends, too. */
  | { readonly kind: "grant"; readonly id: Bytes }
  /** Key id, 8 bytes. */
  | { readonly kind: "owner"; readonly id: Bytes };

/** What a revocation says, but for its issuer. */
export interface RevocationFields {
  /** The device, 16 bytes. */
  readonly audience: Bytes;
  /** Unix seconds by the owner's clock. */
  readonly issuedAt: number;
  readonly target: RevocationTarget;
  /** Larger than that of all statements of this owner before; from 1. */
  readonly sequence: number;
}

/** A revocation that was read. */
export interface Revocation extends RevocationFields {
  /** Key id of the signer, 8 bytes. */
  readonly issuer: Bytes;
}

const TARGET_BYTES = { grant: TOKEN_ID_BYTES, owner: KEY_ID_BYTES } as const;

/** Signs a revocation. Rejects with a CborError for fields that `readRevocation` would not take. */
export async function signRevocation(fields: RevocationFields, signer: Signer): Promise<Bytes> {
  if (fields.target.id.length !== TARGET_BYTES[fields.target.kind]) {
    throw new CborError("Cannot write revocation: target of foreign size");
  }
  const token = await signToken("revoke", [
    [KEY.issuer, await keyId(signer.publicKey)],
    [KEY.audience, fields.audience],
    [KEY.from, fields.issuedAt],
    [KEY.target, fields.target.id],
    [KEY.sequence, fields.sequence],
  ], signer);
  readRevocation(token);
  return token;
}

/** Reads a revocation without believing it. Throws a CborError or SignatureError for anything that is none. */
export function readRevocation(token: Bytes): Revocation {
  return open(token).revocation;
}

/**
 * Reads a revocation and rejects unless the holder of `issuerKey` signed it for this device: with a TypeError for another
 * issuer or device, a SignatureError for a bad signature, and like `readRevocation`.
 */
export async function verifyRevocation(
  token: Bytes,
  expected: { readonly audience: Bytes; readonly issuerKey: Bytes },
): Promise<Revocation> {
  const { revocation, envelope } = open(token);
  if (!equalBytes(revocation.issuer, await keyId(expected.issuerKey))) {
    throw new TypeError("Cannot accept revocation: another issuer");
  }
  if (!equalBytes(revocation.audience, expected.audience)) {
    throw new TypeError("Cannot accept revocation: made for another device");
  }
  await verifyEnvelope("revoke", envelope, expected.issuerKey);
  return revocation;
}

function open(token: Bytes): { revocation: Revocation; envelope: Envelope } {
  const { map, envelope } = openToken(token, () => "revoke");
  const id = map.bytesUpTo(KEY.target, TOKEN_ID_BYTES);
  const kind = id.length === TARGET_BYTES.owner ? "owner" : "grant";
  const sequence = map.uint(KEY.sequence, MAX_COUNT);
  if (id.length !== TARGET_BYTES[kind] || sequence === 0) {
    throw new CborError("Cannot read revocation: target of foreign size, or no number");
  }
  const revocation: Revocation = {
    issuer: map.bytes(KEY.issuer, KEY_ID_BYTES),
    audience: map.bytes(KEY.audience, DEVICE_ID_BYTES),
    issuedAt: map.uint(KEY.from, MAX_TIME),
    target: { kind, id },
    sequence,
  };
  return { revocation, envelope };
}
