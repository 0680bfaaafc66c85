/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { REFUSAL_REASONS } from "../../src/trust/handshake_error.ts";
import { endsAccess, lostByHandshake, LostError, mayRetry, nextAfter } from "./lost.ts";

Deno.test("nextAfter() retries a restarted device at once, but only once", () => {
  assert.equal(nextAfter("stale", false), "at_once");
  assert.equal(nextAfter("stale", true), "later");
});

Deno.test("nextAfter() leaves alone what only a person can mend", () => {
  for (
    const code of [
      "not_paired",
      "claim_used",
      "claim_expired",
      "claim_wrong",
      "grant_invalid",
      "grant_expired",
      "grant_revoked",
      "grant_used",
      "removed",
      "kicked",
      "version",
    ] as const
  ) {
    assert.equal(nextAfter(code, false), "never", code);
  }
  for (
    const code of [
      "absent",
      "rendezvous",
      "silent",
      "no_path",
      "busy",
      "forged",
      "time_unknown",
    ] as const
  ) {
    assert.equal(nextAfter(code, false), "later", code);
  }
});

Deno.test("mayRetry() holds where only the session was ended", () => {
  assert.ok(mayRetry("kicked"));
  for (const code of ["removed", "grant_revoked", "grant_expired", "not_paired"] as const) {
    assert.ok(!mayRetry(code), code);
    assert.ok(endsAccess(code), code);
  }
  assert.ok(!endsAccess("kicked") && !endsAccess("time_unknown") && !endsAccess("absent"));
});

Deno.test("lostByHandshake() keeps known codes and calls the rest internal", () => {
  assert.equal(lostByHandshake({ code: "bad_signature" }).code, "forged");
  assert.equal(lostByHandshake({ code: "claim_used" }).code, "claim_used");
  for (
    const strange of [undefined, null, 1, new Error("x"), { code: 3 }, { code: "constructor" }]
  ) {
    assert.equal(lostByHandshake(strange).code, "internal");
  }
  for (const code of REFUSAL_REASONS) assert.notEqual(lostByHandshake({ code }).code, "internal");
  const own = new LostError("absent", "x");
  assert.equal(lostByHandshake(own), own);
});
