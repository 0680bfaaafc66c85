/**
 * Data channels over one association: negotiated, reliable, ordered, binary (DESIGN 8). Queues
 * are the association's, one for each stream: `bufferedAmount` is true, and lower ids go first,
 * `control` before `bulk`.
 */
import type { Bytes } from "../lib/bytes.ts";
import { SctpDriver, type SctpPacket } from "./sctp_driver.ts";
import type { RTCSctpTransport } from "werift";

/**
 * Time whose bytes are worth having in a channel, in ms: more than the pacer lets go at once and
 * timers are late, so that the path never waits for the owner. All that is written later waits
 * behind them: on virtual paths of 10 to 300 Mbit/s this is as fast as 256 KiB, and a message of 1
 * KiB waits 27 ms at 10 Mbit/s instead of 200 (95 of 100).
 */
const AHEAD_MS = 6;
/** The same in bytes, at least: a message; and at most. */
export const MIN_AHEAD_BYTES = 16_384;
export const MAX_AHEAD_BYTES = 262_144;
/** `low` is called at half of it. */
const LOW_SHARE = 1 / 2;
/**
 * Largest message, in bytes: what browsers announce, and what our descriptions say
 * (protocol/sdp.ts).
 */
export const MAX_MESSAGE_BYTES = 262_144;
/**
 * Bytes that may wait in one channel. Owners stop far below it at their own mark; who does not
 * would fill the memory.
 */
export const MAX_BUFFERED_BYTES = 16 << 20;
/** Channels of one connection; two are in use. */
const MAX_CHANNELS = 16;
/**
 * Bytes kept for a channel that this end has not created yet. The browser may finish the
 * confirmation first and write on `bulk` while we still verify; nobody has been let in by then, so
 * it is little.
 */
export const MAX_EARLY_BYTES = 65_536;

/** What a channel tells its owner. None of them may throw. */
export interface ChannelHandlers {
  open(): void;
  message(bytes: Bytes): void;
  /** `bufferedAmount` fell so far that there is room again. */
  low(): void;
  /** Told once, whatever ended it. */
  close(): void;
}

/** What the set of channels does for each of them. */
interface Outlet {
  send(id: number, bytes: Uint8Array): void;
  bufferedAmount(id: number): number;
  /** Bytes per ms that the path carries; 0 while unknown. */
  bandwidth(): number;
  pause(id: number): void;
  resume(id: number): void;
  /** Messages that came for the channel before it had an owner. */
  early(id: number): Bytes[];
}

/** One channel of a connection. Made by `Channels.create`. */
export class DataChannel {
  readonly id: number;
  readonly label: string;
  readonly #outlet: Outlet;
  #above = false;
  #handlers: ChannelHandlers | undefined;
  #state: "connecting" | "open" | "closed" = "connecting";

  constructor(id: number, options: { readonly label: string; readonly outlet: Outlet }) {
    this.id = id;
    this.label = options.label;
    this.#outlet = options.outlet;
  }

