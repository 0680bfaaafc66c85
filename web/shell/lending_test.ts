/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { encodeScope } from "../../src/trust/scope.ts";
import { MAX_LINK_NUMBERS } from "../../src/trust/invite_link.ts";
import { durationSeconds, scopeOf, untilTonight, type Wish, wishDefect } from "./lending.ts";

const THINGS = {
  services: [{ id: "ui", title: "Gate", number: 7 }, { id: "files", title: "Files", number: 2 }],
  cameras: [{ id: "front", title: "Front", number: 3 }, { id: "old", title: "No number" }],
};
const WISH: Wish = {
  services: ["ui", "files"],
  cameras: ["front"],
  operate: false,
  talk: false,
  seconds: 3600,
  uses: 1,
  label: "Plumber",
};

Deno.test("scopeOf() gives the device's numbers in the order that tokens want", () => {
  const scope = scopeOf(WISH, THINGS);
  assert.deepEqual(scope, { services: [2, 7], cameras: [3], operations: ["view"] });
  encodeScope(scope); // throws for what no token takes
});

Deno.test("scopeOf() grants nothing for what is not lent", () => {
  const all = { ...WISH, operate: true, talk: true };
  assert.deepEqual(scopeOf(all, THINGS).operations, ["view", "talk", "operate"]);
  assert.deepEqual(scopeOf({ ...all, services: [] }, THINGS).operations, ["view", "talk"]);
  assert.deepEqual(scopeOf({ ...all, cameras: [] }, THINGS).operations, ["view", "operate"]);
});

Deno.test("scopeOf() refuses what the device has no number for", () => {
  assert.throws(() => scopeOf({ ...WISH, cameras: ["old"] }, THINGS), RangeError);
  assert.throws(() => scopeOf({ ...WISH, services: ["gone"] }, THINGS), RangeError);
});

Deno.test("untilTonight() is midnight here, and after half past eleven the next one", () => {
  assert.equal(untilTonight(new Date(2026, 4, 3, 18, 0).getTime()), 6 * 3600);
  assert.equal(untilTonight(new Date(2026, 4, 3, 23, 30).getTime()), 1800);
  assert.equal(untilTonight(new Date(2026, 4, 3, 23, 45).getTime()), 900 + 86_400);
});

Deno.test("durationSeconds() takes a person's own figure within reason", () => {
  const own = (amount: number, unit: "minutes" | "hours" | "days") =>
    durationSeconds("own", { amount, unit, now: 0 });
  assert.equal(own(2, "days"), 172_800);
  assert.equal(own(1.5, "hours"), 5400);
  assert.equal(own(365, "days"), 365 * 86_400);
  for (const amount of [0, -1, 0.5, NaN, Infinity]) {
    assert.equal(own(amount, "minutes"), undefined, String(amount));
  }
  assert.equal(own(366, "days"), undefined);
  assert.equal(durationSeconds("week", { amount: NaN, unit: "days", now: 0 }), 604_800);
});

Deno.test("wishDefect() names what keeps a wish from being granted", () => {
  assert.equal(wishDefect(WISH), undefined);
  assert.equal(wishDefect({ ...WISH, services: [], cameras: [] }), "nothing");
  assert.equal(wishDefect({ ...WISH, seconds: undefined }), "duration");
  const many = Array.from({ length: MAX_LINK_NUMBERS }, (_, index) => `s${index}`);
  assert.equal(wishDefect({ ...WISH, services: many }), "too_many");
  assert.equal(wishDefect({ ...WISH, services: many, cameras: [] }), undefined);
  for (const uses of [0, 65, 1.5, NaN]) assert.equal(wishDefect({ ...WISH, uses }), "uses");
});
