/**
 * Whether a stranger to a device may write to it; people whom it knows do not come this way (`people.ts`). Strangers may
 * come from many addresses, and among them are those whom somebody just sent a link. So their rate is not for whoever
 * comes first: the oftener an address tries, the more of it must be left for others.
 *
 *   tries of an address:   the first few --> all that is left
 *                          a few more -----> all but a quarter of the burst
 *                          …
 *                          beyond all -----> nothing
 */
import type { Limits } from "./limits.ts";
import { KeyedBuckets, TokenBucket } from "./token_bucket.ts";

/** What all devices of a node share: how often which address came to which device. */
export class Callers {
  readonly #levels: readonly KeyedBuckets[];

  constructor({ newPeersPerAddress, rememberedCallers }: Limits) {
    this.#levels = newPeersPerAddress.map((rate) => new KeyedBuckets(rate, rememberedCallers));
  }

  /** What must be left for others by one more call, as a part of all; undefined if there were too many. */
  call(key: string, now: number): number | undefined {
    const level = this.#levels.findIndex((buckets) => buckets.take(key, now));
    return level < 0 ? undefined : level / this.#levels.length;
  }
}

/** Those who are new to one device. */
export class Newcomers {
  readonly #callers: Callers;
  readonly #bucket: TokenBucket;
  readonly #burst: number;

  constructor(callers: Callers, { limits, now }: { limits: Limits; now: number }) {
    this.#callers = callers;
    this.#bucket = new TokenBucket(limits.newPeers, now);
    this.#burst = limits.newPeers.burst;
  }

  /** Whether one more may come from this address to this device. */
  take({ device, address, now }: { device: string; address: string; now: number }): boolean {
    const left = this.#callers.call(`${device} ${address}`, now);
    return left !== undefined && this.#bucket.take(now, { leaving: left * this.#burst });
  }
}
