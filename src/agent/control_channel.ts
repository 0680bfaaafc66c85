/**
 * Channel 0, `control`: messages in and out, one at a time and in order, each with an owner that catches.
 *
 *   waiting --open--> open --a message that cannot be taken--> deaf --close--> closed
 *
 * A deaf channel takes nothing more, but a goodbye can still leave.
 */
import type { Bytes } from "../lib/bytes.ts";
import type { ControlMessage } from "../protocol/control.ts";
import { decodeControl, encodeControl } from "../protocol/control_codec.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { MAX_CONTROL_BYTES } from "../protocol/limits.ts";
import { MAX_CONTROL_BUFFERED_BYTES, MAX_WAITING_MESSAGES } from "./limits.ts";
import type { Channel } from "./seams.ts";

/** How long what was sent may take to leave when the channel closes, in ms: some round trips of a bad line. */
const LEAVE_LIMIT_MS = 500;
/** ms between two looks at that. */
const LEAVE_LOOK_MS = 10;

/** What the control channel tells its owner. */
export interface ControlListener {
  /** Takes one message; the next one waits until this is done. A rejection ends the session. */
  message(message: ControlMessage): Promise<void>;
  /** Told once: the channel closed (undefined), or the message that could not be taken. */
  ended(error: unknown): void;
}

/** The typed end of a data channel. */
export class ControlChannel {
  readonly #channel: Channel;
  readonly #listener: ControlListener;
  readonly #opened = Promise.withResolvers<void>();
  #state: "waiting" | "open" | "deaf" | "closed" = "waiting";
  #inbox: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(channel: Channel, listener: ControlListener) {
    this.#channel = channel;
    this.#listener = listener;
  }

  /** Resolves when the channel is open; stays pending when it never opens, so the caller sets the limit. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  start(): void {
    this.#channel.listen({
      open: () => this.#open(),
      message: (bytes) => this.#take(bytes),
      low: () => {},
      close: () => this.#end("closed", undefined),
    });
  }

  send(message: ControlMessage): void {
    if (this.#state !== "open" && this.#state !== "deaf") return;
    if (this.#channel.bufferedAmount > MAX_CONTROL_BUFFERED_BYTES) {
      return this.#end("deaf", new ProtocolError("Cannot answer: the browser does not read"));
    }
    this.#channel.send(encodeControl(message));
  }

  /**
   * Nothing more is taken or sent, and nothing more is told. Resolves when what was sent has left, within a limit: a
   * goodbye must not get lost behind a download.
   */
  async close(): Promise<void> {
    this.#state = "closed";
    await Promise.resolve(); // channels hand over what was sent when the caller is done
    const from = performance.now();
    while (this.#channel.bufferedAmount > 0 && performance.now() - from < LEAVE_LIMIT_MS) {
      await new Promise((resolve) => setTimeout(resolve, LEAVE_LOOK_MS));
    }
  }

  #open(): void {
    if (this.#state !== "waiting") return;
    this.#state = "open";
    this.#opened.resolve();
  }

  #take(bytes: Bytes): void {
    if (this.#state === "deaf" || this.#state === "closed") return;
    if (bytes.length > MAX_CONTROL_BYTES) { // none of these may wait
      const error = new ProtocolError(
        `Cannot take a control message: it has ${bytes.length} bytes`,
      );
      return this.#end("deaf", error);
    }
    if (++this.#waiting > MAX_WAITING_MESSAGES) {
      return this.#end("deaf", new ProtocolError("Cannot take a control message: too many wait"));
    }
    this.#inbox = this.#inbox
      .then(() => this.#handle(bytes))
      .catch((error: unknown) => this.#end("deaf", error))
      .finally(() => this.#waiting--);
  }

  async #handle(bytes: Bytes): Promise<void> {
    if (this.#state === "open" || this.#state === "waiting") {
      await this.#listener.message(decodeControl(bytes));
    }
  }

  #end(state: "deaf" | "closed", error: unknown): void {
    if (this.#state === "deaf" || this.#state === "closed") return;
    this.#state = state;
    this.#listener.ended(error);
  }
}
