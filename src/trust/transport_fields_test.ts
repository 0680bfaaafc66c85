import assert from "node:assert/strict";
import { checkCandidate, MAX_CANDIDATE_BYTES } from "./transport_fields.ts";

const LINE = "candidate:1 1 udp 1 10.0.0.1 9 typ host";

Deno.test("candidate is as long as its limit, and no longer, whatever its grammar says", () => {
  const longer = (bytes: number) => {
    const rest = bytes - LINE.length - " a ".length - " b ".length;
    const half = Math.floor(rest / 2);
    return `${LINE} a ${"x".repeat(half)} b ${"y".repeat(rest - half)}`;
  };
  assert.equal(longer(MAX_CANDIDATE_BYTES).length, MAX_CANDIDATE_BYTES);
  assert.equal(checkCandidate(longer(MAX_CANDIDATE_BYTES)), longer(MAX_CANDIDATE_BYTES));
  for (const bytes of [MAX_CANDIDATE_BYTES + 1, 400]) {
    assert.throws(() => checkCandidate(longer(bytes)), { name: "CborError" });
  }
});
