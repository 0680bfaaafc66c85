/**
 * Many streams on one channel, without I/O: bytes, calls and time go in, an ordered list of outputs comes out. The
 * agent (`acceptor`) and the browser's pump (`opener`) drive the same code; each driver is one loop: make one call,
 * drain `poll`, set one timer.
 *
 *    channel --receive--> Mux --poll: event-----> exchange, WebSocket
 *    channel <--poll: transmit-- Mux <--open, respond, write, end, reset, consumed-- exchange, WebSocket
 *
 * What leaves next is decided as late as possible: `poll(room)` is told how many bytes the channel takes now, and
 * whatever is not urgent stays here, where something more urgent can still overtake it. Not here: what a stream means,
 * who may open it, and the channel's life. A ProtocolError out of `receive` means that the connection must end.
 */
import { type Bytes, concat } from "../lib/bytes.ts";
import {
  ProtocolError,
  STREAM_CODES,
  type StreamCode,
  streamCodeName,
  StreamError,
} from "./errors.ts";
import { CONNECTION_GRANT_SHARE, ReceiveWindow, SendCredit } from "./flow.ts";
import { encodeFrame, type Frame, FrameParser } from "./frame.ts";
import {
  decodeRequestHead,
  decodeResponseHead,
  encodeRequestHead,
  encodeResponseHead,
} from "./head.ts";
import type { RequestHead, ResponseHead, SocketClose } from "./http.ts";
import {
  DATA_COST_BYTES,
  HEAD_LIMIT_MS,
  MAX_STREAMS,
  MAX_WAITING_BYTES,
  MAX_WAITING_FRAMES,
  MESSAGE_BYTES,
  SEND_TOTAL_HIGH_BYTES,
  SEND_TOTAL_MAX_BYTES,
  type Windows,
  WINDOWS_TO_ACCEPTOR,
  WINDOWS_TO_OPENER,
} from "./limits.ts";
import { Scheduler } from "./scheduler.ts";
import { Stream } from "./stream.ts";
import { urgencyOf, urgencyOfAnswer } from "./urgency.ts";

/** What happened on a stream. After `reset`, or after both halves ended, the id means nothing any more. */
export type MuxEvent =
  | { readonly type: "open"; readonly id: number; readonly head: RequestHead }
  | { readonly type: "head"; readonly id: number; readonly head: ResponseHead }
  | {
    readonly type: "data";
    readonly id: number;
    /** A view into the received message: copy it before you transfer it. */
    readonly bytes: Bytes;
    readonly text: boolean;
    readonly last: boolean;
  }
  | { readonly type: "end"; readonly id: number; readonly close?: SocketClose | undefined }
  | { readonly type: "reset"; readonly id: number; readonly code: StreamCode }
  | { readonly type: "writable"; readonly id: number };

export type MuxOutput =
  | { readonly type: "event"; readonly event: MuxEvent }
  | { readonly type: "transmit"; readonly bytes: Bytes }
  /** Call `tick` at this time, in ms of the caller's clock; Infinity takes an earlier one back. */
  | { readonly type: "deadline"; readonly at: number };

/** The engine of one mux channel. Drain `poll` after every call. */
export class Mux {
  readonly #opener: boolean;
  readonly #send: Windows;
  readonly #receive: Windows;
  readonly #parser = new FrameParser();
  readonly #streams = new Map<number, Stream>();
  readonly #scheduler = new Scheduler();
  readonly #credit: SendCredit;
  readonly #window: ReceiveWindow;
  /** OPEN, HEAD, CREDIT and RESET: they leave before any DATA. */
  readonly #waiting: Bytes[] = [];
  #waitingBytes = 0;
  /** Payload that waits on all streams together. */
  #queued = 0;
  readonly #events: MuxEvent[] = [];
  #lastId = 0;
  #deadline = Infinity;
  #announced = Infinity;

