import assert from "node:assert/strict";
import fc from "fast-check";
import { figure, quantile, ratio, shortNumber, summarize } from "./measure.ts";

Deno.test("a quantile lies on a sample, or between two of them", () => {
  assert.equal(quantile([3, 1, 2], 0.5), 2);
  assert.equal(quantile([4, 1, 2, 3], 0.5), 2.5);
  assert.equal(quantile([10, 9, 2], 0), 2);
  assert.equal(quantile([10, 9, 2], 1), 10);
  assert.equal(quantile([0, 100], 0.95), 95);
  assert.throws(() => quantile([], 0.5), TypeError);
});

Deno.test("a summary holds the median between the edges, whatever the samples", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1 }),
      (samples) => {
        const { count, median, min, max } = summarize(samples);
        assert.equal(count, samples.length);
        assert.ok(min <= median && median <= max);
        const atMost = samples.filter((sample) => sample <= median).length;
        assert.ok(atMost * 2 >= samples.length, "half of the samples are at most the median");
      },
    ),
  );
});

Deno.test("a figure needs samples, and numbers for them", () => {
  const kind = { variant: "tunnel", unit: "ms" } as const;
  assert.throws(() => figure("latency", { ...kind, samples: [] }), /no samples/);
  assert.throws(() => figure("latency", { ...kind, samples: [1, NaN] }), /a sample is NaN/);
  assert.throws(() => figure("latency", { ...kind, samples: [Infinity] }), /is Infinity/);
  assert.deepEqual(figure("latency", { ...kind, samples: [2, 1] }).samples, [2, 1]);
});

Deno.test("a ratio compares the samples that were taken in turn", () => {
  const figureOf = (variant: string, samples: number[]) =>
    figure("download", { variant, unit: "Mbit/s", samples });
  const found = ratio(figureOf("tunnel", [10, 20, 90]), figureOf("direct", [100, 100, 300]));
  assert.deepEqual(found, {
    measure: "download",
    variants: "tunnel / direct",
    count: 3,
    median: 0.2,
    min: 0.1,
    max: 0.3,
  });
  assert.throws(() => ratio(figureOf("tunnel", [1]), figureOf("direct", [1, 2])), /pairs/);
});

Deno.test("numbers are printed with three significant digits", () => {
  const shown = [0, 0.0123, 0.98765, 9.8765, 98.765, 987.65, 9876.5, -12.34].map(shortNumber);
  assert.deepEqual(shown, ["0.00", "0.01", "0.99", "9.88", "98.8", "988", "9877", "-12.3"]);
});
