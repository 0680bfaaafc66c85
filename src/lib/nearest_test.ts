import assert from "node:assert/strict";
import { nearestWord } from "./nearest.ts";

Deno.test("the nearest word is found, and none where none is near", () => {
  const known = ["id", "title", "target", "host", "rendezvous"];
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["taget", "target"],
    ["Target", "target"],
    ["rendevous", "rendezvous"],
    ["tile", "title"],
    ["hosts", "host"],
    ["di", undefined],
    ["x", undefined],
    ["password", undefined],
    ["", undefined],
    ["target".repeat(10_000), undefined],
  ];
  for (const [word, expected] of cases) {
    assert.equal(nearestWord(word, known), expected, word.slice(0, 20));
  }
});
