/**
 * One HTTP exchange or WebSocket: two halves, each with its own end.
 *
 *   sending     head ----> open ----> ending ----> ended        an opener starts in `open`
 *   receiving   head ----> open -----------------> ended        an acceptor starts in `open`
 *
 * `head` is an acceptor that has not answered yet, and an opener that waits for the answer. The stream is over when
 * both halves have ended, or at once by RESET from either side; the mux then forgets it.
 */
import { ProtocolError, StreamError } from "./errors.ts";
import { ReceiveWindow, SendCredit, STREAM_GRANT_SHARE } from "./flow.ts";
import type { Frame } from "./frame.ts";
import type { SocketClose } from "./http.ts";
import { DATA_COST_BYTES, type Windows } from "./limits.ts";
import { SendQueue } from "./send_queue.ts";
import type { Urgency } from "./urgency.ts";

type Sending =
  | { readonly state: "head" }
  | { readonly state: "open" }
  | { readonly state: "ending"; readonly close?: SocketClose | undefined }
  | { readonly state: "ended" };

type Receiving = "head" | "open" | "ended";

/** A stream as the mux keeps it. Every method that takes a frame throws a ProtocolError for an illegal one. */
export class Stream {
  readonly queue = new SendQueue();
  readonly credit: SendCredit;
  readonly window: ReceiveWindow;
  /** The class in which it sends. */
  urgency: Urgency;
  /** The writer was asked to pause and waits to hear that it may go on. */
  paused = false;
  /** When an opener last moved: opened, wrote or ended. In ms of the mux's caller. */
  waitsSince: number;
  #sending: Sending;
  #receiving: Receiving;
  #received = 0;
  /** Delivered and not consumed: payload, and what the frames that it came in cost. */
  #held = { payload: 0, frames: 0 };

  constructor(
    readonly id: number,
    options: {
      opener: boolean;
      urgency: Urgency;
      send: Windows;
      receive: Windows;
      openedAt: number;
    },
  ) {
    this.urgency = options.urgency;
    this.credit = new SendCredit(options.send.stream);
    this.window = new ReceiveWindow(options.receive.stream, STREAM_GRANT_SHARE);
    this.#sending = { state: options.opener ? "open" : "head" };
    this.#receiving = options.opener ? "head" : "open";
    this.waitsSince = options.openedAt;
  }

  get waitsForHead(): boolean {
    return this.#receiving === "head";
  }

  get over(): boolean {
    return this.#sending.state === "ended" && this.#receiving === "ended";
  }

  /** Bytes that a forgotten stream still owes to the connection's window. */
  get unconsumed(): number {
    return this.#held.payload + this.#held.frames;
  }

  /* ---- sending ------------------------------------------------------------------------------------------ */

  /** The acceptor answers. */
  respond(): void {
    if (this.#sending.state !== "head") {
      throw new TypeError(`Cannot answer stream ${this.id}: answered before`);
    }
    this.#sending = { state: "open" };
  }

  write(bytes: Uint8Array, message: { text: boolean; last: boolean } | undefined): void {
    if (this.#sending.state !== "open") {
      throw new TypeError(
        `Cannot write to stream ${this.id}: its sending half is "${this.#sending.state}"`,
      );
    }
    this.queue.push(bytes, message);
  }

  end(close: SocketClose | undefined): void {
    if (this.#sending.state !== "open") {
      throw new TypeError(
        `Cannot end stream ${this.id}: its sending half is "${this.#sending.state}"`,
      );
    }
    this.#sending = { state: "ending", close };
  }

  /** The next frame to send within the connection's credit, or undefined while there is none. */
  nextFrame(connectionCredit: number): Frame | undefined {
    if (this.queue.empty) return this.#endFrame();
    const frame = this.queue.cut(this.id, Math.min(connectionCredit, this.credit.available));
    if (frame !== undefined) this.credit.spend(frame.bytes.length + DATA_COST_BYTES);
    return frame;
  }

  /** Whether `nextFrame` would give one. */
  ready(connectionCredit: number): boolean {
    if (this.queue.empty) return this.#sending.state === "ending";
    return Math.min(connectionCredit, this.credit.available) > DATA_COST_BYTES;
  }

  #endFrame(): Frame | undefined {
    if (this.#sending.state !== "ending") return undefined;
    const { close } = this.#sending;
    this.#sending = { state: "ended" };
    const end = { type: "end", id: this.id, total: this.queue.sent } as const;
    return close === undefined ? end : { ...end, close };
  }

  /* ---- receiving ---------------------------------------------------------------------------------------- */

  takeHead(): void {
    if (this.#receiving !== "head") {
      throw new ProtocolError(`Cannot take HEAD: stream ${this.id} has one`);
    }
    this.#receiving = "open";
  }

  takeData(payload: number): void {
    if (this.#receiving !== "open") {
      throw new ProtocolError(`Cannot take DATA: receiving half is "${this.#receiving}"`);
    }
    this.window.take(payload + DATA_COST_BYTES);
    this.#received += payload;
    this.#held.payload += payload;
    this.#held.frames += DATA_COST_BYTES;
  }

  /** Throws a StreamError when bytes are missing: the only way in which a cut body could look whole. */
  takeEnd(total: number): void {
    if (this.#receiving !== "open") {
      throw new ProtocolError(`Cannot take END: receiving half is "${this.#receiving}"`);
    }
    if (total !== this.#received) {
      throw new StreamError(
        "protocol",
        `Cannot end stream ${this.id}: ${this.#received} of ${total} bytes came`,
      );
    }
    this.#receiving = "ended";
  }

  /** The consumer took payload; gives the bytes that this frees. Frames count as taken with the last payload. */
  consume(payload: number): number {
    if (payload > this.#held.payload) {
      throw new RangeError(
        `Cannot consume ${payload} bytes of stream ${this.id}: ${this.#held.payload} delivered`,
      );
    }
    this.#held.payload -= payload;
    const frames = this.#held.payload === 0 ? this.#held.frames : 0;
    this.#held.frames -= frames;
    this.window.release(payload + frames);
    return payload + frames;
  }
}
