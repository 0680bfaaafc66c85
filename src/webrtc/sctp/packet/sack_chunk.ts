/**
 * SACK (RFC 9260 3.3.4):
 *
 *     type = 3 | 0 | length || cumulative TSN || a_rwnd || gaps N | duplicates M
 *     || N x (start, end), as offsets from the cumulative TSN || M x duplicate TSN
 */
import type { Chunk } from "./chunk.ts";
import { SACK } from "./chunk.ts";
import { readU16, readU32, writeU16, writeU32 } from "./words.ts";

export const SACK_HEADER_BYTES = 16;

/** What we say: the numbers, and ranges as the tracker holds them. */
export interface SackContent {
  readonly cumulativeTsn: number;
  readonly window: number;
  readonly ranges: readonly { readonly first: number; readonly last: number }[];
  readonly duplicates: readonly number[];
}

/** Bytes of the chunk with this content; always a multiple of four. */
export function sackBytes({ ranges, duplicates }: SackContent): number {
  return SACK_HEADER_BYTES + 4 * (ranges.length + duplicates.length);
}

/** Writes the chunk at `at` and gives where the next begins. */
export function writeSack(buffer: Uint8Array, at: number, content: SackContent): number {
  const { ranges, duplicates, cumulativeTsn } = content;
  buffer[at] = SACK;
  buffer[at + 1] = 0;
  writeU16(buffer, at + 2, sackBytes(content));
  writeU32(buffer, at + 4, cumulativeTsn);
  writeU32(buffer, at + 8, content.window);
  writeU16(buffer, at + 12, ranges.length);
  writeU16(buffer, at + 14, duplicates.length);
  let next = at + SACK_HEADER_BYTES;
  for (const { first, last } of ranges) {
    writeU16(buffer, next, first - cumulativeTsn);
    writeU16(buffer, next + 2, last - cumulativeTsn);
    next += 4;
  }
  for (const tsn of duplicates) {
    writeU32(buffer, next, tsn);
    next += 4;
  }
  return next;
}

/** A SACK as it arrived; gaps are read in place, since there may be hundreds. */
export class ReceivedSack {
  cumulativeTsn = 0;
  window = 0;
  gaps = 0;
  duplicates = 0;
  #packet: Uint8Array = new Uint8Array(0);
  #at = 0;

  /** Takes the chunk up; gives false when its counts do not agree with its length. */
  read(packet: Uint8Array, { at, end }: Chunk): boolean {
    if (end - at < SACK_HEADER_BYTES) return false;
    this.#packet = packet;
    this.#at = at + SACK_HEADER_BYTES;
    this.cumulativeTsn = readU32(packet, at + 4);
    this.window = readU32(packet, at + 8);
    this.gaps = readU16(packet, at + 12);
    this.duplicates = readU16(packet, at + 14);
    return end - at === SACK_HEADER_BYTES + 4 * (this.gaps + this.duplicates);
  }

  /** Offsets from the cumulative TSN of gap block `index`; the caller checks that they make sense. */
  gapStart(index: number): number {
    return readU16(this.#packet, this.#at + 4 * index);
  }

  gapEnd(index: number): number {
    return readU16(this.#packet, this.#at + 4 * index + 2);
  }
}
