import { deepEqual, equal } from "node:assert/strict";
import { concat, fromHex } from "../lib/bytes.ts";
import { AnnexBReader } from "./annexb_reader.ts";

const KEY = fromHex("00000001658811");
const SLICE = fromHex("00000001419a22");

Deno.test("a picture is complete when the next begins, with the time at which that was", () => {
  const reader = new AnnexBReader();
  deepEqual(reader.push(0, KEY), []);
  deepEqual(reader.idle(10), []);
  const [unit] = reader.push(20, SLICE);
  equal(unit?.keyFrame, true);
  equal(unit?.timestamp, 1800);
});

Deno.test("a pause ends a picture where the program writes pictures at once", () => {
  const reader = new AnnexBReader({ endsEarly: true });
  reader.push(0, KEY);
  deepEqual(reader.idle(10).map((unit) => unit.keyFrame), [true]);
  deepEqual(reader.push(33, SLICE), []);
  deepEqual(reader.idle(43).map((unit) => unit.timestamp), [3870]);
  deepEqual(reader.idle(53), []);
});

Deno.test("a picture that was cut by a pause costs those up to the next key frame, once", () => {
  const reader = new AnnexBReader({ endsEarly: true });
  reader.push(0, KEY.subarray(0, 6));
  equal(reader.idle(10).length, 1);
  deepEqual(reader.push(20, concat(KEY.subarray(6), SLICE, SLICE)), []);
  deepEqual(reader.idle(30), [], "no pause ends a picture any more");
  const units = [...reader.push(33, concat(KEY, SLICE)), ...reader.push(66, SLICE)];
  deepEqual(units.map((unit) => unit.keyFrame), [true, false]);
});
