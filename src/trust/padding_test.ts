import assert from "node:assert/strict";
import { pad, unpad } from "./padding.ts";

Deno.test("padding is refused in a foreign size, with a length beyond it, or with more than zeros", () => {
  const sizes = [8, 16];
  const padded = pad(new Uint8Array([1, 2, 3]), sizes);
  assert.deepEqual(unpad(padded, sizes), new Uint8Array([1, 2, 3]));
  const bad = [
    new Uint8Array(0),
    new Uint8Array(7),
    new Uint8Array(9),
    padded.with(1, 7),
    padded.with(0, 1),
    padded.with(5, 1),
    padded.with(7, 1),
  ];
  for (const bytes of bad) {
    assert.throws(() => unpad(new Uint8Array(bytes), sizes), RangeError, String(bytes));
  }
});
