/**
 * How fast the path to one browser takes packets, by what the browser reports each second: the share
 * of packets that it missed and the round trip (RFC 3550 6.4.1). It paces key frames and says when a
 * viewer is slow; the camera's own rate is never changed. Loss alone is judged as in the loss-based
 * half of Google's congestion control: up to 2 % is a radio's business, above 10 % is congestion.
 * Pure. Left out: feedback for each packet (transport-cc), which would see a queue grow sooner.
 */

/** Bits a second. Ours: a key frame of 100 KB takes 27 ms, and cameras of 4K stay below. */
export const START_RATE = 30_000_000;
/** Above it pacing would be slower than timers are exact. */
export const MAX_RATE = 80_000_000;
/** A picture of 10 KB a second still gets through. */
export const MIN_RATE = 150_000;

const QUIET_LOSS = 0.02;
const CONGESTED_LOSS = 0.1;
/** So much above the shortest round trip, in ms, is a queue that we have filled. */
const QUEUE_MS = 200;
const GROWTH = 1.15;
/** Up to where it began the path has been good before. */
const RECOVERY = 1.5;
/** What went through without loss can be a little more. */
const PROBE = 1.25;
const BACK_OFF = 0.85;
/** Bursts are faster than the mean: the path takes at least the mean, and may take more. */
const BURST_ALLOWANCE = 1.5;
/** The shortest round trip is forgotten after so many reports: paths change. */
const MEMORY_REPORTS = 60;

/** What a browser says of one second. */
export interface PathReport {
  /** Share of packets that did not arrive, 0 to 1. */
  readonly lost: number;
  /** In ms; undefined before the first of our reports has come back. */
  readonly roundTripMs?: number | undefined;
  /** What was sent meanwhile, in bits a second. */
  readonly sentRate: number;
}

export class SendRate {
  #rate = START_RATE;
  /**
   * Congested reports in a row. One bad second of a radio, or of a busy machine, must not make the
   * next key frame of a quiet scene late: only several of them take the rate down to what was sent.
   */
  #congested = 0;
  #roundTrips: number[] = [];

  /** Bits a second. */
  get value(): number {
    return this.#rate;
  }

  report({ lost, roundTripMs, sentRate }: PathReport): void {
    const queued = roundTripMs !== undefined && this.#isQueued(roundTripMs);
    if (lost > CONGESTED_LOSS) this.#slowDown(sentRate, 1 - lost / 2);
    else if (queued) this.#slowDown(sentRate, BACK_OFF);
    else if (lost < QUIET_LOSS) this.#grow(sentRate);
  }

  #grow(sentRate: number): void {
    this.#congested = 0;
    const growth = this.#rate < START_RATE ? RECOVERY : GROWTH;
    this.#rate = Math.min(MAX_RATE, Math.max(this.#rate * growth, sentRate * PROBE));
  }

  #slowDown(sentRate: number, factor: number): void {
    const floor = Math.max(MIN_RATE, START_RATE / 4 ** ++this.#congested);
    const taken = Math.min(this.#rate, sentRate * BURST_ALLOWANCE);
    this.#rate = Math.max(Math.min(floor, this.#rate), taken * factor);
  }

  #isQueued(roundTripMs: number): boolean {
    this.#roundTrips.push(roundTripMs);
    if (this.#roundTrips.length > MEMORY_REPORTS) this.#roundTrips.shift();
    return roundTripMs > Math.min(...this.#roundTrips) + QUEUE_MS;
  }
}
