/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { compareHash, compareHeads } from "./audit_head.ts";

const head = (sequence: number, fill: number) => ({
  sequence,
  hash: new Uint8Array(32).fill(fill),
});

Deno.test("compareHeads() believes the first head that it sees, and the same one again", () => {
  assert.equal(compareHeads(undefined, head(9, 1)), "sound");
  assert.equal(compareHeads(head(9, 1), head(9, 1)), "sound");
});

Deno.test("compareHeads() finds a log that ends before what was seen", () => {
  assert.equal(compareHeads(head(9, 1), head(8, 1)), "older");
  assert.equal(compareHeads(head(9, 1), head(0, 0)), "older");
});

Deno.test("compareHeads() finds another entry in the place of the one that was seen", () => {
  assert.equal(compareHeads(head(9, 1), head(9, 2)), "different");
});

Deno.test("compareHeads() asks when the log went on", () => {
  assert.equal(compareHeads(head(9, 1), head(10, 2)), "ask");
});

Deno.test("compareHash() lets an entry that is not kept any more prove nothing", () => {
  assert.equal(compareHash(head(9, 1), undefined), "sound");
  assert.equal(compareHash(head(9, 1), head(9, 1).hash), "sound");
  assert.equal(compareHash(head(9, 1), head(9, 2).hash), "different");
  assert.equal(compareHash(head(9, 1), new Uint8Array(0)), "different");
});
