/** Access units to RTP payloads (RFC 6184, packetization-mode 1). Pure. */
import { concat } from "../lib/bytes.ts";
import { isParameterSet } from "./nal.ts";

/**
 * Leaves room for IP, UDP, SRTP, RTX and extensions in the 1280 bytes that every IPv6 link carries.
 */
export const MAX_PAYLOAD_BYTES = 1180;

const STAP_A = 24;
const FU_A = 28;
const FU_HEADER_BYTES = 2;

/**
 * Cuts the NAL units of one picture into payloads of at most MAX_PAYLOAD_BYTES, in sending order.
 */
export function packetize(nals: readonly Uint8Array[]): Uint8Array[] {
  const payloads: Uint8Array[] = [];
  let sets: Uint8Array[] = [];
  for (const nal of nals) {
    if (isParameterSet(nal) && aggregateBytes([...sets, nal]) <= MAX_PAYLOAD_BYTES) {
      sets.push(nal);
      continue;
    }
    payloads.push(...aggregate(sets), ...single(nal));
    sets = [];
  }
  payloads.push(...aggregate(sets));
  return payloads;
}

function aggregateBytes(nals: readonly Uint8Array[]): number {
  return nals.reduce((sum, nal) => sum + 2 + nal.length, 1);
}

/** RFC 6184 5.7.1; its own rule for one unit is to send it alone. */
function aggregate(nals: readonly Uint8Array[]): Uint8Array[] {
  if (nals.length <= 1) return [...nals];
  const importance = Math.max(...nals.map((nal) => nal[0]! & 0x60));
  const parts = nals.flatMap((nal) => [Uint8Array.of(nal.length >> 8, nal.length & 0xff), nal]);
  return [concat(Uint8Array.of(importance | STAP_A), ...parts)];
}

function single(nal: Uint8Array): Uint8Array[] {
  return nal.length <= MAX_PAYLOAD_BYTES ? [nal] : fragment(nal);
}

/** RFC 6184 5.8, in pieces of equal size: a small last packet would be sent for nothing. */
function fragment(nal: Uint8Array): Uint8Array[] {
  const indicator = (nal[0]! & 0xe0) | FU_A;
  const type = nal[0]! & 0x1f;
  const body = nal.length - 1;
  const count = Math.ceil(body / (MAX_PAYLOAD_BYTES - FU_HEADER_BYTES));
  const size = Math.ceil(body / count);
  const payloads: Uint8Array[] = [];
  for (let start = 1; start < nal.length; start += size) {
    const end = Math.min(start + size, nal.length);
    const edges = (start === 1 ? 0x80 : 0) | (end === nal.length ? 0x40 : 0);
    payloads.push(concat(Uint8Array.of(indicator, edges | type), nal.subarray(start, end)));
  }
  return payloads;
}
