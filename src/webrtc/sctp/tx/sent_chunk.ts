/** Chunks that have been sent, and lists of them in the order of their sending. */
import type { DataHeader } from "../packet/data_chunk.ts";
import type { Piece } from "./send_queue.ts";

export type SentState = "in flight" | "lost" | "acked";

const NOTHING = new Uint8Array(0);

/** One chunk until it is acknowledged. Objects are used again: there is one for each in flight. */
export class SentChunk implements DataHeader {
  tsn = 0;
  flags = 0;
  streamId = 0;
  ssn = 0;
  protocol = 0;
  bytes: Uint8Array = NOTHING;
  offset = 0;
  length = 0;
  state: SentState = "in flight";
  transmissions = 0;
  /** When it was sent last, and the round-trip-free counters of that moment (delivery_rate.ts). */
  sentAt = 0;
  firstSentAt = 0;
  delivered = 0;
  deliveredAt = 0;
  isAppLimited = false;
  /** Neighbours in the list it is on. */
  before: SentChunk | undefined;
  after: SentChunk | undefined;

  take(tsn: number, piece: Piece): void {
    this.tsn = tsn;
    this.flags = piece.flags;
    this.streamId = piece.streamId;
    this.ssn = piece.ssn;
    this.protocol = piece.protocol;
    this.bytes = piece.bytes;
    this.offset = piece.offset;
    this.length = piece.length;
    this.transmissions = 0;
  }

  /** Lets go of the message. */
  release(): void {
    this.bytes = NOTHING;
  }
}

/** A doubly linked list through the chunks themselves: any of them leaves it in one step. */
export class ChunkList {
  first: SentChunk | undefined;
  last: SentChunk | undefined;

  push(chunk: SentChunk): void {
    chunk.before = this.last;
    chunk.after = undefined;
    if (this.last === undefined) this.first = chunk;
    else this.last.after = chunk;
    this.last = chunk;
  }

  remove(chunk: SentChunk): void {
    if (chunk.before === undefined) this.first = chunk.after;
    else chunk.before.after = chunk.after;
    if (chunk.after === undefined) this.last = chunk.before;
    else chunk.after.before = chunk.before;
    chunk.before = undefined;
    chunk.after = undefined;
  }
}
