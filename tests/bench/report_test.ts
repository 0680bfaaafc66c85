import assert from "node:assert/strict";
import { figure, ratio } from "./measure.ts";
import { documentOf, type Run, tableOf } from "./report.ts";

const tunnel = figure("download", { variant: "tunnel", unit: "Mbit/s", samples: [80, 100, 90] });
const direct = figure("download", { variant: "direct", unit: "Mbit/s", samples: [800, 800, 900] });
const RUN: Run = {
  machine: {
    cores: 2,
    memoryMB: 1000,
    kernel: "6.1",
    arch: "x86_64",
    runtime: "deno 2",
    browser: "Chromium 1",
    commit: undefined,
  },
  quick: true,
  seconds: 61.2,
  findings: [{ figures: [tunnel, direct], ratios: [ratio(tunnel, direct)] }],
  skipped: ["no links here"],
  failed: ["memory: it ended"],
};

Deno.test("the table aligns its columns and says what was left out", () => {
  assert.equal(
    tableOf(RUN),
    `porthole without a commit on deno 2, x86_64
2 cores, 1000 MB, Linux 6.1, Chromium 1

what      how              n  median  min .. max    unit
download  tunnel           3    90.0  80.0 .. 100   Mbit/s
download  direct           3     800  800 .. 900    Mbit/s
download  tunnel / direct  3    0.10  0.10 .. 0.13  x

skipped: no links here
failed: memory: it ended
61 s, quick: few samples`,
  );
});

Deno.test("the document keeps every sample beside its summary", () => {
  const document = JSON.parse(JSON.stringify(documentOf(RUN)));
  assert.deepEqual(document.figures[0], {
    measure: "download",
    variant: "tunnel",
    unit: "Mbit/s",
    samples: [80, 100, 90],
    count: 3,
    median: 90,
    min: 80,
    max: 100,
  });
  assert.equal(document.ratios.length, 1);
  assert.deepEqual([document.quick, document.seconds, document.skipped], [true, 61, [
    "no links here",
  ]]);
});
