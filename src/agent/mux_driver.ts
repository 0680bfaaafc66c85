/**
 * Drives one `Mux` over the bulk channel: take one input, drain `poll`, set one timer. The agent's twin of the
 * browser's `web/pump/channel_driver.ts`. It knows no services: what happens on streams goes to its listener.
 */
import type { Bytes } from "../lib/bytes.ts";
import { Mux, type MuxEvent } from "../protocol/mux.ts";
import { HELD_HIGH_BYTES, HELD_LOW_BYTES } from "./limits.ts";
import type { Channel } from "./seams.ts";

/** What a driver tells its owner. `closed` comes once, and not after `close()`. */
export interface MuxListener {
  event(event: MuxEvent): void;
  closed(reason: "channel-closed" | "protocol", error?: Error): void;
}

/** Makes one call on the mux and sends what comes of it. */
export type RunMux = <T>(call: (mux: Mux, now: number) => T) => T;

/** The loop between the bulk channel and its mux. */
export class MuxDriver {
  readonly #channel: Channel;
  readonly #listener: MuxListener;
  readonly #mux = new Mux({ role: "acceptor" });
  #state: "opening" | "open" | "closed" = "opening";
  #draining = false;
  #isPaused = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(channel: Channel, listener: MuxListener) {
    this.#channel = channel;
    this.#listener = listener;
  }

  /** Takes the channel's events over. Call once, in the task in which the channel was made. */
  start(): void {
    this.#channel.listen({
      open: () => {
        if (this.#state === "opening") this.#state = "open";
        this.#drain();
      },
      message: (bytes) => this.#take(bytes),
      low: () => this.#drain(),
      close: () => this.#stop("channel-closed"),
    });
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#mux.size;
  }

  readonly run: RunMux = (call) => {
    try {
      return call(this.#mux, performance.now());
    } finally {
      this.#drain();
    }
  };

  /** Ends it without a word to the listener. */
  close(): void {
    this.#state = "closed";
    clearTimeout(this.#timer);
  }

  #take(bytes: Bytes): void {
    if (this.#state === "closed") return;
    try {
      this.run((mux, now) => mux.receive(now, bytes));
    } catch (error) {
      // Any other error is our own defect. It ends this session as well, and not the process: handlers may not throw.
      this.#stop("protocol", error instanceof Error ? error : undefined);
    }
  }

  /** A listener may call `run` while it is told of an event: the loop that is under way goes on with what that adds. */
  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    try {
      while (this.#state !== "closed" && this.#step());
      this.#setPace();
    } finally {
      this.#draining = false;
    }
  }

  #step(): boolean {
    const room = this.#state === "open" ? this.#channel.room : 0;
    const output = this.#mux.poll(room);
    if (output === undefined) return false;
    if (output.type === "event") this.#listener.event(output.event);
    else if (output.type === "transmit") this.#channel.send(output.bytes);
    else this.#setTimer(output.at);
    return true;
  }

  /** Services that read slower than the browser writes fill this end: then the transport takes less. */
  #setPace(): void {
    const { held } = this.#mux;
    if (!this.#isPaused && held > HELD_HIGH_BYTES) {
      this.#isPaused = true;
      this.#channel.pause();
    } else if (this.#isPaused && held < HELD_LOW_BYTES) {
      this.#isPaused = false;
      this.#channel.resume();
    }
  }

  #setTimer(at: number): void {
    clearTimeout(this.#timer);
    if (at === Infinity) return;
    const delay = Math.max(0, at - performance.now());
    this.#timer = setTimeout(() => this.run((mux, now) => mux.tick(now)), delay);
  }

  #stop(reason: "channel-closed" | "protocol", error?: Error): void {
    if (this.#state === "closed") return;
    this.close();
    this.#listener.closed(reason, error);
  }
}
