/** A way in for offers: so many a second, so many at once. Strangers share one; everybody who is known has one. */
import { TokenBucket } from "./token_bucket.ts";

export interface LaneLimits {
  readonly capacity: number;
  readonly perSecond: number;
  /** Offers that are being opened. */
  readonly atOnce: number;
}

export class Lane {
  readonly #bucket: TokenBucket;
  readonly #atOnce: number;
  #inside = 0;

  constructor(limits: LaneLimits) {
    this.#bucket = new TokenBucket(limits);
    this.#atOnce = limits.atOnce;
  }

  /** Whether one more may enter; who did must `leave`. `now` in milliseconds of a monotonic clock. */
  enter(now: number): boolean {
    if (this.#inside >= this.#atOnce || !this.#bucket.take(now)) return false;
    this.#inside++;
    return true;
  }

  leave(): void {
    this.#inside--;
  }
}
