/**
 * The receiving half: DATA in, messages and SACKs out (RFC 9260 6.2). It holds the window: what a
 * peer sends beyond it has not come.
 */
import { type Fragment, IMMEDIATE } from "../packet/data_chunk.ts";
import type { PacketWriter } from "../packet/packet_writer.ts";
import { SACK_HEADER_BYTES, sackBytes, type SackContent, writeSack } from "../packet/sack_chunk.ts";
import { AckTiming } from "./ack_timing.ts";
import type { RoundTrip } from "../tx/round_trip.ts";
import { DataTracker } from "./data_tracker.ts";
import { type Message, Reassembly } from "./reassembly.ts";
import { WindowGoal } from "./window_goal.ts";

/**
 * Less than a packet of window is told as none: small grants would make small packets (RFC 9260
 * 6.2, RFC 1122 4.2.3.3).
 */
const MIN_WINDOW_BYTES = 1500;
/**
 * The next TSN is taken this far beyond the window: a peer may probe a window of zero with one
 * packet (6.1 A), and a full window must not shut out what would empty it.
 */
const PROBE_BYTES = 65_536;
/**
 * SACKs of packets before the last that are kept, the newest: with the last one they are the three
 * that a peer counts (RFC 9260 7.2.4), and more only cost CPU time at both ends (measured at 50 ms
 * on a busy machine: 26 Mbit/s up with two, 5 with 64).
 */
const MAX_EARLIER = 2;
/** Bytes of each at most: they fit into the smallest packet that we send, with room to spare. */
const MAX_EARLIER_BYTES = 1024;

export interface ReceiverOptions {
  readonly initialTsn: number;
  /** Bytes that are held at most. */
  readonly window: number;
  readonly rtt: RoundTrip;
  readonly maxMessageBytes: number;
  readonly deliver: (message: Message) => void;
}

/** What came of a DATA chunk; `violation` and `exhausted` end the association. */
export type DataOutcome = "taken" | "dropped" | "violation" | "exhausted";

export class Receiver {
  readonly #tracker: DataTracker;
  readonly #reassembly: Reassembly;
  readonly #timing = new AckTiming();
  readonly #goal = new WindowGoal();
  readonly #window: number;
  readonly #rtt: RoundTrip;
  readonly #deliver: (message: Message) => void;
  /** Bytes delivered on paused streams since: the peer does not get their room back. */
  readonly #paused = new Map<number, number>();
  #unreturnedBytes = 0;
  /** SACKs of packets before the last, as chunks, oldest first. */
  #earlier: Uint8Array[] = [];
  /** Window of the last SACK. */
  #toldWindow: number;
  /** Of the packet under way. */
  #hasData = false;
  #newBytes = 0;
  #isUrgent = false;
  #isImmediate = false;

  constructor(options: ReceiverOptions) {
    this.#tracker = new DataTracker(options.initialTsn);
    this.#reassembly = new Reassembly(options.maxMessageBytes, (message) => this.#hand(message));
    this.#window = options.window;
    this.#rtt = options.rtt;
    this.#toldWindow = options.window;
    this.#deliver = options.deliver;
  }

  get cumulativeTsn(): number {
    return this.#tracker.cumulativeTsn;
  }

  get deadline(): number {
    return this.#timing.deadline;
  }

  isSackDue(now: number): boolean {
    return this.#earlier.length > 0 || this.#timing.isDue(now);
  }

