import assert from "node:assert/strict";
import { Admission } from "./admission.ts";

Deno.test("admission stops at the limit of an address and at that of all", () => {
  const admission = new Admission(3, 2);
  assert.deepEqual(["a", "a", "a", "b", "c"].map((who) => admission.enter(who)), [
    true,
    true,
    false,
    true,
    false,
  ]);
  admission.leave("a");
  assert.equal(admission.enter("c"), true);
  assert.equal(admission.count, 3);
});

Deno.test("admission does not count below zero", () => {
  const admission = new Admission(1, 1);
  admission.leave("a");
  assert.equal(admission.enter("a"), true);
  assert.equal(admission.enter("b"), false);
});
