import assert from "node:assert/strict";
import { KeyedBuckets, TokenBucket } from "./token_bucket.ts";

const RATE = { burst: 3, perSecond: 2 };
const takes = (bucket: TokenBucket, now: number, count: number) =>
  Array.from({ length: count }, () => bucket.take(now)).filter(Boolean).length;

Deno.test("token bucket allows its burst and then its rate", () => {
  const bucket = new TokenBucket(RATE, 0);
  assert.equal(takes(bucket, 0, 5), 3);
  assert.equal(takes(bucket, 499, 5), 0);
  assert.equal(takes(bucket, 500, 5), 1);
  assert.equal(takes(bucket, 60_000, 9), 3);
});

Deno.test("token bucket gains nothing from a clock that steps back", () => {
  const bucket = new TokenBucket(RATE, 10_000);
  assert.equal(takes(bucket, 10_000, 5), 3);
  assert.equal(takes(bucket, 0, 5), 0);
  assert.equal(takes(bucket, 1000, 5), 2);
});

Deno.test("keyed buckets count each key apart and forget the longest unused", () => {
  const buckets = new KeyedBuckets({ burst: 1, perSecond: 0 }, 2);
  assert.deepEqual(["a", "b", "a", "b"].map((key) => buckets.take(key, 0)), [
    true,
    true,
    false,
    false,
  ]);
  buckets.take("a", 0);
  buckets.take("c", 0); // forgets b
  assert.equal(buckets.size, 2);
  assert.equal(buckets.take("a", 0), false);
  assert.equal(buckets.take("b", 0), true);
});
