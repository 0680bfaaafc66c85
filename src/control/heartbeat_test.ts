import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { Heartbeat, type HeartbeatOptions } from "./heartbeat.ts";
import { MemoryLog } from "./test_parts.ts";

/** A heartbeat whose parts only count, or fail, or never end. */
function beating(fails: readonly string[] = [], hangs: readonly string[] = []) {
  const calls: Record<string, number> = {
    look: 0,
    watch: 0,
    keep: 0,
    flush: 0,
    signBase: 0,
    rotate: 0,
  };
  const count = (name: string) => {
    calls[name]!++;
    if (fails.includes(name)) throw new Error(`${name} failed`);
  };
  const slow = async (name: string) => {
    count(name);
    if (hangs.includes(name)) await new Promise(() => {});
  };
  const log = new MemoryLog();
  const options: HeartbeatOptions = {
    live: { look: () => count("look") },
    grants: { keep: () => count("keep") },
    watch: { look: () => count("watch") },
    audit: {
      flush: () => count("flush"),
      signBase: () => slow("signBase"),
    },
    rotation: { look: () => slow("rotate") },
    log,
    stopLimitMs: 50,
  };
  return { heart: new Heartbeat(options), calls, log };
}

Deno.test("heartbeat looks each second, and keeps, signs and rotates each minute and at the start", async () => {
  const { heart, calls } = beating();
  heart.start();
  for (let minute = 0; minute < 2; minute++) {
    await delay(0); // what signs and rotates ends
    for (let i = 0; i < 60; i++) heart.beat();
  }
  await heart.stop();
  assert.deepEqual(calls, { look: 120, watch: 120, keep: 4, flush: 121, signBase: 3, rotate: 3 });
});

Deno.test("heartbeat goes on when a part of it fails", async () => {
  const { heart, calls, log } = beating(["look", "watch", "keep", "signBase", "rotate"]);
  heart.start();
  await delay(0);
  for (let i = 0; i < 61; i++) heart.beat();
  await heart.stop();
  assert.deepEqual(calls, { look: 61, watch: 61, keep: 3, flush: 62, signBase: 2, rotate: 2 });
  assert.deepEqual(new Set(log.events), new Set(["control.failed"]));
});

Deno.test("heartbeat beats by itself, until it is stopped", async () => {
  const { heart, calls } = beating();
  heart.start();
  while (calls.look === 0) await delay(20);
  await heart.stop();
});

Deno.test("heartbeat does all else while a key cannot be written, and stops without it", async () => {
  const { heart, calls, log } = beating([], ["rotate"]);
  heart.start();
  for (let i = 0; i < 180; i++) heart.beat();
  assert.deepEqual(calls, {
    ...{ look: 180, watch: 180, keep: 4, flush: 180 },
    ...{ signBase: 1, rotate: 0 },
  });
  await delay(0);
  heart.beat();
  assert.equal(calls.rotate, 1);
  assert.deepEqual(log.events, Array(3).fill("control.failed"));
  await heart.stop();
  assert.equal(calls.keep, 5);
});

Deno.test("heartbeat says that it does not beat: before its start, blind to sessions, or hanging", async () => {
  const well = beating();
  assert.equal(well.heart.isBeating(), false);
  well.heart.start();
  assert.equal(well.heart.isBeating(), true);
  await well.heart.stop();
  for (const ill of [beating(["look"]), beating([], ["rotate"])]) {
    ill.heart.start();
    await delay(0);
    for (let i = 0; i < 5; i++) ill.heart.beat();
    assert.equal(ill.heart.isBeating(), true, "for a moment anything may fail");
    for (let i = 0; i < 11 * 60; i++) ill.heart.beat();
    assert.equal(ill.heart.isBeating(), false);
    await ill.heart.stop();
  }
});
