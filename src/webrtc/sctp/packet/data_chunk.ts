/**
 * DATA (RFC 9260 3.3.1):
 *
 *     type = 0 | flags IUBE | length || TSN || stream | SSN || payload protocol || user data
 */
import type { Chunk } from "./chunk.ts";
import { DATA } from "./chunk.ts";
import { padded, readU16, readU32, writeU16, writeU32 } from "./words.ts";

export const DATA_HEADER_BYTES = 16;

/** Last, first fragment of a message; unordered; acknowledge at once (RFC 7053). */
export const END = 1;
export const BEGIN = 2;
export const UNORDERED = 4;
export const IMMEDIATE = 8;

/** What a DATA chunk says of its bytes. */
export interface DataHeader {
  readonly tsn: number;
  readonly flags: number;
  readonly streamId: number;
  readonly ssn: number;
  readonly protocol: number;
}

/** A fragment as it arrived. `bytes` is a view into the packet. */
export interface Fragment extends DataHeader {
  readonly bytes: Uint8Array;
}

/** Undefined when it is too short for a header. A fragment without bytes is the caller's to refuse. */
export function readData(packet: Uint8Array, { at, end, flags }: Chunk): Fragment | undefined {
  if (end - at < DATA_HEADER_BYTES) return undefined;
  return {
    tsn: readU32(packet, at + 4),
    flags,
    streamId: readU16(packet, at + 8),
    ssn: readU16(packet, at + 10),
    protocol: readU32(packet, at + 12),
    bytes: packet.subarray(at + DATA_HEADER_BYTES, end),
  };
}

/**
 * Writes the header at `at`, and the padding behind `length` bytes of user data, which the caller
 * puts at `at + DATA_HEADER_BYTES`. Gives where the next chunk begins. Four plain arguments, since
 * an object for each chunk would be felt.
 */
export function writeDataHeader(
  buffer: Uint8Array,
  at: number,
  header: DataHeader,
  length: number,
): number {
  buffer[at] = DATA;
  buffer[at + 1] = header.flags;
  writeU16(buffer, at + 2, DATA_HEADER_BYTES + length);
  writeU32(buffer, at + 4, header.tsn);
  writeU16(buffer, at + 8, header.streamId);
  writeU16(buffer, at + 10, header.ssn);
  writeU32(buffer, at + 12, header.protocol);
  const next = at + padded(DATA_HEADER_BYTES + length);
  for (let end = at + DATA_HEADER_BYTES + length; end < next; end++) buffer[end] = 0;
  return next;
}
