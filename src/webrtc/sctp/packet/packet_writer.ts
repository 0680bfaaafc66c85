/**
 * Puts packets together, one at a time. Each lies in a view of its own with room before and behind
 * it; views are cut from larger slabs, since an allocation for each packet costs five times more
 * (measured: 0.5 us against 0.1), and no byte is used twice.
 */
import { COMMON_HEADER_BYTES, seal, writeCommonHeader } from "./common_header.ts";

/** About 50 packets a slab; a slab lives as long as one of its packets. */
const SLAB_BYTES = 65_536;

export interface PacketOutput {
  readonly type: "packet";
  readonly buffer: Uint8Array;
  readonly offset: number;
  readonly length: number;
}

export class PacketWriter {
  /** Holds the packet under way, between `open` and `finish`, and `at` is where it goes on. */
  buffer: Uint8Array = new Uint8Array(0);
  at = 0;
  readonly #headroom: number;
  readonly #tailroom: number;
  /** Where the view, the packet, and its furthest end lie in the slab. */
  #viewAt = 0;
  #start = 0;
  #limit = 0;
  /** Where the slab is free. */
  #free = 0;

  constructor(room: { readonly headroom: number; readonly tailroom: number }) {
    this.#headroom = room.headroom;
    this.#tailroom = room.tailroom;
  }

  /** Begins a packet of at most `size` bytes. One that was begun and not finished is forgotten. */
  open(size: number, tag: number): void {
    const whole = this.#headroom + size + this.#tailroom;
    if (this.#free + whole > this.buffer.length) {
      this.buffer = new Uint8Array(Math.max(SLAB_BYTES, whole));
      this.#free = 0;
    }
    this.#viewAt = this.#free;
    this.#start = this.#viewAt + this.#headroom;
    this.#limit = this.#start + size;
    writeCommonHeader(this.buffer, this.#start, tag);
    this.at = this.#start + COMMON_HEADER_BYTES;
  }

  /** Bytes that still fit. */
  get room(): number {
    return this.#limit - this.at;
  }

  get isEmpty(): boolean {
    return this.at === this.#start + COMMON_HEADER_BYTES;
  }

  /** Adds a chunk that is whole and padded already. */
  add(chunk: Uint8Array): void {
    this.buffer.set(chunk, this.at);
    this.at += chunk.length;
  }

  finish(): PacketOutput {
    seal(this.buffer, this.#start, this.at);
    const end = this.at + this.#tailroom;
    const view = new Uint8Array(this.buffer.buffer, this.#viewAt, end - this.#viewAt);
    this.#free = (end + 7) & ~7;
    return { type: "packet", buffer: view, offset: this.#headroom, length: this.at - this.#start };
  }
}
