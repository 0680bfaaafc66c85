/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { delay, until, within } from "./wait.ts";

const never = () => Promise.withResolvers<never>().promise;
const late = () => new Error("late");

Deno.test("until() gives the promise's own outcome", async () => {
  const { signal } = new AbortController();
  assert.equal(await until(Promise.resolve(1), signal), 1);
  await assert.rejects(until(Promise.reject(new Error("own")), signal), /own/);
});

Deno.test("until() rejects with the signal's reason, before and during the wait", async () => {
  await assert.rejects(until(never(), AbortSignal.abort(new Error("before"))), /before/);
  // The promise's own failure is nobody's any more, and must not become an unhandled one.
  const fails = Promise.reject(new Error("own"));
  await assert.rejects(until(fails, AbortSignal.abort(new Error("before"))), /before/);
  const controller = new AbortController();
  const waiting = until(never(), controller.signal);
  controller.abort(new Error("during"));
  await assert.rejects(waiting, /during/);
});

Deno.test("within() is late after its limit and leaves no timer behind", async () => {
  const { signal } = new AbortController();
  await assert.rejects(within(never(), { limitMs: 1, late, signal }), /late/);
  assert.equal(await within(Promise.resolve(2), { limitMs: 60_000, late, signal }), 2);
});

Deno.test("delay() ends early with the signal", async () => {
  const controller = new AbortController();
  const waiting = delay(60_000, controller.signal);
  controller.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
});
