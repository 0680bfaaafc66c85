/**
 * Fragments to messages, each stream in its own order (RFC 9260 6.5, 6.6, 6.9): a message of one
 * stream never waits for another's. Whole messages in order pass without a copy; fragments wait in
 * a ring by TSN and are joined once. Bounded in places, and in bytes by the receiver.
 */
import type { Bytes } from "../../../lib/bytes.ts";
import { BEGIN, END, type Fragment, UNORDERED } from "../packet/data_chunk.ts";
import { nextSsn, ssnDistance, tsnPlus } from "../packet/serial.ts";
import { MAX_TSNS_AHEAD } from "./data_tracker.ts";
import { type InboundStream, newInboundStream } from "./inbound_stream.ts";

/** A power of two, so that TSNs find their place over the wrap. */
const PLACES = MAX_TSNS_AHEAD;
/**
 * A small fragment is copied out of a packet this many times its size, so that what is counted in
 * the window is what is held in memory.
 */
const MAX_PACKET_SHARE = 4;

export interface Message {
  readonly streamId: number;
  readonly protocol: number;
  readonly bytes: Bytes;
}

export class Reassembly {
  readonly #maxMessageBytes: number;
  readonly #deliver: (message: Message) => void;
  readonly #streams = new Map<number, InboundStream>();
  #places: (Fragment | undefined)[] = [];
  #keptBytes = 0;

  constructor(maxMessageBytes: number, deliver: (message: Message) => void) {
    this.#maxMessageBytes = maxMessageBytes;
    this.#deliver = deliver;
  }

  /** Bytes that wait here. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Whether there is a place for this TSN. */
  hasPlace(tsn: number): boolean {
    return this.#places[tsn % PLACES] === undefined;
  }

  /**
   * Takes a fragment whose TSN has not come before and whose place is free. Gives false when no
   * honest peer could have sent it: out of order within its stream, or in a message above the limit.
   */
  take(fragment: Fragment): boolean {
    const isWhole = (fragment.flags & (BEGIN | END)) === (BEGIN | END);
    if ((fragment.flags & UNORDERED) !== 0) return this.#takeUnordered(fragment, isWhole);
    const stream = this.#stream(fragment.streamId);
    if (isWhole && fragment.ssn === stream.nextSsn) {
      this.#hand(fragment, fragment.bytes);
      return this.#advance(stream);
    }
    this.#keep(fragment);
    if ((fragment.flags & BEGIN) !== 0) {
      if (stream.begins.has(fragment.ssn)) return false;
      stream.begins.set(fragment.ssn, fragment.tsn);
    }
    if (fragment.ssn === stream.nextSsn) return this.#follow(stream);
    return ssnDistance(fragment.ssn, stream.nextSsn) > 0; // else it was delivered long ago
  }

  #stream(streamId: number): InboundStream {
    let stream = this.#streams.get(streamId);
    if (stream === undefined) {
      stream = newInboundStream(streamId);
      this.#streams.set(streamId, stream);
    }
    return stream;
  }

  #keep(fragment: Fragment): void {
    const { bytes } = fragment;
    const isSmall = bytes.length * MAX_PACKET_SHARE < bytes.buffer.byteLength;
    this.#places[fragment.tsn % PLACES] = isSmall
      ? { ...fragment, bytes: bytes.slice() }
      : fragment;
    this.#keptBytes += bytes.length;
  }

  /** The next message has been delivered: goes on with those behind it. */
  #advance(stream: InboundStream): boolean {
    stream.nextSsn = nextSsn(stream.nextSsn);
    stream.cursor = undefined;
    stream.size = 0;
    return stream.begins.size === 0 || this.#follow(stream);
  }

  /** Follows the next message from fragment to fragment, and delivers it when it is whole. */
  #follow(stream: InboundStream): boolean {
    for (;;) {
      stream.cursor ??= stream.begins.get(stream.nextSsn);
      if (stream.cursor === undefined) return true;
      const fragment = this.#places[stream.cursor % PLACES];
      if (fragment === undefined || fragment.tsn !== stream.cursor) return true;
      if (!isPartOf(fragment, stream)) return false;
      stream.size += fragment.bytes.length;
      if (stream.size > this.#maxMessageBytes) return false;
      stream.cursor = tsnPlus(stream.cursor, 1);
      if ((fragment.flags & END) === 0) continue;
      const first = stream.begins.get(stream.nextSsn)!; // where the cursor began
      stream.begins.delete(stream.nextSsn);
      this.#join(first, { end: stream.cursor, size: stream.size });
      stream.nextSsn = nextSsn(stream.nextSsn);
      stream.cursor = undefined;
      stream.size = 0;
    }
  }

  /** Unordered messages (6.6) are delivered when whole; none of ours are, but a peer may. */
  #takeUnordered(fragment: Fragment, isWhole: boolean): boolean {
    if (isWhole) {
      this.#hand(fragment, fragment.bytes);
      return true;
    }
    this.#keep(fragment);
    let first = fragment;
    for (let one: Fragment | undefined = fragment; one !== undefined; one = this.#before(one)) {
      first = one;
    }
    if ((first.flags & BEGIN) === 0) return true;
    let size = 0;
    for (let one: Fragment | undefined = first; one !== undefined; one = this.#after(one)) {
      size += one.bytes.length;
      if (size > this.#maxMessageBytes) return false;
      if ((one.flags & END) !== 0) {
        this.#join(first.tsn, { end: tsnPlus(one.tsn, 1), size });
        break;
      }
    }
    return true;
  }

  #before({ tsn, flags }: Fragment): Fragment | undefined {
    return (flags & BEGIN) !== 0 ? undefined : this.#at(tsnPlus(tsn, -1));
  }

  #after({ tsn, flags }: Fragment): Fragment | undefined {
    return (flags & END) !== 0 ? undefined : this.#at(tsnPlus(tsn, 1));
  }

  #at(tsn: number): Fragment | undefined {
    const fragment = this.#places[tsn % PLACES];
    return fragment?.tsn === tsn && (fragment.flags & UNORDERED) !== 0 ? fragment : undefined;
  }

  /** Joins the fragments from `first` up to `end`, all of them there, and clears their places. */
  #join(first: number, { end, size }: { readonly end: number; readonly size: number }): void {
    const head = this.#places[first % PLACES]!;
    const whole = new Uint8Array(size);
    let at = 0;
    for (let tsn = first; tsn !== end; tsn = tsnPlus(tsn, 1)) {
      const { bytes } = this.#places[tsn % PLACES]!;
      whole.set(bytes, at);
      at += bytes.length;
      this.#places[tsn % PLACES] = undefined;
    }
    this.#keptBytes -= size;
    this.#hand(head, whole);
  }

  #hand({ streamId, protocol }: Fragment, bytes: Uint8Array): void {
    this.#deliver({ streamId, protocol, bytes: bytes as Bytes }); // no shared memory reaches here
  }
}

/** Whether a fragment continues the message that its stream waits for: only the first begins it. */
function isPartOf({ flags, ssn, streamId, tsn }: Fragment, stream: InboundStream): boolean {
  const isFirst = tsn === stream.begins.get(stream.nextSsn);
  return streamId === stream.id && ssn === stream.nextSsn && ((flags & BEGIN) !== 0) === isFirst &&
    (flags & UNORDERED) === 0;
}
