/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { compareLooks, type Look, rateText, readLook } from "./picture_figures.ts";

const REPORT = [
  { id: "T", type: "transport", selectedCandidatePairId: "P" },
  {
    id: "P",
    type: "candidate-pair",
    currentRoundTripTime: 0.02,
    localCandidateId: "L",
    remoteCandidateId: "R",
  },
  { id: "L", type: "local-candidate", candidateType: "prflx" },
  { id: "R", type: "remote-candidate", candidateType: "host" },
  { id: "C", type: "codec", mimeType: "video/H264" },
  {
    ...{ id: "I", type: "inbound-rtp", kind: "video", codecId: "C", timestamp: 1000 },
    ...{ bytesReceived: 1000, packetsReceived: 10, packetsLost: 1, framesDecoded: 30 },
    ...{ jitterBufferDelay: 0.3, jitterBufferEmittedCount: 30, totalDecodeTime: 0.06 },
  },
];

const LATER: Look = {
  ...readLook(REPORT)!,
  at: 2000,
  bytes: 501_000,
  packets: 409,
  lost: 2,
  buffered: { ms: 900, pictures: 60 },
  decoded: { ms: 120, pictures: 60 },
};

Deno.test("a browser's statistics become figures", () => {
  const figures = compareLooks(readLook(REPORT)!, { now: LATER });
  assert.deepEqual(figures, {
    kilobits: 4000,
    lossPercent: 0.3,
    latencyMs: 32, // half of 20, 20 in the buffer, 2 of decoding
    codec: "H.264",
    path: "direct",
  });
});

Deno.test("what was measured on the screen counts before the browser's sums", () => {
  assert.equal(compareLooks(readLook(REPORT)!, { now: LATER, screenMs: 15 })?.latencyMs, 25);
});

Deno.test("a relay on either end is a relay", () => {
  const relayed = REPORT.map((entry) =>
    entry.id === "R" ? { ...entry, candidateType: "relay" } : entry
  );
  assert.equal(readLook(relayed)?.path, "relay");
});

Deno.test("Firefox marks the pair, and what is not told is left out", () => {
  const firefox = [
    { id: "P", type: "candidate-pair", selected: true, localCandidateId: "L" },
    { id: "L", type: "local-candidate", candidateType: "host" },
    { id: "I", type: "inbound-rtp", kind: "video", timestamp: 5 },
  ];
  const look = readLook(firefox)!;
  assert.deepEqual([look.path, look.roundTripMs, look.codec], ["direct", undefined, undefined]);
  assert.equal(compareLooks(look, { now: { ...look, at: 6 } })?.latencyMs, undefined);
  assert.equal(readLook([]), undefined);
});

Deno.test("another stream, or no time between, gives no figures", () => {
  assert.equal(compareLooks(LATER, { now: LATER }), undefined);
  assert.equal(compareLooks(LATER, { now: { ...LATER, at: 3000, bytes: 5 } }), undefined);
});

Deno.test("rates are told as people read them", () => {
  assert.deepEqual([640, 2449].map(rateText), ["640 kbit/s", "2.4 Mbit/s"]);
});
