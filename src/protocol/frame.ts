/**
 * THE wire format of a mux channel. The channel is reliable and ordered; its messages are joined into one stream of
 * bytes, so that a message may hold many frames and a frame may lie across messages.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +---------------+---------------+-------------------------------+
 *   |     type      |     flags     |       length of payload       |
 *   +---------------+---------------+-------------------------------+
 *   |                           stream id                           |
 *   +---------------------------------------------------------------+
 *   |                          payload ...
 *
 * A DATA frame uses credit for its payload and 64 bytes (`DATA_COST_BYTES`), on its stream and on the connection.
 * Numbers are big-endian. The browser opens every stream; its ids start at 1, grow by one and are never used twice.
 *
 *   type       payload                                      flags            sent by
 *   1 OPEN     request head, CBOR (head.ts)                 0                browser
 *   2 HEAD     response head, CBOR                          0                agent, once
 *   3 DATA     0 to 16384 bytes                             1 text, 2 last   both
 *   4 CREDIT   u32, bytes that may be sent in addition      0                both; stream 0 is the connection
 *   5 END      u64 total of payload bytes sent in DATA;     0                both, once
 *              for a WebSocket u16 code and reason follow
 *   6 RESET    u16 code (errors.ts)                         0                both; nothing more on this stream
 *
 *   browser                                 agent
 *      | -- OPEN -- DATA* -- END -------------> |    each half ends by itself
 *      | <------------- HEAD -- DATA* -- END -- |
 *      | <-> CREDIT, RESET at any time          |
 *
 * Version history: 1 is this one. A change that an old peer cannot read gets a new version in the handshake.
 */
import { type Bytes, concat } from "../lib/bytes.ts";
import { ProtocolError } from "./errors.ts";
import {
  FRAME_HEADER_BYTES,
  MAX_CLOSE_REASON_BYTES,
  MAX_DATA_BYTES,
  MAX_HEAD_BYTES,
} from "./limits.ts";

const OPEN = 1;
const HEAD = 2;
const DATA = 3;
const CREDIT = 4;
const END = 5;
const RESET = 6;

const FLAG_TEXT = 1;
const FLAG_LAST = 2;

const END_TOTAL_BYTES = 8;
const CLOSE_CODE_BYTES = 2;

/** Least and greatest payload of each type, and the flags that it may carry. */
const SHAPES: ReadonlyMap<number, { min: number; max: number; flags: number }> = new Map([
  [OPEN, { min: 1, max: MAX_HEAD_BYTES, flags: 0 }],
  [HEAD, { min: 1, max: MAX_HEAD_BYTES, flags: 0 }],
  [DATA, { min: 0, max: MAX_DATA_BYTES, flags: FLAG_TEXT | FLAG_LAST }],
  [CREDIT, { min: 4, max: 4, flags: 0 }],
  [END, {
    min: END_TOTAL_BYTES,
    max: END_TOTAL_BYTES + CLOSE_CODE_BYTES + MAX_CLOSE_REASON_BYTES,
    flags: 0,
  }],
  [RESET, { min: 2, max: 2, flags: 0 }],
]);

/** One frame as a value. Byte strings are views into what was received. */
export type Frame =
  | { readonly type: "open"; readonly id: number; readonly head: Bytes }
  | { readonly type: "head"; readonly id: number; readonly head: Bytes }
  | {
    readonly type: "data";
    readonly id: number;
    readonly bytes: Bytes;
    readonly text: boolean;
    readonly last: boolean;
  }
  | { readonly type: "credit"; readonly id: number; readonly bytes: number }
  | {
    readonly type: "end";
    readonly id: number;
    readonly total: number;
    readonly close?: { readonly code: number; readonly reason: string };
  }
  | { readonly type: "reset"; readonly id: number; readonly code: number };

/** Writes one frame. Throws a RangeError for a payload that no peer would take. */
export function encodeFrame(frame: Frame): Bytes {
  switch (frame.type) {
    case "open":
      return assemble(OPEN, frame.id, { payload: frame.head });
    case "head":
      return assemble(HEAD, frame.id, { payload: frame.head });
    case "data": {
      const flags = (frame.text ? FLAG_TEXT : 0) | (frame.last ? FLAG_LAST : 0);
      return assemble(DATA, frame.id, { payload: frame.bytes, flags });
    }
    case "credit":
      return assemble(CREDIT, frame.id, { payload: uint(frame.bytes, 4) });
    case "end":
      return assemble(END, frame.id, { payload: endPayload(frame) });
    case "reset":
      return assemble(RESET, frame.id, { payload: uint(frame.code, 2) });
  }
}

function assemble(type: number, id: number, rest: { payload: Uint8Array; flags?: number }): Bytes {
  const { payload, flags = 0 } = rest;
  const shape = SHAPES.get(type)!; // every type written here has its row
  if (payload.length < shape.min || payload.length > shape.max) {
    throw new RangeError(
      `Cannot write a frame of type ${type}: payload of ${payload.length} bytes`,
    );
  }
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, type);
  view.setUint8(1, flags);
  view.setUint16(2, payload.length);
  view.setUint32(4, id);
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

