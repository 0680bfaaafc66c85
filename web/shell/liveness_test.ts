/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { Liveness } from "./liveness.ts";

Deno.test("liveness sends numbered pings and measures the round trip", () => {
  const liveness = new Liveness();
  assert.deepEqual(liveness.tick(1000), { ping: 1 });
  assert.equal(liveness.roundTrip, undefined);
  liveness.pong(1, 1042);
  assert.equal(liveness.roundTrip, 42);
  assert.deepEqual(liveness.tick(2000), { ping: 2 });
});

Deno.test("liveness gives up when a ping stays unanswered for 3 s", () => {
  const liveness = new Liveness();
  liveness.tick(0);
  liveness.tick(1000);
  liveness.tick(2000);
  assert.equal(liveness.tick(3000), "lost");
});

Deno.test("liveness takes a late pong as an answer to the earlier pings too", () => {
  const liveness = new Liveness();
  liveness.tick(0);
  liveness.tick(1000);
  liveness.pong(2, 1500);
  liveness.tick(2000);
  assert.deepEqual(liveness.tick(3000), { ping: 4 });
});

Deno.test("liveness ignores pongs that nobody waits for", () => {
  const liveness = new Liveness();
  liveness.tick(0);
  liveness.pong(7, 10);
  liveness.pong(-1, 10);
  assert.equal(liveness.roundTrip, undefined);
  liveness.tick(1000);
  liveness.tick(2000);
  assert.equal(liveness.tick(3000), "lost");
});

Deno.test("liveness gives the device another chance after the page was frozen", () => {
  const liveness = new Liveness();
  liveness.tick(0);
  assert.deepEqual(liveness.tick(60_000), { ping: 2 });
  liveness.tick(61_000);
  liveness.tick(62_000);
  assert.equal(liveness.tick(63_000), "lost");
});
