/**
 * RE-CONFIG (RFC 6525). Our channels never close and none are added, so each request is denied,
 * without any state; a peer that asked knows then, and stops to repeat itself.
 */
import { type Chunk, CHUNK_HEADER_BYTES, makeChunk, RE_CONFIG } from "./chunk.ts";
import { readParameters } from "./parameters.ts";
import { makeParameters } from "./parameters.ts";
import { readU32, writeU32 } from "./words.ts";

/** Requests: outgoing, incoming, whole reset (4.1 to 4.3), add outgoing, incoming (4.5, 4.6). */
const REQUESTS: ReadonlySet<number> = new Set([13, 14, 15, 17, 18]);
const RESPONSE = 16;
const DENIED = 2; // 4.4
/** A RE-CONFIG holds at most two parameters (3.1). */
const MAX_REQUESTS = 2;

/** The answer to a RE-CONFIG, or undefined where it asks for nothing. */
export function denyReconfig(packet: Uint8Array, { at, end }: Chunk): Uint8Array | undefined {
  const parameters = readParameters(packet, at + CHUNK_HEADER_BYTES, end) ?? [];
  const answers = parameters
    .filter(({ type, value }) => REQUESTS.has(type) && value.length >= 4)
    .slice(0, MAX_REQUESTS)
    .map(({ value }) => ({ type: RESPONSE, value: denial(readU32(value, 0)) }));
  if (answers.length === 0) return undefined;
  return makeChunk(RE_CONFIG, 0, makeParameters(answers));
}

function denial(requestNumber: number): Uint8Array {
  const value = new Uint8Array(8);
  writeU32(value, 0, requestNumber);
  writeU32(value, 4, DENIED);
  return value;
}