  /** Sets the owner. What happened before is told now. */
  listen(handlers: ChannelHandlers): void {
    this.#handlers = handlers;
    if (this.#state === "connecting") return;
    if (this.#state === "closed") return handlers.close();
    handlers.open();
    for (const bytes of this.#outlet.early(this.id)) handlers.message(bytes);
  }

  get hasOwner(): boolean {
    return this.#handlers !== undefined;
  }

  /** Bytes handed to `send` that have not left for the network. */
  get bufferedAmount(): number {
    return this.#state === "closed" ? 0 : this.#outlet.bufferedAmount(this.id);
  }

  /**
   * Bytes worth handing over now: so many that the path does not wait, and no more. Not above 0
   * when the owner should wait for `low`.
   */
  get room(): number {
    return this.#ahead() - this.bufferedAmount;
  }

  /**
   * Makes the other end slower: what is delivered from now on keeps its place in the receive window
   * until `resume`. All channels share that window, so that it must not close for long.
   */
  pause(): void {
    this.#outlet.pause(this.id);
  }

  resume(): void {
    this.#outlet.resume(this.id);
  }

  /**
   * Queues one message; ignored after close. The bytes must not change afterwards: they are not
   * copied. Throws a RangeError for an empty message, one above `MAX_MESSAGE_BYTES`, or one above
   * `MAX_BUFFERED_BYTES`.
   */
  send(bytes: Uint8Array): void {
    if (bytes.length === 0 || bytes.length > MAX_MESSAGE_BYTES) {
      throw new RangeError(`Cannot send message: it has ${bytes.length} bytes`);
    }
    if (this.#state === "closed") return;
    const waiting = this.bufferedAmount;
    if (waiting + bytes.length > MAX_BUFFERED_BYTES) {
      throw new RangeError(`Cannot send message: ${waiting} bytes wait already`);
    }
    this.#above ||= waiting + bytes.length > MIN_AHEAD_BYTES * LOW_SHARE;
    this.#outlet.send(this.id, bytes);
  }

  open(): void {
    if (this.#state !== "connecting") return;
    this.#state = "open";
    this.#handlers?.open();
  }

  deliver(bytes: Bytes): void {
    if (this.#state === "open") this.#handlers?.message(bytes);
  }

  /** Tells the owner when the amount has fallen to the mark since it was above. */
  tellLow(): void {
    if (!this.#above || this.bufferedAmount > this.#ahead() * LOW_SHARE) return;
    this.#above = false;
    if (this.#state === "open") this.#handlers?.low();
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#handlers?.close();
  }

  #ahead(): number {
    const bytes = this.#outlet.bandwidth() * AHEAD_MS;
    return Math.min(Math.max(bytes, MIN_AHEAD_BYTES), MAX_AHEAD_BYTES);
  }
}

/** What channels need of the rest of the connection. None of them may throw. */
export interface ChannelsOptions {
  /** Takes an SCTP packet to the other end. */
  packet(packet: SctpPacket): void;
  /** The association ended; told once. */
  ended(): void;
}

/** All channels of one connection, and the association that they share. */
export class Channels {
  readonly #driver: SctpDriver;
  readonly #channels: DataChannel[] = []; // ascending ids
  #early: { readonly id: number; readonly bytes: Bytes }[] = [];
  #earlyBytes = 0;
  #state: "new" | "established" | "closed" = "new";

  constructor(transport: RTCSctpTransport, options: ChannelsOptions) {
    this.#driver = new SctpDriver(transport, {
      packet: options.packet,
      established: () => this.#open(),
      message: (id, bytes) => this.#deliver(id, bytes),
      progress: () => {
        for (const channel of this.#channels) channel.tellLow();
      },
      closed: () => {
        this.#close();
        options.ended();
      },
    });
  }

  get stats(): SctpDriver["stats"] {
    return this.#driver.stats;
  }

  /** Takes what DTLS has opened. Never throws. */
  receive(packet: Uint8Array): void {
    this.#driver.receive(packet);
  }

  /**
   * Creates the channel with this id. Throws an Error when it exists or when there are too many.
   */
  create(id: number, label: string): DataChannel {
    if (this.#find(id) !== undefined || this.#channels.length === MAX_CHANNELS) {
      throw new Error(`Cannot create channel ${id}: it exists, or there are too many`);
    }
    const outlet: Outlet = {
      send: (id, bytes) => this.#driver.send(id, bytes),
      bufferedAmount: (id) => this.#driver.bufferedAmount(id),
      bandwidth: () => this.#driver.bandwidth,
      pause: (id) => this.#driver.pause(id),
      resume: (id) => this.#driver.resume(id),
      early: (id) => this.#takeEarly(id),
    };
    const channel = new DataChannel(id, { label, outlet });
    this.#channels.push(channel);
    this.#channels.sort((a, b) => a.id - b.id);
    if (this.#state === "established") channel.open();
    if (this.#state === "closed") channel.close();
    return channel;
  }

  /** Something came by the path: what waits for an answer that is overdue is sent again now. */
  pathAlive(): void {
    this.#driver.pathAlive();
  }

  /** Packets go another way from now on. */
  pathChanged(): void {
    this.#driver.pathChanged();
  }

  /** Ends the association and with it all channels. */
  close(): void {
    this.#driver.close();
  }

  #find(id: number): DataChannel | undefined {
    return this.#channels.find((channel) => channel.id === id);
  }

  #deliver(id: number, bytes: Bytes): void {
    const channel = this.#find(id);
    if (channel?.hasOwner) return channel.deliver(bytes);
    this.#early.push({ id, bytes });
    this.#earlyBytes += bytes.length;
    if (this.#earlyBytes > MAX_EARLY_BYTES) this.close();
  }

  #takeEarly(id: number): Bytes[] {
    const taken = this.#early.filter((message) => message.id === id).map(({ bytes }) => bytes);
    this.#early = this.#early.filter((message) => message.id !== id);
    this.#earlyBytes -= taken.reduce((sum, bytes) => sum + bytes.length, 0);
    return taken;
  }

  #open(): void {
    this.#state = "established";
    for (const channel of [...this.#channels]) channel.open();
  }

  #close(): void {
    this.#state = "closed";
    this.#early = [];
    for (const channel of [...this.#channels]) channel.close();
  }
}
