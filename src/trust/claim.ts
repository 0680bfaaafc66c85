/**
 * The claim: a token that names a pairing window of a device. Whoever proves the secret that came with it becomes an
 * owner (`claim_proof.ts`). It has no expiry of its own: the device counts that on its monotonic clock, per run.
 */
import { type Bytes, equalBytes } from "../lib/bytes.ts";
import { encodeEnvelope, verifyEnvelope } from "./cose.ts";
import type { Signer } from "./ed25519.ts";
import { DEVICE_ID_BYTES, deviceId, KEY_ID_BYTES, keyId } from "./key_id.ts";
import type { CborValue } from "./strict_cbor.ts";
import { BOOT_ID_BYTES, KEY, openToken, signToken, TOKEN_ID_BYTES, tokenPayload } from "./token.ts";

/** Names a pairing window. */
export interface ClaimToken {
  readonly kind: "claim";
  /** Key id of the device. */
  readonly issuer: Bytes;
  /** The device, 16 bytes. */
  readonly audience: Bytes;
  /** `cti`: random, 16 bytes, consumed once. */
  readonly id: Bytes;
  /** The run of the device's program that opened the window, 8 random bytes. */
  readonly boot: Bytes;
}

/** What tells one claim of a device from another. */
export type ClaimFields = Pick<ClaimToken, "id" | "boot">;

/** Signs a claim for a pairing window of the signer's device. */
export async function signClaim(device: Signer, fields: ClaimFields): Promise<Bytes> {
  return await signToken("claim", await claimFields(device.publicKey, fields), device);
}

/** Puts a claim together again from what a pairing link carries of it. */
export async function assembleClaim(
  devicePublicKey: Bytes,
  parts: ClaimFields & { readonly signature: Bytes },
): Promise<Bytes> {
  const payload = tokenPayload(await claimFields(devicePublicKey, parts));
  return encodeEnvelope({ payload, signature: parts.signature });
}

/** Reads a claim without believing it. Throws a CborError or SignatureError for anything that is none. */
export function readClaim(token: Bytes): ClaimToken {
  const { kind, map } = openToken(token, () => "claim");
  return {
    kind,
    issuer: map.bytes(KEY.issuer, KEY_ID_BYTES),
    audience: map.bytes(KEY.audience, DEVICE_ID_BYTES),
    id: map.bytes(KEY.id, TOKEN_ID_BYTES),
    boot: map.bytes(KEY.boot, BOOT_ID_BYTES),
  };
}

/** Reads a claim and throws unless this device signed it for itself. Says nothing about its window. */
export async function verifyClaim(token: Bytes, devicePublicKey: Bytes): Promise<ClaimToken> {
  const claim = readClaim(token);
  const isOwn = equalBytes(claim.issuer, await keyId(devicePublicKey)) &&
    equalBytes(claim.audience, await deviceId(devicePublicKey));
  if (!isOwn) throw new TypeError("Cannot accept claim: made for another device");
  await verifyEnvelope("claim", openToken(token, () => "claim").envelope, devicePublicKey);
  return claim;
}

async function claimFields(
  devicePublicKey: Bytes,
  fields: ClaimFields,
): Promise<[number, CborValue][]> {
  return [
    [KEY.issuer, await keyId(devicePublicKey)],
    [KEY.audience, await deviceId(devicePublicKey)],
    [KEY.id, fields.id],
    [KEY.boot, fields.boot],
  ];
}
