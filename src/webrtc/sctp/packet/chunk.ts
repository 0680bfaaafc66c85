/**
 * Chunks as such (RFC 9260 3.2): types, how a packet is walked, and what their high bits ask of who
 * does not know them. What is inside each is read in the file of its name.
 */
import { padded, readU16, writeU16 } from "./words.ts";

export const CHUNK_HEADER_BYTES = 4;

export const DATA = 0;
export const INIT = 1;
export const INIT_ACK = 2;
export const SACK = 3;
export const HEARTBEAT = 4;
export const HEARTBEAT_ACK = 5;
export const ABORT = 6;
export const SHUTDOWN = 7;
export const SHUTDOWN_ACK = 8;
export const ERROR = 9;
export const COOKIE_ECHO = 10;
export const COOKIE_ACK = 11;
export const SHUTDOWN_COMPLETE = 14;
export const RE_CONFIG = 130; // RFC 6525

/** Bit T of ABORT and SHUTDOWN COMPLETE: the tag is the receiver's own, reflected (8.5.1). */
export const REFLECTED_TAG = 1;

/** One chunk, where it lies in its packet. Reused by `ChunkWalk`: never keep it. */
export interface Chunk {
  readonly type: number;
  readonly flags: number;
  /** Where its header begins. */
  readonly at: number;
  /** Where it ends, without padding. */
  readonly end: number;
}

/** Goes through the chunks of a packet, always forward, never past its end. */
export class ChunkWalk implements Chunk {
  type = 0;
  flags = 0;
  at = 0;
  end = 0;
  #packet: Uint8Array = new Uint8Array(0);

  /** Starts anew on the chunks of `packet` from byte `at`. */
  start(packet: Uint8Array, at: number): void {
    this.#packet = packet;
    this.at = at;
    this.end = at;
  }

  /**
   * Moves to the next chunk. Gives false at the end, and for what cannot be a chunk: then nothing
   * behind it can be trusted either.
   */
  next(): boolean {
    const at = padded(this.end - this.at) + this.at;
    if (at + CHUNK_HEADER_BYTES > this.#packet.length) return false;
    const length = readU16(this.#packet, at + 2);
    if (length < CHUNK_HEADER_BYTES || at + length > this.#packet.length) return false;
    this.type = this.#packet[at]!;
    this.flags = this.#packet[at + 1]!;
    this.at = at;
    this.end = at + length;
    return true;
  }
}

/** What the two high bits of an unknown chunk or parameter type ask for (3.2, 3.2.1). */
export interface UnknownRule {
  /** Whether what follows it is processed. */
  readonly skip: boolean;
  /** Whether the sender wants to be told. */
  readonly report: boolean;
}

export function unknownChunkRule(type: number): UnknownRule {
  return { skip: (type & 0x80) !== 0, report: (type & 0x40) !== 0 };
}

/** A chunk in bytes of its own, padding included. */
export function makeChunk(type: number, flags: number, body: Uint8Array): Uint8Array {
  const length = CHUNK_HEADER_BYTES + body.length;
  const chunk = new Uint8Array(padded(length));
  chunk[0] = type;
  chunk[1] = flags;
  writeU16(chunk, 2, length);
  chunk.set(body, CHUNK_HEADER_BYTES);
  return chunk;
}
