/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { lostByHandshake, LostError, nextAfter } from "./lost.ts";

Deno.test("nextAfter() retries a restarted device at once, but only once", () => {
  assert.equal(nextAfter("stale", false), "at_once");
  assert.equal(nextAfter("stale", true), "later");
});

Deno.test("nextAfter() leaves alone what only a person can mend", () => {
  for (
    const code of ["not_paired", "claim_used", "claim_expired", "claim_wrong", "version"] as const
  ) {
    assert.equal(nextAfter(code, false), "never", code);
  }
  for (const code of ["absent", "rendezvous", "silent", "no_path", "busy", "forged"] as const) {
    assert.equal(nextAfter(code, false), "later", code);
  }
});

Deno.test("lostByHandshake() keeps known codes and calls the rest internal", () => {
  assert.equal(lostByHandshake({ code: "bad_signature" }).code, "forged");
  assert.equal(lostByHandshake({ code: "claim_used" }).code, "claim_used");
  for (
    const strange of [undefined, null, 1, new Error("x"), { code: 3 }, { code: "constructor" }]
  ) {
    assert.equal(lostByHandshake(strange).code, "internal");
  }
  const own = new LostError("absent", "x");
  assert.equal(lostByHandshake(own), own);
});
