/**
 * What one stream still has to send, and its cutting into DATA frames. Byte strings are kept by reference: whoever
 * wrote them must not change them.
 */
import type { Bytes } from "../lib/bytes.ts";
import { StreamError } from "./errors.ts";
import type { Frame } from "./frame.ts";
import {
  DATA_COST_BYTES,
  MAX_DATA_BYTES,
  SEND_QUEUE_HIGH_BYTES,
  SEND_QUEUE_HIGH_PARTS,
  SEND_QUEUE_LOW_BYTES,
  SEND_QUEUE_LOW_PARTS,
  SEND_QUEUE_MAX_BYTES,
  SEND_QUEUE_MAX_PARTS,
} from "./limits.ts";

/** A write: part of a body, or one whole WebSocket message or its last part. */
interface Chunk {
  bytes: Bytes;
  readonly text: boolean;
  readonly last: boolean;
}

/** Queue of one stream. Its length in bytes counts payload only. */
export class SendQueue {
  #chunks: Chunk[] = [];
  #bytes = 0;
  #sent = 0;

  /** Payload bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Payload bytes that left, for END. */
  get sent(): number {
    return this.#sent;
  }

  get empty(): boolean {
    return this.#chunks.length === 0;
  }

  /** The writer should pause. */
  get high(): boolean {
    return this.#bytes >= SEND_QUEUE_HIGH_BYTES || this.#chunks.length >= SEND_QUEUE_HIGH_PARTS;
  }

  /** A writer that paused may go on. */
  get low(): boolean {
    return this.#bytes <= SEND_QUEUE_LOW_BYTES && this.#chunks.length <= SEND_QUEUE_LOW_PARTS;
  }

  /** Appends. Throws a StreamError with code `limit` for a writer that ignores every request to pause. */
  push(bytes: Uint8Array, message: { text: boolean; last: boolean } | undefined): void {
    const tooMany = this.#chunks.length >= SEND_QUEUE_MAX_PARTS;
    if (tooMany || this.#bytes + bytes.length > SEND_QUEUE_MAX_BYTES) {
      throw new StreamError(
        "limit",
        `Cannot queue ${bytes.length} bytes: ${this.#bytes} in ${this.#chunks.length} parts wait`,
      );
    }
    const { text = false, last = false } = message ?? {};
    if (bytes.length === 0 && !last) return; // an empty part of a body says nothing
    this.#chunks.push({ bytes: bytes as Bytes, text, last });
    this.#bytes += bytes.length;
  }

  /** Cuts the next frame, at most what `credit` pays for; undefined when that is too little. */
  cut(id: number, credit: number): (Frame & { type: "data" }) | undefined {
    const chunk = this.#chunks[0];
    const room = Math.min(MAX_DATA_BYTES, credit - DATA_COST_BYTES);
    if (chunk === undefined || room < Math.min(1, chunk.bytes.length)) return undefined;
    const bytes = chunk.bytes.subarray(0, room);
    const whole = bytes.length === chunk.bytes.length;
    if (whole) this.#chunks.shift();
    else chunk.bytes = chunk.bytes.subarray(room);
    this.#bytes -= bytes.length;
    this.#sent += bytes.length;
    return { type: "data", id, bytes, text: chunk.text, last: chunk.last && whole };
  }

  /** Forgets everything that waits. */
  clear(): void {
    this.#chunks = [];
    this.#bytes = 0;
  }
}
