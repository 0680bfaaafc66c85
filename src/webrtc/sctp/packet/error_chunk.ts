/** ERROR and ABORT (RFC 9260 3.3.7, 3.3.10): causes, as parameters are written. */
import { ABORT, type Chunk, CHUNK_HEADER_BYTES, ERROR, makeChunk } from "./chunk.ts";
import { makeParameters, type Parameter, readParameters } from "./parameters.ts";
import { writeU16, writeU32 } from "./words.ts";

export const INVALID_STREAM = 1;
export const MISSING_PARAMETER = 2;
export const STALE_COOKIE = 3;
export const OUT_OF_RESOURCE = 4;
export const UNRESOLVABLE_ADDRESS = 5;
export const UNRECOGNIZED_CHUNK = 6;
export const INVALID_PARAMETER = 7;
export const UNRECOGNIZED_PARAMETERS = 8;
export const NO_USER_DATA = 9;
export const USER_INITIATED = 12;
export const PROTOCOL_VIOLATION = 13;

const NOTHING = new Uint8Array(0);

export function makeAbort(cause: number, flags = 0, value: Uint8Array = NOTHING): Uint8Array {
  return makeChunk(ABORT, flags, makeParameters([{ type: cause, value }]));
}

export function makeError(causes: readonly Parameter[]): Uint8Array {
  return makeChunk(ERROR, 0, makeParameters(causes));
}

/** Causes of an ERROR or ABORT; none when it is broken. */
export function readCauses(packet: Uint8Array, { at, end }: Chunk): readonly Parameter[] {
  return readParameters(packet, at + CHUNK_HEADER_BYTES, end) ?? [];
}

/** Value of "invalid stream identifier" (3.3.10.1). */
export function invalidStreamCause(streamId: number): Parameter {
  const value = new Uint8Array(4);
  writeU16(value, 0, streamId);
  return { type: INVALID_STREAM, value };
}

/** Value of "missing mandatory parameter" (3.3.10.2): one, the state cookie. */
export function missingCookieValue(): Uint8Array {
  const value = new Uint8Array(6);
  writeU32(value, 0, 1);
  writeU16(value, 4, 7);
  return value;
}

/** Value of "stale cookie" (3.3.10.3): by how much it is late, in microseconds. */
export function staleCookieCause(late: number): Parameter {
  const value = new Uint8Array(4);
  writeU32(value, 0, Math.min(Math.ceil(late * 1000), 0xffffffff));
  return { type: STALE_COOKIE, value };
}
