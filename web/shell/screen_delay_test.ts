/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { ScreenDelay } from "./screen_delay.ts";

Deno.test("the median of the last pictures is given, whatever one of them took", () => {
  const delay = new ScreenDelay();
  assert.equal(delay.median, undefined);
  for (let picture = 0; picture < 200; picture++) delay.shown(picture, picture + 500);
  for (let picture = 0; picture < 60; picture++) {
    delay.shown(picture, picture + (picture % 10 === 0 ? 900 : 20));
  }
  assert.equal(delay.median, 20);
});

Deno.test("what is not told or cannot be is left out", () => {
  const delay = new ScreenDelay();
  delay.shown(undefined, 5);
  delay.shown(100, 50);
  delay.shown(0, 60_000);
  assert.equal(delay.median, undefined);
});
