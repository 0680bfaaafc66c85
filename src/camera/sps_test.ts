import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { fromHex } from "../lib/bytes.ts";
import { parseSps } from "./sps.ts";

const CLIP = fromHex("6742c01fa611028 0bfe5c044000003000400000300f03c60c846".replaceAll(" ", ""));
// x264 --profile high, 1920x1080, cropped from 1088 lines.
const HIGH = fromHex("67640028acd940780227e5c044000003000400000300f03c60c658");

Deno.test("sequence parameters of the test clip are read", () => {
  deepEqual(parseSps(CLIP), {
    id: 0,
    profileLevelId: "42c01f",
    width: 640,
    height: 360,
    plainColour: true,
  });
});

Deno.test("a High profile set with cropping is read", () => {
  const parameters = parseSps(HIGH);
  equal(parameters?.profileLevelId, "640028");
  deepEqual([parameters?.width, parameters?.height], [1920, 1080]);
  equal(parameters?.plainColour, true);
});

Deno.test("a set that is cut before its size is refused, and no cut throws", () => {
  for (let length = 0; length < 10; length++) equal(parseSps(CLIP.subarray(0, length)), undefined);
  for (let length = 10; length < CLIP.length; length++) parseSps(CLIP.subarray(0, length));
});

Deno.test("a unit of another type is no set", () => {
  equal(parseSps(Uint8Array.of(0x68, ...CLIP.subarray(1))), undefined);
});

Deno.test("random sets give sane sizes or nothing", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    const parameters = parseSps(Uint8Array.of(0x67, ...bytes));
    if (parameters === undefined) return true;
    const { id, width, height } = parameters;
    return id <= 31 && width > 0 && width <= 16_384 && height > 0 && height <= 16_384;
  }));
});
