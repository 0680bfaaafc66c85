import assert from "node:assert/strict";
import fc from "fast-check";
import { backoffMs } from "./backoff.ts";

const LIMITS = { floorMs: 1000, ceilingMs: 60_000 };

Deno.test("back-off doubles from the floor to the ceiling", () => {
  const waits = [0, 1, 2, 5, 6, 7, 5000].map((attempt) =>
    backoffMs(attempt, { ...LIMITS, random: 1 })
  );
  assert.deepEqual(waits, [1000, 2000, 4000, 32_000, 60_000, 60_000, 60_000]);
});

Deno.test("back-off spreads over the upper half of its range", () => {
  assert.equal(backoffMs(2, { ...LIMITS, random: 0 }), 2000);
  assert.equal(backoffMs(2, { ...LIMITS, random: 0.5 }), 3000);
});

Deno.test("back-off stays within its limits for every attempt", () => {
  fc.assert(fc.property(
    fc.integer({ min: 0, max: 1e9 }),
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    (attempt, random) => {
      const wait = backoffMs(attempt, { ...LIMITS, random });
      assert.ok(wait >= 500 && wait <= 60_000);
    },
  ));
});
