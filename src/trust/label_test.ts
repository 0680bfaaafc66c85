import assert from "node:assert/strict";
import { isLabel, tidyLabel } from "./label.ts";

Deno.test("label keeps what people read and drops what disturbs a terminal or a page", () => {
  const tidied: [string, string][] = [
    ["Firefox on Linux", "Firefox on Linux"],
    ["  Küche 📱 ", "Küche 📱"],
    ["a\nb\u001b[31m\u2028\u202ec\u0000", "ab[31mc"],
    ["", "browser"],
    ["\u0000\u200b", "browser"],
    ["x".repeat(100), "x".repeat(64)],
    ["é".repeat(100), "é".repeat(32)],
    ["📱".repeat(100), "📱".repeat(16)],
  ];
  for (const [text, label] of tidied) {
    assert.equal(tidyLabel(text), label);
    assert.equal(isLabel(label), true);
    assert.equal(isLabel(text), text === label);
  }
});
