import { deepEqual, equal } from "node:assert/strict";
import { KeptFrames, MAX_KEPT_BYTES, MAX_KEPT_FRAMES } from "./gop.ts";

function frame(keyFrame: boolean, bytes = 1) {
  return { payloads: [new Uint8Array(bytes)], timestamp: 0, keyFrame };
}

Deno.test("frames since the last key frame are kept", () => {
  const kept = new KeptFrames();
  for (const key of [false, true, false, true, false]) kept.add(frame(key));
  deepEqual(kept.frames.map((one) => one.keyFrame), [true, false]);
});

Deno.test("above a limit nothing is kept up to the next key frame", () => {
  const many = new KeptFrames();
  for (let i = 0; i <= MAX_KEPT_FRAMES; i++) many.add(frame(i === 0));
  many.add(frame(false));
  equal(many.frames.length, 0);
  const large = new KeptFrames();
  large.add(frame(true, MAX_KEPT_BYTES));
  equal(large.frames.length, 1);
  large.add(frame(false));
  equal(large.frames.length, 0);
  large.add(frame(true));
  equal(large.frames.length, 1);
});
