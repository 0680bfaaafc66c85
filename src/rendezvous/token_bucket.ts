/** Rates: how often something may happen. Pure: the caller says what time it is. */

/** `burst` at once, then `perSecond` for as long as it takes. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** One rate of one sender. Starts full. */
export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #updated: number;

  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#updated = now;
  }

  /**
   * Whether `amount` more may happen at `now` (ms, any origin), and as many again as `leaving` says. A clock that steps back
   * adds nothing.
   */
  take(now: number, { amount = 1, leaving = 0 } = {}): boolean {
    const seconds = Math.max(0, now - this.#updated) / 1000;
    this.#updated = now;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + seconds * this.#rate.perSecond);
    if (this.#tokens < amount + leaving) return false;
    this.#tokens -= amount;
    return true;
  }
}

/**
 * The same rate for many senders, of whom the last `limit` are remembered. Whoever is forgotten starts full again:
 * to gain from that a sender needs `limit` other addresses.
 */
export class KeyedBuckets {
  readonly #rate: Rate;
  readonly #limit: number;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(rate: Rate, limit: number) {
    this.#rate = rate;
    this.#limit = limit;
  }

  take(key: string, now: number): boolean {
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#rate, now);
    this.#buckets.delete(key); // a Map keeps the order of insertion: last in, last forgotten
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#limit) {
      const [oldest] = this.#buckets.keys();
      this.#buckets.delete(oldest!);
    }
    return bucket.take(now);
  }

  get size(): number {
    return this.#buckets.size;
  }
}
