/**
 * Round-trip time and what follows from it (RFC 9260 6.3): the smoothed one, the time to wait for
 * an answer, and the smallest of late, which is the path without queues.
 */

/** RFC 9260 16: before anything is known. */
export const RTO_INITIAL_MS = 1000;
/**
 * RFC 9260 says 1 s, from a time of coarse clocks; TCP lives with 200 ms (RFC 8985 and Linux), and
 * peers delay a SACK by 200 ms at most, which we avoid by asking for it (RFC 7053).
 */
export const RTO_MIN_MS = 200;
/** RFC 9260 says 60 s. A person waits: after a gap in the path, the next try comes within 10 s. */
export const RTO_MAX_MS = 10_000;
/** How long a smallest round trip is believed: routes change (BBR: 10 s). */
export const MIN_RTT_WINDOW_MS = 10_000;
/** A sample this near to the smallest confirms it. */
const CONFIRM_SHARE = 1 / 16;
const CONFIRM_MS = 1;

/** RFC 8985 7.2: a probe after two round trips; and time for a delayed SACK and slow timers. */
const PROBE_ROUND_TRIPS = 2;
const PROBE_SLACK_MS = 25;
const MAX_BACK_OFF = 64;
/** Waits that were doubled so often in a row were too short: what they were made from is wrong. */
const DOUBTFUL_BACK_OFF = 4;

export class RoundTrip {
  /** Smoothed, in ms; 0 before the first sample. */
  smoothed = 0;
  /** Smallest of late, in ms; Infinity before the first sample. */
  smallest = Infinity;
  /** The last sample. */
  latest = 0;
  #confirmedAt = 0;
  #variation = 0;
  #backOff = 1;
  #probeBackOff = 1;

  /** Takes a measurement of something that was sent once (Karn, 6.3.1 C5). */
  sample(now: number, rtt: number): void {
    const value = Math.max(rtt, 0.01); // clocks may be coarse
    const isDoubtful = Math.max(this.#backOff, this.#probeBackOff) >= DOUBTFUL_BACK_OFF;
    this.latest = value;
    this.#backOff = 1;
    this.#probeBackOff = 1;
    if (value <= this.smallest + Math.max(CONFIRM_MS, this.smallest * CONFIRM_SHARE)) {
      this.#confirmedAt = now;
    }
    if (value < this.smallest) this.smallest = value;
    if (this.smoothed === 0 || isDoubtful) { // RFC 6298 5: measurements begin anew
      this.smoothed = value;
      this.#variation = value / 2;
      return;
    }
    this.#variation += (Math.abs(this.smoothed - value) - this.#variation) / 4;
    this.smoothed += (value - this.smoothed) / 8;
  }

  /** Whether the smallest value has not been seen for too long. */
  isStale(now: number): boolean {
    return now - this.#confirmedAt > MIN_RTT_WINDOW_MS;
  }

  /** Begins a new search for the smallest value. */
  forgetSmallest(now: number): void {
    this.smallest = this.latest;
    this.#confirmedAt = now;
  }

  /** How long to wait for an answer, in ms, back-off included. */
  get timeout(): number {
    if (this.smoothed === 0) return Math.min(RTO_INITIAL_MS * this.#backOff, RTO_MAX_MS);
    const base = Math.max(RTO_MIN_MS, this.smoothed + 4 * this.#variation);
    return Math.min(base * this.#backOff, RTO_MAX_MS);
  }

  /** No answer came in time: the next wait is twice as long (6.3.3 E2). */
  backOff(): void {
    this.#backOff = Math.min(this.#backOff * 2, MAX_BACK_OFF);
  }

  /** Waits are as short again as the path was quick. */
  forgetBackOff(): void {
    this.#backOff = 1;
  }

  /** How long to wait for an answer before the last chunk is sent again, in ms. */
  get probeTimeout(): number {
    return PROBE_ROUND_TRIPS * this.smoothed * this.#probeBackOff + PROBE_SLACK_MS;
  }

  /**
   * A probe leaves: an answer to it tells nothing about the round trip (Karn), so that one that has
   * grown is only learnt when the next probe waits longer.
   */
  backOffProbe(): void {
    this.#probeBackOff = Math.min(this.#probeBackOff * 2, MAX_BACK_OFF);
  }
}