  constructor(options: { role: "opener" | "acceptor" }) {
    this.#opener = options.role === "opener";
    this.#send = this.#opener ? WINDOWS_TO_ACCEPTOR : WINDOWS_TO_OPENER;
    this.#receive = this.#opener ? WINDOWS_TO_OPENER : WINDOWS_TO_ACCEPTOR;
    this.#credit = new SendCredit(this.#send.connection);
    this.#window = new ReceiveWindow(this.#receive.connection, CONNECTION_GRANT_SHARE);
  }

  /** Streams that are open. */
  get size(): number {
    return this.#streams.size;
  }

  /** Bytes of all streams that came and were not consumed, as DATA frames cost them. */
  get held(): number {
    return this.#window.held;
  }

  /** Takes bytes of the channel. Throws a ProtocolError when the peer broke a rule: the connection must end. */
  receive(now: number, bytes: Uint8Array): void {
    this.#parser.push(bytes);
    for (let frame = this.#parser.next(); frame !== undefined; frame = this.#parser.next()) {
      this.#take(now, frame);
    }
  }

  /** Time passed: streams that waited too long for their head fail. */
  tick(now: number): void {
    if (now < this.#deadline) return;
    for (const stream of this.#streams.values()) {
      if (stream.waitsForHead && stream.waitsSince + HEAD_LIMIT_MS <= now) {
        this.#fail(stream, "upstream_timeout");
      }
    }
    this.#findDeadline();
  }

  /** Opens a stream (opener only). Throws a StreamError with code `limit` when too many are open or the head too long. */
  open(now: number, head: RequestHead): number {
    if (this.#streams.size >= MAX_STREAMS) {
      throw new StreamError("limit", `Cannot open a stream: ${MAX_STREAMS} are open`);
    }
    if (this.#waiting.length >= MAX_WAITING_FRAMES / 2) { // the other half is for RESETs of what is open
      throw new StreamError("limit", "Cannot open a stream: the channel does not keep up");
    }
    const frame = encodeFrame({
      type: "open",
      id: this.#lastId + 1,
      head: encodeRequestHead(head),
    });
    const stream = this.#add(now, ++this.#lastId, head);
    this.#enqueue(frame);
    this.#deadline = Math.min(this.#deadline, now + HEAD_LIMIT_MS);
    return stream.id;
  }

  /** Answers a stream (acceptor only). */
  respond(_now: number, id: number, head: ResponseHead): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return; // reset meanwhile; its event is on the way
    const frame = encodeFrame({ type: "head", id, head: encodeResponseHead(head) });
    stream.respond();
    stream.urgency = urgencyOfAnswer(stream.urgency, head);
    this.#scheduler.move(stream);
    this.#enqueue(frame);
  }

  /**
   * Queues bytes; `message` marks parts of WebSocket messages. False asks the writer to wait for `writable`.
   * Silent for a stream that was reset meanwhile: the event is on the way.
   */
  write(
    now: number,
    id: number,
    bytes: Uint8Array,
    message?: { text: boolean; last: boolean },
  ): boolean {
    const stream = this.#streams.get(id);
    if (stream === undefined) return true;
    if (this.#queued + bytes.length > SEND_TOTAL_MAX_BYTES) {
      throw new StreamError("limit", `Cannot queue ${bytes.length} bytes: ${this.#queued} wait`);
    }
    stream.write(bytes, message);
    stream.waitsSince = now;
    this.#queued += bytes.length;
    const crowded = this.#queued >= SEND_TOTAL_HIGH_BYTES && !stream.queue.empty;
    stream.paused ||= stream.queue.high || crowded;
    return !stream.paused;
  }

