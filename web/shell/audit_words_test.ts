/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import type { AuditEntry } from "../../src/protocol/owner.ts";
import { auditSentence } from "./audit_words.ts";

const NAMES = {
  grant: (id: string) => id === "aa" ? "Plumber" : undefined,
  thing: (id: string) => id === "ui" ? "Gate controller" : undefined,
};
const KEY = "0123456789abcdef";

function say(event: string, part: Partial<AuditEntry> = {}): string {
  return auditSentence({ sequence: 1, at: 0, event, ...part }, NAMES).text;
}

// As src/control/audit.ts, entrance.ts, grants.ts, household.ts, lending.ts and uses.ts write them.
const TABLE: readonly (readonly [string, Partial<AuditEntry>, string])[] = [
  [
    "owner.added",
    { label: "Phone", detail: "check 048213" },
    "Phone became an owner, check number 048 213.",
  ],
  ["owner.removed", { label: "Phone", detail: `${KEY} Old PC` }, "Phone removed the owner Old PC."],
  [
    "owner.removed",
    { detail: `${KEY} Old PC` },
    "Somebody at the device removed the owner Old PC.",
  ],
  ["guest.added", { label: "Tablet", grant: "aa" }, "Tablet opened the link for “Plumber”."],
  [
    "grant.lent",
    { label: "Phone", grant: "bb", detail: "Parcel" },
    "Phone lent something to “Parcel”.",
  ],
  ["grant.revoked", { grant: "aa" }, "Somebody at the device ended what was lent to “Plumber”."],
  ["pairing.opened", { label: "Phone", detail: "for 600 s" }, "Phone made a link for a new owner."],
  ["session.opened", { label: "Phone", detail: "owner" }, "Phone connected."],
  [
    "session.opened",
    { label: "Tablet", grant: "aa", detail: "view ui" },
    "Tablet (guest “Plumber”) connected.",
  ],
  [
    "session.closed",
    { label: "Tablet", detail: "after 754 s" },
    "Tablet disconnected after 12 min.",
  ],
  [
    "session.ended",
    { label: "Tablet", detail: "expired" },
    "Tablet was disconnected: the time was over.",
  ],
  ["session.kicked", { label: "Phone", detail: `${KEY} Tablet` }, "Phone disconnected Tablet."],
  [
    "session.refused",
    { label: "Tablet", detail: "not_paired" },
    "Tablet was not let in: the device does not know this browser.",
  ],
  ["session.refused", { detail: "14 more like this" }, "Strangers were not let in 14 more times."],
  ["service.used", { label: "Tablet", detail: "ui" }, "Tablet opened Gate controller."],
  [
    "service.refused",
    { label: "Tablet", detail: "?" },
    "Tablet tried to open something that does not exist.",
  ],
  [
    "service.refused",
    { label: "Tablet", detail: "ui" },
    "Tablet tried something in Gate controller that was not lent.",
  ],
  [
    "camera.refused",
    { label: "Tablet", detail: "yard" },
    "Tablet tried to watch “yard”, which was not lent.",
  ],
  ["camera.used", { label: "Tablet", detail: "front" }, "Tablet watched “front”."],
  ["request.refused", { label: "Tablet", detail: "people" }, "Tablet tried what only owners may."],
  [
    "log.broken",
    { detail: "from line 7 on" },
    "This log was changed on the device's disk, from line 7 on.",
  ],
];

Deno.test("auditSentence() has words for what control writes", () => {
  for (const [event, part, text] of TABLE) assert.equal(say(event, part), text);
});

Deno.test("auditSentence() shows an event that it does not know as it is", () => {
  assert.equal(say("door.opened", { label: "Phone", detail: "wide" }), "Phone: door.opened: wide");
  assert.equal(say("constructor"), "constructor");
});

Deno.test("auditSentence() names a key without a label by its first digits", () => {
  assert.equal(say("session.opened", { holder: KEY }), "Key 01234567 connected.");
});

Deno.test("auditSentence() marks what was refused", () => {
  const tone = (event: string) => auditSentence({ sequence: 1, at: 0, event }, NAMES).tone;
  assert.equal(tone("camera.refused"), "bad");
  assert.equal(tone("log.broken"), "bad");
  assert.equal(tone("session.opened"), "plain");
});
