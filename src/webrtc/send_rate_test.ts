import assert from "node:assert/strict";
import { MAX_RATE, MIN_RATE, SendRate, START_RATE } from "./send_rate.ts";

const STREAM = 4_000_000;

Deno.test("a radio's loss slows nobody down, and a good path is used more and more", () => {
  const rate = new SendRate();
  for (let second = 0; second < 60; second++) {
    rate.report({ lost: 0.01, roundTripMs: 50, sentRate: STREAM });
  }
  assert.equal(rate.value, MAX_RATE);
});

Deno.test("between a radio's loss and congestion the rate stays", () => {
  const rate = new SendRate();
  rate.report({ lost: 0.05, roundTripMs: 50, sentRate: STREAM });
  assert.equal(rate.value, START_RATE);
});

Deno.test("a path of half the stream is found within seconds, by its loss", () => {
  const rate = new SendRate();
  const path = STREAM / 2;
  for (let second = 0; second < 8; second++) {
    const sentRate = Math.min(STREAM, rate.value);
    rate.report({ lost: Math.max(0, 1 - path / sentRate), roundTripMs: 50, sentRate });
  }
  assert.ok(rate.value < path * 1.3, `${rate.value}`);
});

Deno.test("a queue that only delays is seen by the round trip, if it lasts", () => {
  const rate = new SendRate();
  rate.report({ lost: 0, roundTripMs: 30, sentRate: STREAM });
  rate.report({ lost: 0, roundTripMs: 400, sentRate: STREAM });
  assert.ok(rate.value > STREAM * 1.5, "one second of it is no congestion");
  for (let second = 0; second < 3; second++) {
    rate.report({ lost: 0, roundTripMs: 400, sentRate: STREAM });
  }
  assert.ok(rate.value < STREAM * 1.5);
  for (let second = 0; second < 6; second++) {
    rate.report({ lost: 0, roundTripMs: 35, sentRate: STREAM });
  }
  assert.ok(rate.value >= START_RATE, "and forgotten when it has emptied");
});

Deno.test("one bad second of a quiet scene leaves room for its next key frame", () => {
  const rate = new SendRate();
  rate.report({ lost: 0.3, roundTripMs: 50, sentRate: 100_000 });
  assert.ok(rate.value > 5_000_000);
});

Deno.test("nothing takes the rate below its floor", () => {
  const rate = new SendRate();
  for (let second = 0; second < 100; second++) {
    rate.report({ lost: 1, roundTripMs: undefined, sentRate: 0 });
  }
  assert.equal(rate.value, MIN_RATE);
});
