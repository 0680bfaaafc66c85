import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeCbor } from "./cbor.ts";
import { decodeControl, encodeControl } from "./control_codec.ts";
import { ProtocolError } from "./errors.ts";
import { MAX_AUDIT_PAGE, OWNER_ERRORS, type OwnerReply, type OwnerRequest } from "./owner.ts";
import {
  anyPeople,
  AUDIT_ENTRY,
  GRANT,
  GUEST,
  OWNER,
  PEOPLE,
  SESSION,
  WINDOW,
} from "./owner_samples_test.ts";

const TOKEN = new Uint8Array(250).fill(5);
const ID = "0123456789abcdef0123456789abcdef";

const REQUESTS: OwnerRequest[] = [
  { kind: "people" },
  { kind: "pair", forSeconds: 600 },
  { kind: "unpair", id: ID },
  { kind: "lend", token: TOKEN, label: "Plumber – 2nd floor" },
  { kind: "revoke", statement: TOKEN },
  { kind: "kick", session: ID },
  { kind: "audit" },
  { kind: "audit", before: 4_294_967_295 },
  { kind: "audit-hash", sequence: 0 },
];

const REPLIES: OwnerReply[] = [
  { kind: "people", ...PEOPLE },
  { kind: "people", ...PEOPLE, omitted: 3 },
  {
    kind: "people",
    ...PEOPLE,
    windows: [WINDOW, { id: ID, expires: 7 }],
    issuing: { ...PEOPLE.issuing, slack: 34_560_000 },
  },
  { kind: "pair", fragment: "pair=AW7gkf0oCptoVU-nPFiBJdR9_", id: ID, forSeconds: 600 },
  { kind: "done" },
  { kind: "audit", entries: [] },
  { kind: "audit", entries: [AUDIT_ENTRY, { sequence: 1, at: 0, event: "device.started" }] },
  { kind: "audit-hash" },
  { kind: "audit-hash", hash: new Uint8Array(32).fill(3) },
];

const MESSAGES = [
  ...REQUESTS.map((request) => ({ type: "owner-request", id: 7, request }) as const),
  ...REPLIES.map((reply) => ({ type: "owner-reply", id: 7, reply }) as const),
  ...OWNER_ERRORS.map((error) => ({ type: "owner-reply", id: 7, error }) as const),
];

for (const [at, message] of MESSAGES.entries()) {
  const name = `${at + 1}, ${JSON.stringify(message).slice(0, 60)},`;
  const bytes = encodeControl(message);

  Deno.test(`owner's message ${name} survives the way through bytes`, () => {
    assert.deepEqual(decodeControl(bytes), message);
  });

  Deno.test(`owner's message ${name} cut at any byte is refused`, () => {
    for (let cut = 0; cut < bytes.length; cut++) {
      assert.throws(() => decodeControl(bytes.slice(0, cut)), ProtocolError, `cut at ${cut}`);
    }
  });
}

Deno.test("owner's messages lose fields that nobody knows", () => {
  const request = { kind: "people", sudo: true };
  const message = decodeControl(encodeCbor({ type: "owner-request", id: 1, request }));
  assert.deepEqual(message, { type: "owner-request", id: 1, request: { kind: "people" } });
});

const HOSTILE_REQUESTS: [string, unknown][] = [
  ["no kind", {}],
  ["an unknown kind", { kind: "format-disk" }],
  ["a kind of the prototype", { kind: "constructor" }],
  ["a kind that is a list", { kind: ["people"] }],
  ["a window of half a second", { kind: "pair", forSeconds: 0.5 }],
  ["an endless window", { kind: "pair", forSeconds: Infinity }],
  ["an empty token", { kind: "lend", token: new Uint8Array(), label: "a" }],
  ["a token that is too long", { kind: "lend", token: new Uint8Array(1025), label: "a" }],
  ["a token that is text", { kind: "lend", token: "a", label: "a" }],
  ["a label that is too long", { kind: "lend", token: TOKEN, label: "a".repeat(65) }],
  ["a label that is too long in bytes", { kind: "lend", token: TOKEN, label: "ü".repeat(33) }],
  ["a label with a line break", { kind: "lend", token: TOKEN, label: "a\nb" }],
  ["a label that turns direction", { kind: "lend", token: TOKEN, label: "a\u202eb" }],
  ["no label", { kind: "lend", token: TOKEN }],
  ["a statement that is too long", { kind: "revoke", statement: new Uint8Array(1025) }],
  ["a session of another length", { kind: "kick", session: ID.slice(2) }],
  ["a session in capitals", { kind: "kick", session: ID.toUpperCase() }],
  ["a negative place in the log", { kind: "audit", before: -1 }],
  ["no place in the log", { kind: "audit-hash" }],
];

