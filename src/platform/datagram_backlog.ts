/**
 * Datagrams between their socket and their work. The system keeps some 90 for a socket by default
 * (212,992 bytes with their bookkeeping), Deno cannot ask for more, and browsers send lumps of that
 * size in a millisecond: so the socket is emptied first, and the work follows in slices, between
 * which it is emptied again. Measured: an upload on loopback lost 430 datagrams before, and none.
 */

/** Takes a datagram; the bytes are only there during the call. */
export type Receive = (bytes: Uint8Array, address: string, port: number) => void;

/**
 * Largest datagram that is taken, in bytes: what arrives longer is cut. A peer connection keeps to
 * the path's MTU; STUN and DTLS fit into an Ethernet frame.
 */
const MAX_DATAGRAM_BYTES = 2048;
/** A megabyte: the lump of a round trip of 50 ms at 160 Mbit/s. What exceeds it waits in the system. */
export const MAX_WAITING = 512;
/** Datagrams of one slice: half a millisecond of work, in which as many may arrive. */
const SLICE = 32;
/** Buffers kept for the next datagrams; more are let go after a lump. */
const MAX_SPARE = 64;

interface Waiting {
  readonly buffer: Uint8Array;
  readonly bytes: Uint8Array;
  readonly address: string;
  readonly port: number;
}

/** See the head of this file. */
export class Backlog {
  readonly #receive: Receive;
  readonly #failed: () => void;
  readonly #spare: Uint8Array[] = [];
  #waiting: Waiting[] = [];
  #next = 0;
  #slice: ReturnType<typeof setImmediate> | undefined;
  #hasRoom: (() => void) | undefined;

  /** `failed` is told of an error of `receive`, which ends nothing else. */
  constructor(receive: Receive, failed: () => void) {
    this.#receive = receive;
    this.#failed = failed;
  }

  /** Where the next datagram may be written. */
  buffer(): Uint8Array {
    return this.#spare.pop() ?? new Uint8Array(MAX_DATAGRAM_BYTES);
  }

  /** Takes a datagram in a buffer of `buffer()`. */
  push(datagram: Waiting): void {
    this.#waiting.push(datagram);
    this.#slice ??= setImmediate(() => this.#work());
  }

  /** Resolves when another datagram may come; undefined when it may at once. */
  room(): Promise<void> | undefined {
    if (this.#waiting.length - this.#next < MAX_WAITING) return undefined;
    return new Promise((resolve) => this.#hasRoom = resolve);
  }

  /** Forgets what waits. Nothing may be pushed afterwards. */
  close(): void {
    clearImmediate(this.#slice);
    this.#waiting = [];
    this.#next = 0;
    this.#hasRoom?.();
  }

  #work(): void {
    const waiting = this.#waiting;
    const end = this.#next + SLICE;
    while (this.#next < end) {
      const datagram = this.#waiting[this.#next];
      if (datagram === undefined) break; // the end, or closed by what came
      this.#next++;
      this.#hand(datagram);
    }
    if (waiting === this.#waiting) this.#plan();
  }

  /** What is done is cut off a lump at a time, not one by one. */
  #plan(): void {
    const isDone = this.#next === this.#waiting.length;
    if (isDone || this.#next >= MAX_WAITING) {
      this.#waiting = isDone ? [] : this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    this.#slice = isDone ? undefined : setImmediate(() => this.#work());
    this.#hasRoom?.();
    this.#hasRoom = undefined;
  }

  #hand({ buffer, bytes, address, port }: Waiting): void {
    try {
      this.#receive(bytes, address, port);
    } catch {
      this.#failed();
    }
    if (this.#spare.length < MAX_SPARE) this.#spare.push(buffer);
  }
}