  /**
   * To be called before another packet is taken. The last packets behind a gap, at an end of one, or
   * that were here before have a SACK each (6.2, 6.7), however many come before `writeSacks`: peers
   * count how many have told a chunk missing, and would wait for T3 else.
   */
  keepUrgent(): void {
    if (!this.#timing.isUrgent) return;
    const content = { ...this.#all(MAX_EARLIER_BYTES), window: this.#available() };
    const chunk = new Uint8Array(sackBytes(content));
    writeSack(chunk, 0, content);
    this.#earlier.push(chunk);
    if (this.#earlier.length > MAX_EARLIER) this.#earlier.shift();
    this.#noteAllTold();
  }

  /** Takes one DATA chunk. Call `endPacket` when the packet is through. */
  take(fragment: Fragment): DataOutcome {
    this.#hasData = true;
    const { tsn, bytes } = fragment;
    if ((fragment.flags & IMMEDIATE) !== 0) this.#isImmediate = true;
    const verdict = this.#tracker.judge(tsn);
    if (verdict === "duplicate") this.#tracker.noteDuplicate(tsn);
    if (verdict !== "new" || !this.#hasRoom(tsn, bytes.length)) return this.#drop();
    if (!this.#reassembly.hasPlace(tsn)) {
      return this.#tracker.isNext(tsn) ? "exhausted" : this.#drop();
    }
    const isLate = this.#tracker.hasGaps;
    if (!this.#tracker.take(tsn)) return this.#drop();
    this.#newBytes += bytes.length;
    if (isLate || this.#tracker.hasGaps) this.#isUrgent = true; // 6.7: gaps, and their end
    return this.#reassembly.take(fragment) ? "taken" : "violation";
  }

  /** All chunks of a packet have been taken. */
  endPacket(now: number): void {
    if (this.#hasData) {
      this.#goal.note(now, this.#newBytes, this.#rtt.smallest);
      this.#timing.notePacket(now, {
        isUrgent: this.#isUrgent,
        isImmediate: this.#isImmediate,
        cumulativeTsn: this.#tracker.cumulativeTsn,
        rtt: this.#rtt.smallest,
      });
    }
    this.#hasData = false;
    this.#newBytes = 0;
    this.#isUrgent = false;
    this.#isImmediate = false;
  }

  pause(streamId: number): void {
    if (!this.#paused.has(streamId)) this.#paused.set(streamId, 0);
  }

  resume(streamId: number): void {
    this.#unreturnedBytes -= this.#paused.get(streamId) ?? 0;
    this.#paused.delete(streamId);
    const available = this.#available();
    if (available > this.#toldWindow && this.#toldWindow < this.#window / 2) this.#timing.demand();
  }

  /**
   * Writes the SACKs that may leave now, as far as the packet has room; none if none is owed. On a
   * path with losses the newest does not share a packet with those before it: with one packet for a
   * whole window, each that gets lost costs the peer its T3 (measured at 5 %: uploads took ten times
   * as long).
   */
  writeSacks(now: number, writer: PacketWriter): void {
    if (this.#earlier.length > 0) return this.#writeEarlier(writer);
    for (let written = 0; writer.room >= SACK_HEADER_BYTES; written++) {
      if (written > 0 && this.#timing.isNewestApart) return;
      const cumulativeTsn = this.#timing.take(now);
      if (cumulativeTsn === undefined) break;
      this.#write(writer, { cumulativeTsn, ranges: [], duplicates: [] });
    }
    if (this.#timing.owesAll && writer.room >= SACK_HEADER_BYTES) this.#writeAll(writer);
  }

  #writeEarlier(writer: PacketWriter): void {
    let written = 0;
    for (const chunk of this.#earlier) {
      if (chunk.length > writer.room) break;
      writer.add(chunk);
      written++;
    }
    this.#earlier.splice(0, written);
  }

  #writeAll(writer: PacketWriter): void {
    this.#write(writer, this.#all(writer.room));
    this.#noteAllTold();
  }

  /** The whole state, as far as there is room for it. */
  #all(room: number): Omit<SackContent, "window"> {
    const fits = Math.max(0, (room - SACK_HEADER_BYTES) >> 2);
    const { ranges, duplicates, cumulativeTsn } = this.#tracker;
    return {
      cumulativeTsn,
      ranges: ranges.length > fits ? ranges.slice(0, fits) : ranges,
      duplicates: duplicates.slice(0, Math.max(0, fits - ranges.length)),
    };
  }

  #noteAllTold(): void {
    this.#tracker.clearDuplicates();
    this.#timing.toldAll();
  }

  #write(writer: PacketWriter, state: Omit<SackContent, "window">): void {
    this.#toldWindow = this.#available();
    const content = { ...state, window: this.#toldWindow };
    writer.at = writeSack(writer.buffer, writer.at, content);
  }

  #drop(): DataOutcome {
    this.#isUrgent = true; // duplicates and what has no room are answered at once (6.2)
    return "dropped";
  }

  #hasRoom(tsn: number, length: number): boolean {
    const held = this.#reassembly.keptBytes + this.#unreturnedBytes + length;
    return held <= this.#window ||
      (held <= this.#window + PROBE_BYTES && this.#tracker.isNext(tsn));
  }

  #available(): number {
    const room = this.#window - this.#reassembly.keptBytes - this.#unreturnedBytes;
    return room < MIN_WINDOW_BYTES ? 0 : Math.min(room, this.#goal.bytes);
  }

  #hand(message: Message): void {
    const unreturned = this.#paused.get(message.streamId);
    if (unreturned !== undefined) {
      this.#paused.set(message.streamId, unreturned + message.bytes.length);
      this.#unreturnedBytes += message.bytes.length;
    }
    this.#deliver(message);
  }
}
