/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { KeepAlive } from "./keepalive.ts";

Deno.test("KeepAlive beats while somebody holds it, and tells every holder", async () => {
  let beats = 0;
  const keepAlive = new KeepAlive(() => beats++, 1);
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const releases = [keepAlive.hold(first.resolve), keepAlive.hold(second.resolve)];
  await Promise.all([first.promise, second.promise]);
  assert.ok(beats >= 1);
  releases[0]!(); // there are two
  const third = Promise.withResolvers<void>();
  const release = keepAlive.hold(third.resolve);
  await third.promise; // the beat goes on for those who stay
  for (const each of [...releases, release]) each(); // the sanitizer finds a timer that stays
});
