/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { LIMIT_MS, Liveness, PING_INTERVAL_MS } from "./liveness.ts";

/** Pings from `from` on, unanswered, until it gives up; gives when that was. */
function untilLost(liveness: Liveness, from: number): number {
  let now = from;
  while (liveness.tick(now) !== "lost") now += PING_INTERVAL_MS;
  return now;
}

Deno.test("liveness sends numbered pings and measures the round trip", () => {
  const liveness = new Liveness();
  assert.deepEqual(liveness.tick(1000), { ping: 1 });
  assert.equal(liveness.roundTrip, undefined);
  liveness.pong(1, 1042);
  assert.equal(liveness.roundTrip, 42);
  assert.deepEqual(liveness.tick(2000), { ping: 2 });
});

Deno.test("liveness says how long a ping is unanswered, and gives up after thirty seconds", () => {
  const liveness = new Liveness();
  assert.equal(liveness.silence(0), 0);
  liveness.tick(0);
  assert.equal(liveness.silence(700), 700);
  liveness.pong(1, 800);
  assert.equal(liveness.silence(900), 0);
  assert.equal(untilLost(liveness, 1000), 1000 + LIMIT_MS);
});

Deno.test("liveness takes a late pong as an answer to the earlier pings too", () => {
  const liveness = new Liveness();
  liveness.tick(0);
  liveness.tick(1000);
  liveness.pong(2, 1500);
  liveness.tick(2000);
  assert.equal(liveness.silence(2400), 400);
});

Deno.test("liveness ends its silence with the first answer after a gap, though more are due", () => {
  const liveness = new Liveness();
  for (let now = 0; now <= 20_000; now += PING_INTERVAL_MS) liveness.tick(now);
  assert.equal(liveness.silence(20_000), 20_000);
  liveness.pong(1, 20_100);
  assert.equal(liveness.silence(20_200), 100);
});

Deno.test("liveness takes any message of the device for a sign of life", () => {
  const liveness = new Liveness();
  for (let now = 0; now <= 5000; now += PING_INTERVAL_MS) liveness.tick(now);
  liveness.heard(5200);
  assert.equal(liveness.silence(5300), 100);
  assert.equal(liveness.heardAt, 5200);
});

Deno.test("liveness ignores pongs that nobody waits for", () => {
  const liveness = new Liveness();
  liveness.tick(0);
  liveness.pong(7, 10);
  liveness.pong(-1, 10);
  assert.equal(liveness.roundTrip, undefined);
  assert.equal(liveness.silence(1000), 1000);
});

Deno.test("liveness gives the device another chance after the page was frozen", () => {
  const liveness = new Liveness();
  liveness.tick(0);
  assert.deepEqual(liveness.tick(60_000), { ping: 2 });
  assert.equal(liveness.silence(60_500), 500);
  assert.equal(untilLost(liveness, 61_000), 60_000 + LIMIT_MS);
});
