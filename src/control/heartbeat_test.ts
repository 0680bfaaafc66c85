import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { Heartbeat, type HeartbeatOptions } from "./heartbeat.ts";
import { MemoryLog } from "./test_parts.ts";

/** A heartbeat whose parts only count, or fail. */
function beating(fails: readonly string[] = []) {
  const calls: Record<string, number> = { look: 0, keep: 0, flush: 0, signBase: 0, rotate: 0 };
  const count = (name: string) => {
    calls[name]!++;
    if (fails.includes(name)) throw new Error(`${name} failed`);
  };
  const log = new MemoryLog();
  const options: HeartbeatOptions = {
    live: { look: () => count("look") },
    grants: { keep: () => count("keep") },
    audit: {
      flush: () => count("flush"),
      // deno-lint-ignore require-await -- its type promises
      signBase: async () => count("signBase"),
    },
    // deno-lint-ignore require-await -- its type promises
    rotation: { look: async () => count("rotate") },
    log,
  };
  return { heart: new Heartbeat(options), calls, log };
}

Deno.test("heartbeat looks each second, and keeps, signs and rotates each minute and at the start", async () => {
  const { heart, calls } = beating();
  heart.start();
  for (let i = 0; i < 120; i++) heart.beat();
  await heart.stop();
  assert.deepEqual(calls, { look: 120, keep: 4, flush: 121, signBase: 3, rotate: 3 });
});

Deno.test("heartbeat goes on when a part of it fails", async () => {
  const { heart, calls, log } = beating(["look", "keep", "signBase", "rotate"]);
  heart.start();
  for (let i = 0; i < 61; i++) heart.beat();
  await heart.stop();
  assert.deepEqual(calls, { look: 61, keep: 3, flush: 62, signBase: 2, rotate: 2 });
  assert.deepEqual(new Set(log.events), new Set(["control.failed"]));
});

Deno.test("heartbeat beats by itself, until it is stopped", async () => {
  const { heart, calls } = beating();
  heart.start();
  while (calls.look === 0) await delay(20);
  await heart.stop();
});
