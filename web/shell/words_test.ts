/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import type { LostCode } from "./lost.ts";
import {
  cameraSentence,
  explain,
  explainBorrowing,
  explainFor,
  explainPairing,
  sinceSentence,
  stateSentence,
} from "./words.ts";

const FRONT = { id: "front", title: "Front gate" };

Deno.test("stateSentence() says what the session is doing now", () => {
  assert.equal(stateSentence({ phase: "finding" }, "Gate"), "Looking for Gate…");
  assert.equal(
    stateSentence({ phase: "lost", code: "silent" }, "Gate"),
    "The device stopped answering. Trying again by itself.",
  );
  assert.equal(
    stateSentence(
      { phase: "live", name: "Gate", services: [], cameras: [], access: { role: "owner" } },
      "Gate",
    ),
    "Connected",
  );
});

Deno.test("explainPairing() has a remedy for everything that ends a pairing", () => {
  const codes: (LostCode | "bad_link")[] = [
    "bad_link",
    "claim_used",
    "claim_expired",
    "claim_wrong",
    "not_paired",
    "version",
    "absent",
  ];
  for (const code of codes) {
    const { what, remedy } = explainPairing(code);
    assert.match(what, /\.$/, code);
    assert.match(remedy, /\.$/, code);
  }
  assert.notEqual(explainPairing("claim_used").remedy, explain("claim_used").remedy);
});

Deno.test("explainBorrowing() has a remedy for everything that keeps a guest out", () => {
  const codes: (LostCode | "bad_link")[] = [
    "bad_link",
    "grant_invalid",
    "grant_expired",
    "grant_revoked",
    "grant_used",
    "time_unknown",
    "not_paired",
    "removed",
    "absent",
  ];
  for (const code of codes) {
    const { what, remedy } = explainBorrowing(code);
    assert.match(what, /\.$/, code);
    assert.match(remedy, /\.$/, code);
    assert.doesNotMatch(what + remedy, /porthole (pair|run)/, code); // a guest has no way to the device
  }
});

Deno.test("explainFor() tells owners and guests apart, and unknown time from expired", () => {
  assert.notEqual(explainFor("owner")("removed").what, explainFor("guest")("removed").what);
  assert.doesNotMatch(explainFor("guest")("time_unknown").what, /over|expired/);
  assert.match(explainFor("guest")("kicked").remedy, /again/);
});

Deno.test("cameraSentence() names the line to fix when the camera refuses the password", () => {
  const view = { state: "failed", code: "unauthorised", since: 0 } as const;
  assert.match(
    cameraSentence(FRONT, view)!.remedy,
    /refused the password.*“source” of camera “front” in “porthole\.toml”/,
  );
});

Deno.test("cameraSentence() says since when there is no picture", () => {
  const since = new Date(2026, 0, 1, 12, 3, 5).getTime();
  assert.match(
    cameraSentence(FRONT, { state: "waiting", since })!.what,
    /^No picture since 12:03:05/,
  );
  assert.equal(cameraSentence(FRONT, { state: "off" }), undefined);
});

Deno.test("sinceSentence() counts minutes and hours, then gives the date", () => {
  const now = new Date(2026, 4, 3, 12).getTime();
  assert.equal(sinceSentence(now - 5000, now), "just now");
  assert.equal(sinceSentence(now - 60_000, now), "1 minute ago");
  assert.equal(sinceSentence(now - 5 * 3_600_000, now), "5 hours ago");
  assert.match(sinceSentence(now - 5 * 86_400_000, now), /2026/);
});
