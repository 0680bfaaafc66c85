/**
 * Data channels over one association: negotiated, reliable, ordered, binary (DESIGN 8). Each keeps
 * its own queue, so that `bufferedAmount` is true and the low-water mark comes for each; lower ids
 * go first, `control` before `bulk`.
 */
import type { Bytes } from "../lib/bytes.ts";
import { Association } from "./sctp_patch.ts";
import type { RTCSctpTransport } from "werift";

/**
 * `bufferedAmount` at which `low` is called, in bytes: 5 ms of a fast connection, so that it never
 * runs dry.
 */
export const LOW_WATER_BYTES = 65_536;
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
  /** `bufferedAmount` fell to `LOW_WATER_BYTES`. */
  low(): void;
  /** Told once, whatever ended it. */
  close(): void;
}

/** What the set of channels does for each of them. */
interface Outlet {
  pump(): void;
  waitingBytes(id: number): number;
  /** Messages that came for the channel before it had an owner. */
  early(id: number): Bytes[];
}

/** One channel of a connection. Made by `Channels.create`. */
export class DataChannel {
  readonly id: number;
  readonly label: string;
  readonly #outlet: Outlet;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
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
    return this.#queuedBytes + this.#outlet.waitingBytes(this.id);
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
    if (this.#queuedBytes + bytes.length > MAX_BUFFERED_BYTES) {
      throw new RangeError(`Cannot send message: ${this.#queuedBytes} bytes wait already`);
    }
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#above ||= this.bufferedAmount > LOW_WATER_BYTES;
    this.#outlet.pump();
  }

  /** The next message to hand over, which then is no longer queued here. */
  take(): Uint8Array | undefined {
    const bytes = this.#queue.shift();
    this.#queuedBytes -= bytes?.length ?? 0;
    return bytes;
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
    if (!this.#above || this.bufferedAmount > LOW_WATER_BYTES) return;
    this.#above = false;
    if (this.#state === "open") this.#handlers?.low();
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#handlers?.close();
  }
}

/** All channels of one connection, and the way out that they share. */
export class Channels {
  readonly #association: Association;
  readonly #channels: DataChannel[] = []; // ascending ids
  #early: { readonly id: number; readonly bytes: Bytes }[] = [];
  #earlyBytes = 0;
  #state: "new" | "established" | "closed" = "new";

  constructor(transport: RTCSctpTransport, ended: () => void) {
    this.#association = new Association(transport, {
      established: () => this.#open(),
      message: (id, bytes) => this.#deliver(id, bytes),
      progress: () => this.#progress(),
      reset: (id) => this.#find(id)?.close(),
      closed: () => {
        this.#close();
        ended();
      },
    });
  }

  /**
   * Creates the channel with this id. Throws an Error when it exists or when there are too many.
   */
  create(id: number, label: string): DataChannel {
    if (this.#find(id) !== undefined || this.#channels.length === MAX_CHANNELS) {
      throw new Error(`Cannot create channel ${id}: it exists, or there are too many`);
    }
    const outlet: Outlet = {
      pump: () => this.#pump(),
      waitingBytes: (id) => this.#association.waitingBytes(id),
      early: (id) => this.#takeEarly(id),
    };
    const channel = new DataChannel(id, { label, outlet });
    this.#channels.push(channel);
    this.#channels.sort((a, b) => a.id - b.id);
    if (this.#state === "established") channel.open();
    if (this.#state === "closed") channel.close();
    return channel;
  }

  /** Ends the association and with it all channels. */
  close(): void {
    this.#association.close();
  }

  settle(): void {
    this.#association.settle();
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
    this.#pump();
  }

  #close(): void {
    this.#state = "closed";
    this.#early = [];
    for (const channel of [...this.#channels]) channel.close();
  }

  #progress(): void {
    this.#pump();
    for (const channel of [...this.#channels]) channel.tellLow();
  }

  #pump(): void {
    while (this.#association.ready) {
      const message = this.#next();
      if (message === undefined) return;
      this.#association.send(message.id, message.bytes);
    }
  }

  #next(): { readonly id: number; readonly bytes: Uint8Array } | undefined {
    for (const channel of this.#channels) {
      const bytes = channel.take();
      if (bytes !== undefined) return { id: channel.id, bytes };
    }
    return undefined;
  }
}