  /** Ends our half once everything queued has left. */
  end(now: number, id: number, close?: SocketClose): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.end(close);
    stream.waitsSince = now;
  }

  /** Gives the stream up, both halves, and tells the peer why. */
  reset(_now: number, id: number, code: StreamCode): void {
    const stream = this.#streams.get(id);
    if (stream !== undefined) this.#drop(stream, code);
  }

  /** The consumer took this much payload of a stream: the peer gets new credit. */
  consumed(_now: number, id: number, payload: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return; // its bytes went back to the connection when it was forgotten
    const freed = stream.consume(payload);
    const bytes = stream.window.grant();
    if (bytes > 0) this.#enqueue(encodeFrame({ type: "credit", id, bytes }));
    if (!this.#opener) this.#releaseConnection(freed);
  }

  /**
   * The next output. `room` is how many bytes the channel takes now; nothing is transmitted without room, and a
   * message may be larger than a small one (at most by one frame).
   */
  poll(room: number): MuxOutput | undefined {
    const event = this.#events.shift();
    if (event !== undefined) return { type: "event", event };
    const bytes = room > 0 ? this.#nextMessage() : undefined;
    if (bytes !== undefined) return { type: "transmit", bytes };
    if (this.#events.length > 0) return this.poll(room); // sending made a stream writable
    if (this.#deadline === this.#announced) return undefined;
    this.#announced = this.#deadline;
    return { type: "deadline", at: this.#deadline };
  }

  /* ---- in ----------------------------------------------------------------------------------------------- */

  #take(now: number, frame: Frame): void {
    if (frame.type === "open" || frame.type === "data") this.#checkThatPeerReads();
    if (frame.type === "open") return this.#takeOpen(now, frame);
    if (frame.type === "credit" && frame.id === 0) return this.#credit.add(frame.bytes);
    const stream = this.#streams.get(frame.id);
    if (stream === undefined) return this.#takeStale(frame);
    switch (frame.type) {
      case "head":
        return this.#takeHead(stream, frame.head);
      case "data":
        return this.#takeData(stream, frame);
      case "credit":
        return stream.credit.add(frame.bytes);
      case "end":
        return this.#takeEnd(stream, frame);
      case "reset":
        this.#forget(stream);
        this.#events.push({ type: "reset", id: stream.id, code: streamCodeName(frame.code) });
    }
  }

  #takeOpen(now: number, frame: Frame & { type: "open" }): void {
    if (this.#opener) throw new ProtocolError("Cannot take OPEN: only the browser opens streams");
    if (frame.id !== this.#lastId + 1) {
      throw new ProtocolError(`Cannot take OPEN: id ${frame.id} after ${this.#lastId}`);
    }
    this.#lastId = frame.id;
    const head = decodeRequestHead(frame.head);
    if (this.#streams.size >= MAX_STREAMS || this.#waitingBytes >= MAX_WAITING_BYTES) {
      return this.#refuse(frame.id, "limit");
    }
    this.#add(now, frame.id, head);
    this.#events.push({ type: "open", id: frame.id, head });
  }

  #takeHead(stream: Stream, bytes: Bytes): void {
    stream.takeHead();
    this.#events.push({ type: "head", id: stream.id, head: decodeResponseHead(bytes) });
    this.#findDeadline();
  }

  #takeData(stream: Stream, frame: Frame & { type: "data" }): void {
    const cost = frame.bytes.length + DATA_COST_BYTES;
    this.#window.take(cost);
    stream.takeData(frame.bytes.length);
    this.#events.push(frame);
    if (this.#opener) this.#releaseConnection(cost);
  }

  /**
   * A browser gives the connection's credit back as bytes come, so that paused pages of one service cannot stop
   * another's; its memory is bounded by the streams' windows. A device gives it back as they are consumed: there the
   * connection's window is the bound.
   */
  #releaseConnection(cost: number): void {
    this.#window.release(cost);
    this.#grantConnection();
  }

  #takeEnd(stream: Stream, frame: Frame & { type: "end" }): void {
    try {
      stream.takeEnd(frame.total);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      return this.#fail(stream, error.code);
    }
    this.#events.push({ type: "end", id: stream.id, close: frame.close });
    if (stream.over) this.#forget(stream);
  }

  /** Frames that were on their way when we reset a stream are dropped; DATA among them gives its credit back. */
  #takeStale(frame: Frame): void {
    if (frame.id > this.#lastId) {
      throw new ProtocolError(`Cannot take a frame: stream ${frame.id} was never opened`);
    }
    if (frame.type !== "data") return;
    const cost = frame.bytes.length + DATA_COST_BYTES;
    this.#window.take(cost);
    this.#releaseConnection(cost);
  }

  /* ---- out ---------------------------------------------------------------------------------------------- */

  #nextMessage(): Bytes | undefined {
    const frames: Bytes[] = [];
    let length = 0;
    while (length < MESSAGE_BYTES) {
      const frame = this.#nextWaiting() ?? this.#nextStreamFrame();
      if (frame === undefined) break;
      frames.push(frame);
      length += frame.length;
    }
    if (frames.length <= 1) return frames[0];
    return concat(...frames);
  }

  #nextStreamFrame(): Bytes | undefined {
    const stream = this.#scheduler.next(this.#credit.available);
    const frame = stream?.nextFrame(this.#credit.available);
    if (stream === undefined || frame === undefined) return undefined;
    const cost = DATA_COST_BYTES + (frame.type === "data" ? frame.bytes.length : 0);
    this.#scheduler.sent(cost);
    if (frame.type === "data") {
      this.#queued -= frame.bytes.length;
      this.#credit.spend(cost);
    }
    if (stream.paused && stream.queue.low) {
      stream.paused = false;
      this.#events.push({ type: "writable", id: stream.id });
    }
    if (stream.over) this.#forget(stream);
    return encodeFrame(frame);
  }

  #grantConnection(): void {
    const bytes = this.#window.grant();
    if (bytes > 0) this.#enqueue(encodeFrame({ type: "credit", id: 0, bytes }));
  }

  #nextWaiting(): Bytes | undefined {
    const frame = this.#waiting.shift();
    this.#waitingBytes -= frame?.length ?? 0;
    return frame;
  }

  #enqueue(frame: Bytes): void {
    this.#waiting.push(frame);
    this.#waitingBytes += frame.length;
  }

  /**
   * Every OPEN and DATA makes us answer sooner or later. This is the one place that bounds what waits to leave: our own
   * calls come after some frame of the peer, and must not be what fails.
   */
  #checkThatPeerReads(): void {
    if (this.#waiting.length < MAX_WAITING_FRAMES) return;
    throw new ProtocolError("Cannot take another frame: the peer asks and does not read");
  }

  #refuse(id: number, code: StreamCode): void {
    this.#enqueue(encodeFrame({ type: "reset", id, code: STREAM_CODES[code] }));
  }

  /* ---- streams ------------------------------------------------------------------------------------------ */

  #add(now: number, id: number, head: RequestHead): Stream {
    const stream = new Stream(id, {
      opener: this.#opener,
      urgency: urgencyOf(head),
      send: this.#send,
      receive: this.#receive,
      openedAt: now,
    });
    this.#streams.set(id, stream);
    this.#scheduler.add(stream);
    return stream;
  }

  /** Our own decision to end a stream early: the user of this mux hears of it as well. */
  #fail(stream: Stream, code: StreamCode): void {
    this.#drop(stream, code);
    this.#events.push({ type: "reset", id: stream.id, code });
  }

  #drop(stream: Stream, code: StreamCode): void {
    this.#forget(stream);
    this.#refuse(stream.id, code);
  }

  #forget(stream: Stream): void {
    this.#streams.delete(stream.id);
    this.#queued -= stream.queue.bytes;
    this.#scheduler.remove(stream);
    if (!this.#opener) this.#releaseConnection(stream.unconsumed);
    this.#findDeadline();
  }

  #findDeadline(): void {
    let deadline = Infinity;
    for (const stream of this.#streams.values()) {
      if (stream.waitsForHead) deadline = Math.min(deadline, stream.waitsSince + HEAD_LIMIT_MS);
    }
    this.#deadline = deadline;
  }
}
