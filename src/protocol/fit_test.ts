import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeControl, encodeControl } from "./control_codec.ts";
import { fitHello, fitReply } from "./fit.ts";
import { MAX_CONTROL_BYTES } from "./limits.ts";
import { type AuditEntry, MAX_AUDIT_PAGE, type OwnerReply, type People } from "./owner.ts";
import {
  anyPeople,
  AUDIT_ENTRY,
  GRANT,
  GUEST,
  OWNER,
  PEOPLE,
  SESSION,
} from "./owner_samples_test.ts";

/** What a page reads of a reply that was made to fit. */
function read(reply: OwnerReply): OwnerReply {
  const id = 2 ** 32 - 1;
  const message = decodeControl(encodeControl({ type: "owner-reply", id, reply: fitReply(reply) }));
  assert.ok(message.type === "owner-reply" && "reply" in message);
  return message.reply;
}

function readPeople(people: People): People {
  const reply = read({ kind: "people", ...people });
  assert.ok(reply.kind === "people");
  return reply;
}

const LONG_LABEL = "漢".repeat(21);
const LONG_IDS = Array.from({ length: 32 }, (_, at) => `${at}`.padStart(32, "0"));

Deno.test("people who fit are told as they are", () => {
  assert.deepEqual(readPeople(PEOPLE), { kind: "people", ...PEOPLE });
});

Deno.test("grants that ended give way first, the last of the list before others, and are counted", () => {
  const grant = { ...GRANT, label: LONG_LABEL };
  const holding = Array.from({ length: 20 }, (_, uses) => ({ ...grant, uses }));
  const ended = Array.from(
    { length: 44 },
    (_, uses) => ({ ...grant, state: "expired", uses }) as const,
  );
  const told = readPeople({ ...PEOPLE, grants: [...holding, ...ended] });
  const kept = told.grants.length - holding.length;
  assert.ok(kept > 0 && kept < ended.length);
  assert.deepEqual(told.grants, [...holding, ...ended].slice(0, told.grants.length));
  assert.equal(told.omitted, 2 * (ended.length - kept), "each has one guest");
});

Deno.test("guests give way before the grants that hold, so that each can be revoked", () => {
  const guests = Array(64).fill({ ...GUEST, label: LONG_LABEL });
  const grants = Array.from({ length: 8 }, (_, uses) => ({ ...GRANT, uses, guests }));
  const told = readPeople({ ...PEOPLE, grants });
  assert.deepEqual(told.grants.map(({ uses }) => uses), [0, 1, 2, 3, 4, 5, 6, 7]);
  const kept = told.grants.reduce((sum, grant) => sum + grant.guests.length, 0);
  assert.equal(kept + told.omitted!, 8 * 64);
});

Deno.test("what control had left out already is counted with what finds no place", () => {
  const told = readPeople({ ...PEOPLE, omitted: 5 });
  assert.equal(told.omitted, 5);
  const grants = Array(64).fill({ ...GRANT, services: LONG_IDS, cameras: LONG_IDS, guests: [] });
  const most = readPeople({ ...PEOPLE, grants, omitted: 5 });
  assert.equal(most.omitted, 5 + grants.length - most.grants.length);
});

Deno.test("owners and sessions never give way to grants", () => {
  const owners = Array(32).fill({ ...OWNER, label: LONG_LABEL });
  const sessions = Array(16).fill({ ...SESSION, label: LONG_LABEL });
  const grants = Array(64).fill({ ...GRANT, services: LONG_IDS, cameras: LONG_IDS });
  const told = readPeople({ ...PEOPLE, owners, sessions, grants });
  assert.equal(told.owners.length, 32);
  assert.equal(told.sessions.length, 16);
  assert.ok(told.grants.length > 0);
});

Deno.test("any people at all are told in one message that a page can read", () => {
  fc.assert(
    fc.property(anyPeople(70), (people) => {
      const told = readPeople(people);
      const whole = people.grants.length <= 64 && people.owners.length <= 64;
      assert.ok(whole || told.omitted! > 0);
    }),
    { numRuns: 30 },
  );
});

Deno.test("a page of the log is as long as fits, begins with the newest and is never empty", () => {
  const entries: AuditEntry[] = Array.from({ length: 70 }, (_, at) => ({
    ...AUDIT_ENTRY,
    sequence: 1000 - at,
    event: "e".repeat(48),
    label: LONG_LABEL,
    detail: "d".repeat(256),
  }));
  const reply = read({ kind: "audit", entries });
  assert.ok(reply.kind === "audit");
  assert.ok(reply.entries.length > 20 && reply.entries.length < MAX_AUDIT_PAGE);
  assert.deepEqual(reply.entries, entries.slice(0, reply.entries.length));
  const short = read({
    kind: "audit",
    entries: entries.map(({ sequence }) => ({ sequence, at: 1, event: "a" })),
  });
  assert.ok(short.kind === "audit" && short.entries.length === MAX_AUDIT_PAGE);
});

Deno.test("a greeting with the longest titles fits, and one with usual titles is not touched", () => {
  const hello = (count: number, title: string) => {
    const list = LONG_IDS.concat(LONG_IDS).slice(0, count).map((id) => ({
      id,
      title,
      number: 65_535,
    }));
    return {
      type: "hello",
      name: "漢".repeat(128),
      services: list,
      cameras: list,
      access: { role: "owner" },
      pass: new Uint8Array(16),
      audit: { sequence: 2 ** 32 - 1, hash: new Uint8Array(32) },
    } as const;
  };
  const usual = hello(32, "Controller of the workshop, left");
  assert.deepEqual(fitHello(usual), usual);
  for (const [count, character] of [[32, "漢"], [64, "漢"], [64, "😀"]] as const) {
    const fitting = fitHello(hello(count, character.repeat(128 / character.length)));
    const bytes = encodeControl(fitting);
    assert.ok(bytes.length <= MAX_CONTROL_BYTES);
    assert.deepEqual(decodeControl(bytes), fitting);
    assert.match(fitting.services[0]!.title, new RegExp(`^${character}+…$`, "u"));
  }
});