function endPayload(frame: Frame & { type: "end" }): Bytes {
  const total = uint(frame.total, END_TOTAL_BYTES);
  if (frame.close === undefined) return total;
  return concat(total, uint(frame.close.code, CLOSE_CODE_BYTES), cutReason(frame.close.reason));
}

/** A reason that is too long loses its end, never half a character. */
function cutReason(reason: string): Bytes {
  const room = new Uint8Array(MAX_CLOSE_REASON_BYTES);
  const { written } = new TextEncoder().encodeInto(reason, room);
  return room.slice(0, written);
}

function uint(value: number, length: number): Bytes {
  const bytes = new Uint8Array(length);
  let rest = value;
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

function readUint(bytes: Uint8Array): number {
  const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  if (!Number.isSafeInteger(value)) {
    throw new ProtocolError("Cannot read a frame: number above 2^53");
  }
  return value;
}

/**
 * Cuts received messages into frames. Holds at most one unfinished frame, whose length was checked as soon as its
 * header was there.
 */
export class FrameParser {
  #held: Bytes = new Uint8Array(0);
  /** Messages after `#held`, joined to it once they make up what is needed: a peer chooses how small they are. */
  #later: Bytes[] = [];
  #length = 0;
  #needed = FRAME_HEADER_BYTES;

  /** Takes the next message. Call `next` until it gives nothing. */
  push(message: Uint8Array): void {
    this.#later.push(message as Bytes); // channel messages and test vectors own their memory
    this.#length += message.length;
  }

  /** The next whole frame, or undefined until more arrives. Throws a ProtocolError for what is no frame. */
  next(): Frame | undefined {
    if (this.#length < this.#needed) return undefined;
    this.#join();
    const view = new DataView(this.#held.buffer, this.#held.byteOffset);
    const type = view.getUint8(0);
    const flags = view.getUint8(1);
    const length = view.getUint16(2);
    checkHeader(type, flags, length);
    const end = FRAME_HEADER_BYTES + length;
    this.#needed = end;
    if (this.#length < end) return undefined;
    const payload = this.#held.subarray(FRAME_HEADER_BYTES, end);
    this.#held = this.#held.subarray(end);
    this.#length -= end;
    this.#needed = FRAME_HEADER_BYTES;
    return readFrame(type, view.getUint32(4), { flags, payload });
  }

  #join(): void {
    if (this.#later.length === 0) return;
    const only = this.#held.length === 0 && this.#later.length === 1;
    this.#held = only ? this.#later[0]! : concat(this.#held, ...this.#later);
    this.#later = [];
  }
}

function checkHeader(type: number, flags: number, length: number): void {
  const shape = SHAPES.get(type);
  if (shape === undefined) throw new ProtocolError(`Cannot read a frame: unknown type ${type}`);
  if ((flags & ~shape.flags) !== 0) {
    throw new ProtocolError(`Cannot read a frame of type ${type}: unknown flags ${flags}`);
  }
  if (length < shape.min || length > shape.max) {
    throw new ProtocolError(`Cannot read a frame of type ${type}: payload of ${length} bytes`);
  }
}

function readFrame(type: number, id: number, rest: { flags: number; payload: Bytes }): Frame {
  const { flags, payload } = rest;
  if ((id === 0) && type !== CREDIT) {
    throw new ProtocolError(`Cannot read a frame of type ${type}: stream 0 takes only CREDIT`);
  }
  switch (type) {
    case OPEN:
      return { type: "open", id, head: payload };
    case HEAD:
      return { type: "head", id, head: payload };
    case DATA: {
      const text = (flags & FLAG_TEXT) !== 0;
      return { type: "data", id, bytes: payload, text, last: (flags & FLAG_LAST) !== 0 };
    }
    case CREDIT:
      return readCredit(id, payload);
    case END:
      return readEnd(id, payload);
    default:
      return { type: "reset", id, code: readUint(payload) };
  }
}

function readCredit(id: number, payload: Bytes): Frame {
  const bytes = readUint(payload);
  if (bytes === 0) throw new ProtocolError("Cannot read CREDIT: it grants nothing");
  return { type: "credit", id, bytes };
}

function readEnd(id: number, payload: Bytes): Frame {
  const total = readUint(payload.subarray(0, END_TOTAL_BYTES));
  const rest = payload.subarray(END_TOTAL_BYTES);
  if (rest.length === 0) return { type: "end", id, total };
  if (rest.length < CLOSE_CODE_BYTES) throw new ProtocolError("Cannot read END: half a close code");
  const code = readUint(rest.subarray(0, CLOSE_CODE_BYTES));
  return {
    type: "end",
    id,
    total,
    close: { code, reason: readText(rest.subarray(CLOSE_CODE_BYTES)) },
  };
}

function readText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ProtocolError("Cannot read END: reason is not UTF-8", { cause });
  }
}
