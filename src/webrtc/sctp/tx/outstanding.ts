/**
 * Chunks that were sent and not acknowledged by the cumulative TSN (RFC 9260 6.2.1), in a ring by
 * TSN. Each is in flight, lost, or acknowledged behind a gap. A SACK costs what it newly tells, not
 * what is under way.
 */
import { tsnDistance, tsnPlus } from "../packet/serial.ts";
import type { ReceivedSack } from "../packet/sack_chunk.ts";
import { TsnRanges } from "../packet/tsn_ranges.ts";
import type { Piece } from "./send_queue.ts";
import { ChunkList, SentChunk } from "./sent_chunk.ts";

const FIRST_PLACES = 256;
/**
 * Chunks under way at most: 400 Mbit/s over 200 ms in packets of 1200 bytes make 8300. Gap blocks
 * can say 65,535.
 */
const MAX_PLACES = 16_384;

export class Outstanding {
  readonly inFlight = new ChunkList();
  readonly lost = new ChunkList();
  /** Bytes in flight: neither lost nor acknowledged. */
  flightBytes = 0;
  /** Chunks acknowledged behind a gap. */
  gapAcked = 0;
  readonly #onAcked: (chunk: SentChunk) => void;
  readonly #visit = (tsn: number) => this.#ack(this.#at(tsn));
  readonly #acked = new TsnRanges();
  readonly #spare: SentChunk[] = [];
  #places: (SentChunk | undefined)[] = new Array(FIRST_PLACES).fill(undefined);
  #ackPoint: number;
  #next: number;

  /** `onAcked` is told of each chunk once, in ascending order within a SACK. */
  constructor(initialTsn: number, onAcked: (chunk: SentChunk) => void) {
    this.#next = initialTsn;
    this.#ackPoint = tsnPlus(initialTsn, -1);
    this.#onAcked = onAcked;
  }

  get isEmpty(): boolean {
    return tsnPlus(this.#ackPoint, 1) === this.#next;
  }

  get isFull(): boolean {
    return tsnDistance(this.#next, this.#ackPoint) >= MAX_PLACES;
  }

  /** Whether this is the lowest TSN that is not acknowledged. */
  isEarliest(tsn: number): boolean {
    return tsn === tsnPlus(this.#ackPoint, 1);
  }

  /** Gives a piece its TSN; it is in flight from now on. */
  send(piece: Piece): SentChunk {
    if (tsnDistance(this.#next, this.#ackPoint) > this.#places.length) this.#grow();
    const chunk = this.#spare.pop() ?? new SentChunk();
    chunk.take(this.#next, piece);
    this.#places[this.#next & (this.#places.length - 1)] = chunk;
    this.#next = tsnPlus(this.#next, 1);
    this.#launch(chunk);
    return chunk;
  }

  /** Puts a chunk in flight again, whether lost or a probe. */
  resend(chunk: SentChunk): void {
    this.#ground(chunk);
    this.#launch(chunk);
  }

  markLost(chunk: SentChunk): void {
    this.#ground(chunk);
    chunk.state = "lost";
    this.lost.push(chunk);
  }

  /** T3 has run out: all in flight is lost, in the order of TSNs, and comes before what was. */
  loseAll(): void {
    for (let tsn = tsnPlus(this.#ackPoint, 1); tsn !== this.#next; tsn = tsnPlus(tsn, 1)) {
      const chunk = this.#at(tsn);
      if (chunk.state !== "acked") this.markLost(chunk);
    }
  }

  /** Believes nothing behind the cumulative TSN any more: a receiver may renege (6.2.1 D). */
  forgetGaps(): void {
    this.#acked.clear();
    this.gapAcked = 0;
    for (let tsn = tsnPlus(this.#ackPoint, 1); tsn !== this.#next; tsn = tsnPlus(tsn, 1)) {
      const chunk = this.#at(tsn);
      if (chunk.state === "acked") this.#launch(chunk);
    }
  }

  /**
   * Takes a SACK. "old" is one overtaken by a later (6.2.1 i), "nonsense" acknowledges what was
   * never sent; both change nothing.
   */
  takeSack(sack: ReceivedSack): "new" | "old" | "nonsense" {
    const cumulative = sack.cumulativeTsn;
    if (tsnDistance(cumulative, this.#ackPoint) < 0) return "old";
    if (tsnDistance(cumulative, this.#next) >= 0) return "nonsense";
    this.#advance(cumulative);
    this.#takeGaps(sack);
    return "new";
  }

  /** Takes the cumulative TSN of a SHUTDOWN or SACK. */
  #advance(cumulative: number): void {
    if (cumulative === this.#ackPoint) return;
    while (this.#ackPoint !== cumulative) {
      this.#ackPoint = tsnPlus(this.#ackPoint, 1);
      const chunk = this.#at(this.#ackPoint);
      if (chunk.state === "acked") this.gapAcked--;
      else this.#settle(chunk);
      this.#places[this.#ackPoint & (this.#places.length - 1)] = undefined;
      chunk.release();
      this.#spare.push(chunk);
    }
    this.#acked.advance(cumulative);
  }

  /** Blocks must ascend; what lies beyond the last TSN sent is not looked at. */
  #takeGaps(sack: ReceivedSack): void {
    const last = tsnDistance(this.#next, this.#ackPoint) - 1;
    let before = 0;
    for (let i = 0; i < sack.gaps; i++) {
      const start = sack.gapStart(i);
      const end = Math.min(sack.gapEnd(i), last);
      if (start <= before || end < start) return;
      this.#acked.cover(tsnPlus(this.#ackPoint, start), tsnPlus(this.#ackPoint, end), this.#visit);
      before = end;
    }
  }

  #ack(chunk: SentChunk): void {
    if (chunk.state === "acked") return;
    this.gapAcked++;
    this.#settle(chunk);
  }

  #settle(chunk: SentChunk): void {
    this.#ground(chunk);
    this.#onAcked(chunk);
    chunk.state = "acked";
  }

  #launch(chunk: SentChunk): void {
    chunk.state = "in flight";
    this.flightBytes += chunk.length;
    this.inFlight.push(chunk);
  }

  /** Takes a chunk off the list it is on. */
  #ground(chunk: SentChunk): void {
    if (chunk.state === "lost") return this.lost.remove(chunk);
    this.flightBytes -= chunk.length;
    this.inFlight.remove(chunk);
  }

  #at(tsn: number): SentChunk {
    return this.#places[tsn & (this.#places.length - 1)]!; // all TSNs under way have one
  }

  #grow(): void {
    const old = this.#places;
    const places: typeof old = new Array(old.length * 2).fill(undefined);
    for (let tsn = tsnPlus(this.#ackPoint, 1); tsn !== this.#next; tsn = tsnPlus(tsn, 1)) {
      places[tsn & (places.length - 1)] = old[tsn & (old.length - 1)];
    }
    this.#places = places;
  }
}
