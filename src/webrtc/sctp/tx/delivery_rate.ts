/**
 * How fast bytes arrive at the peer, measured over a round trip (draft-cheng-iccrg-delivery-rate-
 * estimation-02): each chunk remembers the counters of its sending, and its acknowledgement gives
 * bytes by time since.
 */
import type { SentChunk } from "./sent_chunk.ts";

/** Of the smallest round trip: below it, acknowledgements were held up and came at once. */
const LEAST_INTERVAL_SHARE = 0.75;

export class DeliveryRate {
  /** Bytes acknowledged since the start. */
  delivered = 0;
  /** Of the newest chunk of the SACK under way: bytes delivered when it was sent. */
  priorDelivered = 0;
  /** Whether the sender had nothing to send at that time: such a rate says only "at least". */
  isAppLimited = false;
  #deliveredAt = 0;
  #firstSentAt = 0;
  #priorDeliveredAt = 0;
  #sendElapsed = 0;
  #hasSample = false;
  /** Rates are app-limited until this much is delivered. */
  #limitedUntil = 0;

  /** Notes a chunk that leaves now; `flightBytes` without it. */
  noteSent(chunk: SentChunk, now: number, flightBytes: number): void {
    if (flightBytes === 0) {
      this.#firstSentAt = now;
      this.#deliveredAt = now;
    }
    chunk.firstSentAt = this.#firstSentAt;
    chunk.delivered = this.delivered;
    chunk.deliveredAt = this.#deliveredAt;
    chunk.isAppLimited = this.#limitedUntil > this.delivered;
  }

  /** The sender has no more to send while there would be room. */
  noteAppLimited(flightBytes: number): void {
    this.#limitedUntil = this.delivered + Math.max(flightBytes, 1);
  }

  /** A SACK begins. */
  begin(): void {
    this.#hasSample = false;
  }

  noteAcked(chunk: SentChunk, now: number): void {
    this.delivered += chunk.length;
    this.#deliveredAt = now;
    if (this.#hasSample && chunk.delivered < this.priorDelivered) return;
    this.#hasSample = true;
    this.priorDelivered = chunk.delivered;
    this.#priorDeliveredAt = chunk.deliveredAt;
    this.isAppLimited = chunk.isAppLimited;
    this.#sendElapsed = chunk.sentAt - chunk.firstSentAt;
    this.#firstSentAt = chunk.sentAt;
  }

  /**
   * Rate of the SACK in bytes per ms; 0 when it tells none.
   */
  finish(now: number, smallestRtt: number): number {
    if (!this.#hasSample) return 0;
    const interval = Math.max(this.#sendElapsed, now - this.#priorDeliveredAt);
    if (interval <= 0 || interval < smallestRtt * LEAST_INTERVAL_SHARE) return 0;
    return (this.delivered - this.priorDelivered) / interval;
  }
}
