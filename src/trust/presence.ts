/**
 * M0, presence: what a device tells every browser that asks the rendezvous for it (security.md 1.4). Signed by the
 * device, so the rendezvous can withhold or replay it and nothing else; a replayed one names an old boot nonce, and the
 * offer made from it gets the answer "stale".
 */
import { type Bytes, equalBytes } from "../lib/bytes.ts";
import { decodeEnvelope, signEnvelope, verifyEnvelope } from "./cose.ts";
import type { Signer } from "./ed25519.ts";
import { DEVICE_ID_BYTES, deviceId } from "./key_id.ts";
import { X25519_BYTES } from "./seal.ts";
import { decodeCbor, encodeCbor, readMap } from "./strict_cbor.ts";

/** What an offer to the device needs to know. */
export interface Presence {
  /** The device's sealing key `K`, X25519. */
  readonly sealingKey: Bytes;
  /** Counts the device's sealing keys. */
  readonly epoch: number;
  /** Makes offers of another run, or of long ago, recognisable. */
  readonly bootNonce: Bytes;
  /** Counts presences of one run. */
  readonly sequence: number;
  /** No older handshake is answered. */
  readonly minVersion: number;
}

export const BOOT_NONCE_BYTES = 16;

const MAX_PRESENCE_BYTES = 512;
const VERSION = 1;
const KEY = { version: 0, device: 1, key: 2, epoch: 3, nonce: 4, sequence: 5, minVersion: 6 };
const LAYOUT = { required: Object.values(KEY) };
const MAX_COUNT = 0xffff_ffff;

/** Signs a presence of the signer's device. */
export async function signPresence(device: Signer, presence: Presence): Promise<Bytes> {
  const payload = encodeCbor(
    new Map<number, number | Bytes>([
      [KEY.version, VERSION],
      [KEY.device, await deviceId(device.publicKey)],
      [KEY.key, presence.sealingKey],
      [KEY.epoch, presence.epoch],
      [KEY.nonce, presence.bootNonce],
      [KEY.sequence, presence.sequence],
      [KEY.minVersion, presence.minVersion],
    ]),
  );
  return await signEnvelope("presence", payload, device);
}

/** Reads a presence; rejects unless the device with this public key signed it for itself. */
export async function verifyPresence(bytes: Bytes, devicePublicKey: Bytes): Promise<Presence> {
  const envelope = decodeEnvelope(bytes, MAX_PRESENCE_BYTES);
  await verifyEnvelope("presence", envelope, devicePublicKey);
  const map = readMap(decodeCbor(envelope.payload, MAX_PRESENCE_BYTES), LAYOUT);
  map.expect(KEY.version, VERSION);
  if (!equalBytes(map.bytes(KEY.device, DEVICE_ID_BYTES), await deviceId(devicePublicKey))) {
    throw new TypeError("Cannot accept presence: it names another device");
  }
  return {
    sealingKey: map.bytes(KEY.key, X25519_BYTES),
    epoch: map.uint(KEY.epoch, MAX_COUNT),
    bootNonce: map.bytes(KEY.nonce, BOOT_NONCE_BYTES),
    sequence: map.uint(KEY.sequence, MAX_COUNT),
    minVersion: map.uint(KEY.minVersion, MAX_COUNT),
  };
}
