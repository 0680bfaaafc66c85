import assert from "node:assert/strict";
import { diagnose, type Facts, type Step } from "./diagnosis.ts";
import type { LostCode } from "./lost.ts";

const WELL: Facts = { reached: "live", clockAheadMs: 40, decodes: true, unsupported: [] };

function bad(facts: Partial<Facts>): string[] {
  return diagnose({ ...WELL, ...facts })
    .filter(({ state }) => state === "bad")
    .map(({ name }) => name);
}

Deno.test("a live session has no bad leg", () => {
  assert.deepEqual(bad({}), []);
  assert.ok(diagnose(WELL).every(({ state }) => state === "good"));
});

const ENDS: readonly (readonly [LostCode, Step, string])[] = [
  ["rendezvous", "nothing", "signalling"],
  ["refused", "nothing", "signalling"],
  ["absent", "nothing", "device"],
  ["no_answer", "found", "device"],
  ["not_paired", "found", "token"],
  ["grant_expired", "found", "token"],
  ["time_unknown", "found", "clock"],
  ["no_path", "agreed", "ICE"],
  ["no_path", "path", "DTLS"],
  ["forged", "encrypted", "proof"],
  ["silent", "live", "ICE"],
];

for (const [code, reached, leg] of ENDS) {
  Deno.test(`an attempt that ended with ${code} after "${reached}" names ${leg}, and no other`, () => {
    assert.deepEqual(bad({ code, reached }), [leg]);
  });
}

Deno.test("what an attempt did not come to is not called good", () => {
  const legs = diagnose({ ...WELL, reached: "agreed", code: "no_path" });
  const states = Object.fromEntries(legs.map(({ name, state }) => [name, state]));
  assert.deepEqual([states.signalling, states.token, states.DTLS], ["good", "good", "unknown"]);
});

Deno.test("a wrong clock and a missing codec are named beside a session that lives", () => {
  assert.deepEqual(bad({ clockAheadMs: -10 * 60_000 }), ["clock"]);
  assert.deepEqual(bad({ decodes: false }), ["codec"]);
  assert.deepEqual(bad({ unsupported: ["yard"] }), ["codec"]);
  assert.deepEqual(bad({ clockAheadMs: undefined }), []);
});
