/**
 * Which chunks are lost, by time (RACK, RFC 8985): one that was sent long enough before another
 * that has arrived. Counting three reports (RFC 9260 7.2.4) takes reordering for loss, and does not
 * see the loss of a retransmission.
 */
import { tsnDistance } from "../packet/serial.ts";
import type { Outstanding } from "./outstanding.ts";
import type { RoundTrip } from "./round_trip.ts";
import type { SentChunk } from "./sent_chunk.ts";

/** RFC 9260 7.2.4 and RFC 8985 6.2: reports after which nobody waits for a late packet. */
const ENOUGH_REPORTS = 3;
/** RFC 8985 6.2: share of the smallest round trip by which packets may overtake each other. */
const REORDER_SHARE = 1 / 4;
/** Each retransmission in vain widens that, up to a round trip in any case. */
const MAX_WIDENING = 16;

export class LossDetection {
  readonly #rtt: RoundTrip;
  /** The chunk sent last of those that have arrived. */
  #newestSentAt = -Infinity;
  #newestTsn = 0;
  #newestRtt = 0;
  #highestTsn: number | undefined;
  #isReordering = false;
  #widening = 1;
  #widenedAt = -Infinity;

  constructor(rtt: RoundTrip) {
    this.#rtt = rtt;
  }

  noteAcked(chunk: SentChunk, now: number): void {
    const { tsn, sentAt } = chunk;
    const rtt = now - sentAt;
    if (chunk.transmissions > 1 && rtt < this.#rtt.smallest) {
      this.noteSpurious(now); // this answers the first copy, which was late and not lost
      return;
    }
    this.#noteOrder(chunk);
    const isNewer = sentAt > this.#newestSentAt ||
      (sentAt === this.#newestSentAt && tsnDistance(tsn, this.#newestTsn) > 0);
    if (!isNewer) return;
    this.#newestSentAt = sentAt;
    this.#newestTsn = tsn;
    this.#newestRtt = rtt;
  }

  /** A retransmission was in vain: the peer has reported a duplicate, or the first copy came. */
  noteSpurious(now: number): void {
    this.#isReordering = true;
    if (now - this.#widenedAt < this.#rtt.smoothed) return; // once a round trip (RFC 8985 6.2 4)
    this.#widenedAt = now;
    this.#widening = Math.min(this.#widening + 1, MAX_WIDENING);
  }

  /**
   * Marks what is lost. Gives when to look again without any news; Infinity when there is no need.
   */
  detect(now: number, outstanding: Outstanding): number {
    const wait = this.#newestRtt + this.#reorderWindow(outstanding);
    for (let chunk = outstanding.inFlight.first; chunk !== undefined;) {
      if (!this.#isOlder(chunk)) return Infinity;
      const lostAt = chunk.sentAt + wait;
      if (lostAt > now) return lostAt;
      const after = chunk.after;
      outstanding.markLost(chunk);
      chunk = after;
    }
    return Infinity;
  }

  #noteOrder({ tsn, transmissions }: SentChunk): void {
    if (this.#highestTsn === undefined || tsnDistance(tsn, this.#highestTsn) > 0) {
      this.#highestTsn = tsn;
    } else if (transmissions === 1) this.#isReordering = true;
  }

  #isOlder({ sentAt, tsn }: SentChunk): boolean {
    return sentAt < this.#newestSentAt ||
      (sentAt === this.#newestSentAt && tsnDistance(tsn, this.#newestTsn) < 0);
  }

  #reorderWindow({ gapAcked, lost }: Outstanding): number {
    const { smallest, smoothed } = this.#rtt;
    if (!this.#isReordering && (gapAcked >= ENOUGH_REPORTS || lost.first !== undefined)) return 0;
    if (smallest === Infinity) return 0;
    return Math.min(this.#widening * smallest * REORDER_SHARE, smoothed);
  }
}
