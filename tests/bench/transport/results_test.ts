import assert from "node:assert/strict";
import { isSame, p95, type Sample, table } from "./results.ts";

const SAMPLE: Sample = {
  link: "50 ms",
  stack: "ours",
  pair: 0,
  direction: "down",
  messageBytes: 16_384,
  mbitPerSecond: 80,
  cpuSecondsPer100Mb: 2,
  peakMb: 100,
  openMs: 40,
  echoP95Ms: 55,
  echoes: 40,
};

Deno.test("the table has medians with their spread, and ratios pair by pair", () => {
  const pion = { ...SAMPLE, stack: "pion", mbitPerSecond: 20 } as const;
  const samples: Sample[] = [
    SAMPLE,
    pion,
    { ...pion, pair: 1, mbitPerSecond: 40, echoP95Ms: NaN },
    { ...SAMPLE, pair: 1, mbitPerSecond: 100 },
    { ...SAMPLE, pair: 2, mbitPerSecond: 90 }, // its pair failed
  ];
  const push = { stack: "ours", bytes: 1e9, seconds: 40, peakMb: 123.4 } as const;
  const lines = table(samples, [push]).split("\n");
  assert.deepEqual(lines.slice(2), [
    "| 50 ms | down | 16 KiB | ours | 3 | 90.0 (80.0..100) | 2.00 (2.00..2.00) | 100 (100..100) | 40.0 (40.0..40.0) | 55.0 (55.0..55.0) |",
    "| | | | pion | 2 | 30.0 (20.0..40.0) | 2.00 (2.00..2.00) | 100 (100..100) | 40.0 (40.0..40.0) | 55.0 (55.0..55.0) |",
    "| | | | ours / pion | 2 | 3.25 (2.50..4.00) | 1.00 (1.00..1.00) | 1.00 (1.00..1.00) | 1.00 (1.00..1.00) | 1.00 (1.00..1.00) |",
    "| loopback | down, 1.00 GB | 16 KiB | ours | 1 | 200 | | 123 | | |",
  ]);
  assert(lines.every((line) => line.split("|").length === lines[0]!.split("|").length));
});

Deno.test("a place is a sample's link, stack, pair, direction and size", () => {
  const again: Sample = { ...SAMPLE, openMs: 1 };
  assert(isSame(SAMPLE, again));
  for (const other of [{ link: "x" }, { stack: "pion" }, { pair: 1 }, { direction: "up" }]) {
    assert(!isSame(SAMPLE, { ...SAMPLE, ...other } as Sample));
  }
  assert(!isSame(SAMPLE, { ...SAMPLE, messageBytes: 1 }));
});

Deno.test("of no echoes at all there is no p95", () => {
  assert(Number.isNaN(p95([])));
  assert.equal(p95([3]), 3);
});
