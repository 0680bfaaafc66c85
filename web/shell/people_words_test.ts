/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import type { GrantEntry } from "../../src/protocol/owner.ts";
import {
  grantSentence,
  listText,
  mayDo,
  momentText,
  operationsText,
  spanText,
} from "./people_words.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

Deno.test("spanText() counts down in the unit that matters", () => {
  const table: readonly (readonly [number, string])[] = [
    [-5, "0 s"],
    [1, "1 s"],
    [59 * SECOND, "59 s"],
    [60 * SECOND, "1 min"],
    [59 * MINUTE + 59 * SECOND, "59 min"],
    [HOUR, "1 h"],
    [HOUR + 20 * MINUTE, "1 h 20 min"],
    [24 * HOUR, "1 day"],
    [30 * HOUR, "1 day 6 h"],
    [53 * HOUR, "2 days 5 h"],
    [80 * HOUR, "3 days"],
  ];
  for (const [milliseconds, text] of table) assert.equal(spanText(milliseconds), text);
});

Deno.test("momentText() says the day as people do", () => {
  const now = new Date(2026, 4, 3, 12).getTime();
  const at = (...date: [number, number, number, number]) =>
    momentText(new Date(...date).getTime(), now);
  assert.match(at(2026, 4, 3, 18), /^today .*(18|6):00/);
  assert.match(at(2026, 4, 4, 9), /^tomorrow /);
  assert.match(at(2026, 4, 2, 9), /^yesterday /);
  assert.doesNotMatch(at(2026, 4, 9, 9), /2026/);
  assert.match(at(2027, 4, 9, 9), /2027/);
});

Deno.test("mayDo() tells a guest what was lent", () => {
  assert.equal(mayDo(["view"]), "You may look");
  assert.equal(
    mayDo(["view", "talk", "operate"]),
    "You may look and operate, and talk through its cameras",
  );
});

Deno.test("operationsText() and listText() join words", () => {
  assert.equal(operationsText(["view", "talk", "operate"]), "look, operate and talk");
  assert.equal(operationsText(["view"]), "look");
  assert.equal(listText([]), "");
});

Deno.test("grantSentence() says how far a grant is", () => {
  const guest = { id: "ab", label: "Phone", redeemedAt: 0 };
  const grant = (part: Partial<GrantEntry>): GrantEntry => ({
    id: "cd",
    label: "Plumber",
    services: [],
    cameras: [],
    operations: ["view"],
    expires: 0,
    uses: 2,
    state: "waiting",
    guests: [],
    ...part,
  });
  assert.match(grantSentence(grant({}), "today"), /^Nobody .* Ends today$/);
  assert.match(grantSentence(grant({ guests: [guest] }), "today"), /^1 of 2 came/);
  assert.equal(grantSentence(grant({ state: "used", uses: 1, guests: [guest] }), "x"), "Ends x");
  assert.match(grantSentence(grant({ state: "expired" }), "today"), /^Ended by itself/);
  assert.match(grantSentence(grant({ state: "revoked" }), "today"), /^Ended by an owner/);
});
