/** Names of keys (security.md 1.2): what stands in tokens, addresses and logs instead of the key itself. */
import { type Bytes, fromBase32, toBase32, utf8 } from "../lib/bytes.ts";
import { sha256 } from "./digest.ts";

export const DEVICE_ID_BYTES = 16;
export const KEY_ID_BYTES = 8;

const DEVICE_DOMAIN = utf8("porthole/dev/v1");
const KEY_DOMAIN = utf8("porthole/kid/v1");

/** Id of the device that owns this Ed25519 public key: 16 bytes. */
export async function deviceId(publicKey: Bytes): Promise<Bytes> {
  return (await sha256(DEVICE_DOMAIN, publicKey)).slice(0, DEVICE_ID_BYTES);
}

/** A device id as people and host names carry it: 26 characters of base32, lower case. */
export function deviceIdText(id: Bytes): string {
  if (id.length !== DEVICE_ID_BYTES) {
    throw new RangeError(
      `Cannot write device id: ${id.length} bytes instead of ${DEVICE_ID_BYTES}`,
    );
  }
  return toBase32(id);
}

/** Reads what `deviceIdText` writes; throws a SyntaxError for anything else. */
export function parseDeviceId(text: string): Bytes {
  const id = text.length === 26 ? fromBase32(text) : undefined;
  if (id?.length !== DEVICE_ID_BYTES) {
    throw new SyntaxError("Cannot read device id: not 26 characters of base32");
  }
  return id;
}

/**
 * Short name of an Ed25519 public key: 8 bytes. A hint to look a key up by and to log; whoever decides by it compares
 * or verifies under the full key too.
 */
export async function keyId(publicKey: Bytes): Promise<Bytes> {
  return (await sha256(KEY_DOMAIN, publicKey)).slice(0, KEY_ID_BYTES);
}
