/**
 * Tokens: who may do what, as signed objects (security.md 1.2). This file has what all kinds share, the table of payload
 * keys and the kinds that exist. A kind is one entry of `LAYOUTS`, one interface and one pair of functions.
 *
 * Only `claim` exists: it lets the holder of a one-time secret become an owner. Chains of owner, invite and guest tokens,
 * and revocations, come with lending; their keys are reserved below. A token alone never authorises: its holder must
 * also prove possession, of a key or of the secret.
 */
import { type Bytes, equalBytes } from "../lib/bytes.ts";
import {
  decodeEnvelope,
  encodeEnvelope,
  type SignedKind,
  signEnvelope,
  verifyEnvelope,
} from "./cose.ts";
import type { Signer } from "./ed25519.ts";
import { DEVICE_ID_BYTES, deviceId, KEY_ID_BYTES, keyId } from "./key_id.ts";
import { decodeCbor, encodeCbor, type MapLayout, readMap } from "./strict_cbor.ts";

/** Payload keys. 3 cnf, 5 nbf, 6 exp, 7 epoch, 8 scope, 9 depth, 10 ttl and 11 parent belong to kinds to come. */
const KEY = { version: 0, issuer: 1, audience: 2, id: 4, boot: 12 } as const;

const VERSION = 1;

/** No token of any kind is longer: three links of a chain still fit an offer. */
export const MAX_TOKEN_BYTES = 1024;
export const TOKEN_ID_BYTES = 16;
export const BOOT_ID_BYTES = 8;

const LAYOUTS = {
  claim: { required: [KEY.version, KEY.issuer, KEY.audience, KEY.id, KEY.boot] },
} as const satisfies Partial<Record<SignedKind, MapLayout>>;

/** Names a pairing window. Has no expiry of its own: the device counts that on its monotonic clock, per boot. */
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
  return await signEnvelope("claim", await claimPayload(device.publicKey, fields), device);
}

/** Puts a claim together again from what a pairing link carries of it. */
export async function assembleClaim(
  devicePublicKey: Bytes,
  parts: ClaimFields & { readonly signature: Bytes },
): Promise<Bytes> {
  const payload = await claimPayload(devicePublicKey, parts);
  return encodeEnvelope({ payload, signature: parts.signature });
}

/** Reads a claim without believing it. Throws a CborError or SignatureError for anything that is none. */
export function readClaim(token: Bytes): ClaimToken {
  const { payload } = decodeEnvelope(token, MAX_TOKEN_BYTES);
  const map = readMap(decodeCbor(payload, MAX_TOKEN_BYTES), LAYOUTS.claim);
  map.expect(KEY.version, VERSION);
  return {
    kind: "claim",
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
  await verifyEnvelope("claim", decodeEnvelope(token, MAX_TOKEN_BYTES), devicePublicKey);
  return claim;
}

async function claimPayload(devicePublicKey: Bytes, fields: ClaimFields): Promise<Bytes> {
  return encodeCbor(
    new Map<number, number | Bytes>([
      [KEY.version, VERSION],
      [KEY.issuer, await keyId(devicePublicKey)],
      [KEY.audience, await deviceId(devicePublicKey)],
      [KEY.id, fields.id],
      [KEY.boot, fields.boot],
    ]),
  );
}
