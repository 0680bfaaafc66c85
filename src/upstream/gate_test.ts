import assert from "node:assert/strict";
import { Gate } from "./gate.ts";

const NEVER = new AbortController().signal;
const FAR_MS = 60_000; // never reached: a test that needed it would hang

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  // A macrotask later everything that could run has run.
  const turn = new Promise((resolve) => setTimeout(() => resolve(pending), 0));
  return await Promise.race([promise, turn]) === pending;
}

Deno.test("gate lets as many in as it has places, and the next when one leaves", async () => {
  const gate = new Gate({ places: 2, longMs: FAR_MS, waitMs: FAR_MS });
  const first = await gate.enter(NEVER);
  const second = await gate.enter(NEVER);
  const third = gate.enter(NEVER);
  const fourth = gate.enter(NEVER);
  assert.ok(await isPending(third));
  first();
  first(); // counts once
  const leaveThird = await third;
  assert.ok(await isPending(fourth));
  second();
  leaveThird();
  (await fourth)();
});

Deno.test("gate frees the place of an exchange that lasts", async () => {
  const gate = new Gate({ places: 1, longMs: 1, waitMs: FAR_MS });
  const long = await gate.enter(NEVER);
  const next = await gate.enter(NEVER);
  long();
  next();
});

Deno.test("gate lets nobody wait longer than its limit", async () => {
  const gate = new Gate({ places: 1, longMs: FAR_MS, waitMs: 1 });
  const leaves = [await gate.enter(NEVER), await gate.enter(NEVER), await gate.enter(NEVER)];
  for (const leave of leaves) leave();
  (await gate.enter(NEVER))();
});

Deno.test("gate forgets who gave up, and passes the turn on", async () => {
  const gate = new Gate({ places: 1, longMs: FAR_MS, waitMs: FAR_MS });
  const leave = await gate.enter(NEVER);
  const abort = new AbortController();
  const refused = assert.rejects(gate.enter(abort.signal), { code: "cancelled" });
  const next = gate.enter(NEVER);
  abort.abort();
  await refused;
  assert.ok(await isPending(next));
  leave();
  (await next)();
});