for (const [name, request] of HOSTILE_REQUESTS) {
  Deno.test(`owner's request with ${name} is refused`, () => {
    const bytes = encodeCbor({ type: "owner-request", id: 1, request });
    assert.throws(() => decodeControl(bytes), ProtocolError);
  });
}

const many = (item: unknown) => Array(65).fill(item);
const with_ = (change: object) => ({ kind: "people", ...PEOPLE, ...change });
const grant = (change: object) => with_({ grants: [{ ...GRANT, ...change }] });

const HOSTILE_REPLIES: [string, unknown][] = [
  ["too many owners", with_({ owners: many(OWNER) })],
  ["too many grants", with_({ grants: many({ ...GRANT, guests: [] }) })],
  ["too many sessions", with_({ sessions: many(SESSION) })],
  ["too many guests", grant({ guests: many(GUEST) })],
  ["too many services", grant({ services: many("a") })],
  ["an address for a service", grant({ services: ["http://10.0.0.1/"] })],
  ["a grant in a state that does not exist", grant({ state: "forever" })],
  ["a grant without an end", grant({ expires: undefined })],
  ["a grant that ends past all dates", grant({ expires: 2 ** 53 - 1 })],
  ["an owner with a short key", with_({ owners: [{ ...OWNER, id: "ab" }] })],
  ["an owner who is perhaps you", with_({ owners: [{ ...OWNER, you: 1 }] })],
  ["a session of another role", with_({ sessions: [{ ...SESSION, role: "root" }] })],
  ["nothing to issue with", with_({ issuing: undefined })],
  ["a fragment that leads elsewhere", {
    kind: "pair",
    fragment: "https://evil.example/#pair=a",
    id: ID,
    forSeconds: 1,
  }],
  ["too many entries", { kind: "audit", entries: Array(MAX_AUDIT_PAGE + 1).fill(AUDIT_ENTRY) }],
  ["an event with blanks", { kind: "audit", entries: [{ ...AUDIT_ENTRY, event: "a b" }] }],
  ["a detail that is too long", {
    kind: "audit",
    entries: [{ ...AUDIT_ENTRY, detail: "a".repeat(385) }],
  }],
  ["a hash of another length", { kind: "audit-hash", hash: new Uint8Array(31) }],
];

for (const [name, reply] of HOSTILE_REPLIES) {
  Deno.test(`owner's reply with ${name} is refused`, () => {
    const bytes = encodeCbor({ type: "owner-reply", id: 1, reply });
    assert.throws(() => decodeControl(bytes), ProtocolError);
  });
}

Deno.test("owner reader gives a message or a ProtocolError for any value in any field", () => {
  const place = fc.constantFrom(
    "owners",
    "grants",
    "sessions",
    "windows",
    "issuing",
    "omitted",
    "kind",
  );
  fc.assert(fc.property(place, fc.jsonValue(), (name, value) => {
    const reply = { kind: "people", ...PEOPLE, [name]: value };
    try {
      decodeControl(encodeCbor({ type: "owner-reply", id: 1, reply }));
    } catch (error) {
      assert.ok(error instanceof ProtocolError, String(error));
    }
  }));
});

Deno.test("any people that fit survive the way through bytes", () => {
  fc.assert(fc.property(anyPeople(2), (people) => {
    const message = { type: "owner-reply", id: 1, reply: { kind: "people", ...people } } as const;
    assert.deepEqual(decodeControl(encodeControl(message)), message);
  }));
});
