/**
 * The first label of a content origin's host name: every (device, service) has an origin of its own (DESIGN 6). The
 * shell frames it, and the agent recognises it in `Origin` and `Referer`.
 */
import { type Bytes, concat, toBase32, utf8 } from "../lib/bytes.ts";
import { DEVICE_ID_BYTES } from "./key_id.ts";

const DOMAIN = "porthole/origin/v1";
/** 26 characters are 130 bits of the hash, and leave room in a host name's label of 63. */
const LABEL_LENGTH = 26;

/** Throws a RangeError for a device id that is none: its fixed length is what keeps two services apart. */
export async function contentLabel(device: Bytes, service: string): Promise<string> {
  if (device.length !== DEVICE_ID_BYTES) {
    throw new RangeError(`Cannot name a content origin: device id of ${device.length} bytes`);
  }
  const named = concat(utf8(DOMAIN), device, utf8(service));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", named));
  return toBase32(hash).slice(0, LABEL_LENGTH);
}
