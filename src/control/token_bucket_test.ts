import assert from "node:assert/strict";
import { TokenBucket } from "./token_bucket.ts";

Deno.test("token bucket gives its burst, then its rate, and never more than the burst", () => {
  const bucket = new TokenBucket({ capacity: 3, perSecond: 2 });
  const take = (now: number) => bucket.take(now);
  assert.deepEqual([10, 10, 10, 10].map(take), [true, true, true, false]);
  assert.deepEqual([509, 510, 511].map(take), [false, true, false]);
  assert.deepEqual([1e9, 1e9, 1e9, 1e9].map(take), [true, true, true, false]);
});
