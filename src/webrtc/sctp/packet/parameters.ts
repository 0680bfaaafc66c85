/**
 * Type, length, value: the form of chunk parameters (RFC 9260 3.2.1) and error causes (3.3.10)
 * alike.
 */
import { padded, readU16, writeU16 } from "./words.ts";

const HEADER_BYTES = 4;

export interface Parameter {
  readonly type: number;
  readonly value: Uint8Array;
}

/** More in one chunk than any peer has a use for; the rest is not looked at. */
const MAX_PARAMETERS = 64;

/**
 * Reads parameters from `at` to `end`. Gives undefined when one of them has an impossible length:
 * then the chunk is broken. Values are views into `bytes`.
 */
export function readParameters(
  bytes: Uint8Array,
  at: number,
  end: number,
): Parameter[] | undefined {
  const found: Parameter[] = [];
  for (let next = at; next < end && found.length < MAX_PARAMETERS;) {
    if (next + HEADER_BYTES > end) return undefined;
    const length = readU16(bytes, next + 2);
    if (length < HEADER_BYTES || next + length > end) return undefined;
    const value = bytes.subarray(next + HEADER_BYTES, next + length);
    found.push({ type: readU16(bytes, next), value });
    next += padded(length);
  }
  return found;
}

/** Parameters in bytes of their own, each but the last padded (3.2). */
export function makeParameters(parameters: readonly Parameter[]): Uint8Array {
  const last = parameters.at(-1)?.value.length ?? 0;
  const size = parameters.reduce((sum, { value }) => sum + padded(HEADER_BYTES + value.length), 0);
  const bytes = new Uint8Array(size - (padded(last) - last));
  let at = 0;
  for (const { type, value } of parameters) {
    writeU16(bytes, at, type);
    writeU16(bytes, at + 2, HEADER_BYTES + value.length);
    bytes.set(value, at + HEADER_BYTES);
    at += padded(HEADER_BYTES + value.length);
  }
  return bytes;
}
