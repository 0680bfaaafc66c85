/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { FrameRate } from "./frame_rate.ts";

Deno.test("frame rate counts the pictures of the last two seconds", () => {
  const rate = new FrameRate();
  for (let i = 0; i < 90; i++) rate.shown(i * (1000 / 30));
  assert.equal(rate.perSecond(3000), 30);
  assert.equal(rate.perSecond(60_000), 0);
});

Deno.test("frame rate is right from the first second on", () => {
  const rate = new FrameRate();
  assert.equal(rate.perSecond(10_000), 0);
  for (let i = 0; i < 15; i++) rate.shown(10_000 + i * (1000 / 30));
  assert.equal(rate.perSecond(10_500), 30);
});

Deno.test("frame rate keeps a bounded memory", () => {
  const rate = new FrameRate();
  for (let i = 0; i < 10_000; i++) rate.shown(1);
  assert.equal(rate.perSecond(2000), 256);
});
