/**
 * Messages that wait to be sent, kept by reference. Lower stream ids first, so that `control` (0)
 * passes `bulk` (1); but a message that has begun is finished first, since fragments of two cannot
 * mix (RFC 9260 6.9; I-DATA, RFC 8260, would allow it and no browser offers it).
 */
import { BEGIN, END } from "../packet/data_chunk.ts";
import { nextSsn } from "../packet/serial.ts";

/** A fragment that may leave now. Reused: read it before the next `take`. */
export interface Piece {
  bytes: Uint8Array;
  offset: number;
  length: number;
  streamId: number;
  ssn: number;
  protocol: number;
  flags: number;
}

interface Waiting {
  readonly protocol: number;
  readonly bytes: Uint8Array;
}

/** Taken messages are cut off the front of a queue this many at a time, not one by one. */
const CUT_AFTER = 1024;

/** One stream: a queue that is read by index, so that nothing is moved for each message. */
class OutboundStream {
  ssn = 0;
  bytes = 0;
  #messages: (Waiting | undefined)[] = [];
  #next = 0;

  constructor(readonly id: number) {}

  push(message: Waiting): void {
    this.#messages.push(message);
    this.bytes += message.bytes.length;
  }

  get first(): Waiting | undefined {
    return this.#messages[this.#next];
  }

  drop(): void {
    this.#messages[this.#next++] = undefined;
    if (this.#next === this.#messages.length) this.#messages = [];
    else if (this.#next < CUT_AFTER) return;
    else this.#messages = this.#messages.slice(this.#next);
    this.#next = 0;
  }
}

const NOTHING = new Uint8Array(0);

export class SendQueue {
  readonly #streams: OutboundStream[] = []; // ascending ids
  readonly #piece: Piece = {
    bytes: NOTHING,
    offset: 0,
    length: 0,
    streamId: 0,
    ssn: 0,
    protocol: 0,
    flags: 0,
  };
  #bytes = 0;
  /** The stream whose message has begun, and how much of it has been taken. */
  #current: OutboundStream | undefined;
  #offset = 0;

  /** Bytes that wait, of all streams. */
  get bytes(): number {
    return this.#bytes;
  }

  bufferedAmount(streamId: number): number {
    return this.#streams.find(({ id }) => id === streamId)?.bytes ?? 0;
  }

  push(streamId: number, message: Waiting): void {
    this.#stream(streamId).push(message);
    this.#bytes += message.bytes.length;
  }

  /** Bytes of the next message that have not left; 0 when nothing waits. */
  get nextBytes(): number {
    const message = this.#peek()?.first;
    return message === undefined ? 0 : message.bytes.length - this.#offset;
  }

  /** Takes at most `most` bytes, more than 0, off the next message. Something must wait. */
  take(most: number): Piece {
    const stream = this.#peek()!; // the caller looked at nextBytes
    const { bytes, protocol } = stream.first!;
    const piece = this.#piece;
    const length = Math.min(most, bytes.length - this.#offset);
    piece.bytes = bytes;
    piece.offset = this.#offset;
    piece.length = length;
    piece.streamId = stream.id;
    piece.ssn = stream.ssn;
    piece.protocol = protocol;
    piece.flags = this.#offset === 0 ? BEGIN : 0;
    this.#current = stream;
    this.#offset += length;
    stream.bytes -= length;
    this.#bytes -= length;
    if (this.#offset === bytes.length) this.#finish(stream);
    return piece;
  }

  clear(): void {
    this.#streams.length = 0;
    this.#current = undefined;
    this.#offset = 0;
    this.#bytes = 0;
    this.#piece.bytes = NOTHING;
  }

  #finish(stream: OutboundStream): void {
    this.#piece.flags |= END;
    stream.drop();
    stream.ssn = nextSsn(stream.ssn);
    this.#current = undefined;
    this.#offset = 0;
  }

  /** A few streams at most: ours are two. */
  #peek(): OutboundStream | undefined {
    return this.#current ?? this.#streams.find(({ first }) => first !== undefined);
  }

  #stream(streamId: number): OutboundStream {
    const index = this.#streams.findIndex(({ id }) => id >= streamId);
    const found = this.#streams[index];
    if (found?.id === streamId) return found;
    const stream = new OutboundStream(streamId);
    this.#streams.splice(index < 0 ? this.#streams.length : index, 0, stream);
    return stream;
  }
}
