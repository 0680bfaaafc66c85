/**
 * Drives one `Mux` over one data channel: take one input, drain `poll`, set one timer. The browser's side of the loop
 * that the agent has too. It knows neither services nor ports; what happens on streams goes to its listener.
 */
import { ProtocolError } from "../../src/protocol/errors.ts";
import { CHANNEL_HIGH_BYTES, MESSAGE_BYTES } from "../../src/protocol/limits.ts";
import { Mux, type MuxEvent } from "../../src/protocol/mux.ts";

/** As much of RTCDataChannel as is used, so that tests can bring their own. */
export interface DriverChannel {
  readonly readyState: string;
  readonly bufferedAmount: number;
  binaryType: string;
  bufferedAmountLowThreshold: number;
  onopen: ((event: Event) => unknown) | null;
  onmessage: ((event: MessageEvent) => unknown) | null;
  onbufferedamountlow: ((event: Event) => unknown) | null;
  onclose: ((event: Event) => unknown) | null;
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** Why the driver stopped by itself. */
export type DriverEnd = "channel-closed" | "protocol";

/** What a driver tells its owner. `closed` comes once, and not after `close()`. */
export interface DriverListener {
  open(): void;
  event(event: MuxEvent): void;
  closed(reason: DriverEnd): void;
}

/** Below this many buffered bytes the channel asks for more: four messages, so that it never runs dry in between. */
const CHANNEL_LOW_BYTES = 4 * MESSAGE_BYTES;

/** The loop between a channel and its mux. */
export class ChannelDriver {
  readonly #channel: DriverChannel;
  readonly #listener: DriverListener;
  readonly #mux: Mux;
  #state: "running" | "closed" = "running";
  #draining = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #received = 0;
  #sent = 0;

  constructor(
    channel: DriverChannel,
    options: { role: "opener" | "acceptor"; listener: DriverListener },
  ) {
    this.#channel = channel;
    this.#listener = options.listener;
    this.#mux = new Mux({ role: options.role });
  }

  /** Takes the channel's events over. Call once, in the task in which the channel arrived. */
  start(): void {
    const channel = this.#channel;
    channel.binaryType = "arraybuffer";
    channel.bufferedAmountLowThreshold = CHANNEL_LOW_BYTES;
    channel.onopen = () => this.#opened();
    channel.onmessage = (event) => this.#take(event.data);
    channel.onbufferedamountlow = () => this.#drain();
    channel.onclose = () => this.#stop("channel-closed");
    if (channel.readyState === "open") this.#opened();
    if (channel.readyState === "closed") this.#stop("channel-closed");
  }

  /** Whether the channel takes bytes now. */
  get open(): boolean {
    return this.#state === "running" && this.#channel.readyState === "open";
  }

  get stats(): { streams: number; received: number; sent: number; buffered: number } {
    return {
      streams: this.#mux.size,
      received: this.#received,
      sent: this.#sent,
      buffered: this.#channel.bufferedAmount,
    };
  }

  /** Makes one call on the mux and sends what comes of it. Passes on what the call throws. */
  run<T>(call: (mux: Mux, now: number) => T): T {
    try {
      return call(this.#mux, performance.now());
    } finally {
      this.#drain();
    }
  }

  /** Ends it without a word to the listener. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#timer);
    const channel = this.#channel;
    channel.onopen =
      channel.onmessage =
      channel.onbufferedamountlow =
      channel.onclose =
        null;
    channel.close();
  }

  #opened(): void {
    this.#listener.open();
    this.#drain();
  }

  #take(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) return this.#stop("protocol"); // text is not of this protocol
    this.#received += data.byteLength;
    try {
      this.run((mux, now) => mux.receive(now, new Uint8Array(data)));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#stop("protocol");
    }
  }

  /** An event's listener may call `run` again: the loop that is under way goes on with what that adds. */
  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    try {
      while (this.#state === "running" && this.#step());
    } finally {
      this.#draining = false;
    }
  }

  #step(): boolean {
    const room = this.open ? CHANNEL_HIGH_BYTES - this.#channel.bufferedAmount : 0;
    const output = this.#mux.poll(room);
    if (output === undefined) return false;
    if (output.type === "event") this.#listener.event(output.event);
    else if (output.type === "deadline") this.#setTimer(output.at);
    else this.#transmit(output.bytes);
    return true;
  }

  #transmit(bytes: Uint8Array<ArrayBuffer>): void {
    this.#sent += bytes.length;
    this.#channel.send(bytes);
  }

  #setTimer(at: number): void {
    clearTimeout(this.#timer);
    if (at === Infinity) return;
    const delay = Math.max(0, at - performance.now());
    this.#timer = setTimeout(() => this.run((mux, now) => mux.tick(now)), delay);
  }

  #stop(reason: DriverEnd): void {
    if (this.#state === "closed") return;
    this.close();
    this.#listener.closed(reason);
  }
}
