/**
 * Credit: who may send how much, for one stream or for the connection. Counted in bytes of payload and
 * `DATA_COST_BYTES` a frame, so that a flood of empty messages runs dry like any other.
 */
import { ProtocolError } from "./errors.ts";

/** A CREDIT may raise the sum to this at most (31 bits, as HTTP/2 has it): past it the peer counts wrongly. */
const MAX_CREDIT = 2 ** 31 - 1;

/**
 * Share of the window that is given back at once: smaller would cost frames, larger would stall the sender. The
 * connection's is small, because paused streams may hold most of it: what goes round among the others must be enough
 * for a grant, or they stand still as well.
 */
export const STREAM_GRANT_SHARE = 4;
export const CONNECTION_GRANT_SHARE = 64;

/** What we may still send. */
export class SendCredit {
  #available: number;

  constructor(window: number) {
    this.#available = window;
  }

  get available(): number {
    return this.#available;
  }

  /** Takes what a frame costs. The caller looked at `available` before. */
  spend(bytes: number): void {
    this.#available -= bytes;
  }

  /** The peer grants more. Throws a ProtocolError when the sum cannot be right. */
  add(bytes: number): void {
    if (this.#available + bytes > MAX_CREDIT) {
      throw new ProtocolError("Cannot take CREDIT: sum above 2^31");
    }
    this.#available += bytes;
  }
}

/** What the peer may still send, and what we owe it. */
export class ReceiveWindow {
  readonly #window: number;
  readonly #threshold: number;
  #available: number;
  #owed = 0;

  constructor(window: number, grantShare: number) {
    this.#window = window;
    this.#threshold = window / grantShare;
    this.#available = window;
  }

  /** A frame arrived. Throws a ProtocolError when the peer had no credit for it. */
  take(bytes: number): void {
    if (bytes > this.#available) throw new ProtocolError("Cannot take DATA: sent without credit");
    this.#available -= bytes;
  }

  /** Bytes that came and that the consumer is not done with. */
  get held(): number {
    return this.#window - this.#available - this.#owed;
  }

  /** The consumer is done with this many bytes. */
  release(bytes: number): void {
    this.#owed += bytes;
  }

  /** Bytes to grant now, or 0 while it is too little to be worth a frame. */
  grant(): number {
    if (this.#owed < this.#threshold) return 0;
    const granted = this.#owed;
    this.#owed = 0;
    this.#available += granted;
    return granted;
  }
}
