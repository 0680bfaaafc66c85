/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { Inbox } from "./inbox.ts";

Deno.test("inbox hands out messages in order, waiting or not", async () => {
  const inbox = new Inbox<number>(4);
  inbox.put(1);
  inbox.put(2);
  assert.equal(await inbox.take(), 1);
  assert.equal(await inbox.take(), 2);
  const third = inbox.take();
  inbox.put(3);
  assert.equal(await third, 3);
});

Deno.test("inbox refuses what is above its limit", () => {
  const inbox = new Inbox<number>(2);
  assert.deepEqual([inbox.put(1), inbox.put(2), inbox.put(3)], [true, true, false]);
});
