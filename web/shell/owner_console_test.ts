/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import type { ControlMessage } from "../../src/protocol/control.ts";
import type { AuditEntry, OwnerReply, OwnerRequest, People } from "../../src/protocol/owner.ts";
import type { AuditHead } from "./devices.ts";
import type { Wish } from "./lending.ts";
import { LostError } from "./lost.ts";
import { OwnerConsole, type OwnerLink, type Signing } from "./owner_console.ts";
import { RequestError } from "./owner_requests.ts";

const THINGS = {
  services: [{ id: "ui", title: "Gate", number: 7 }],
  cameras: [{ id: "front", title: "Front", number: 3 }],
};
const WISH: Wish = {
  services: ["ui"],
  cameras: [],
  operate: true,
  talk: false,
  seconds: 600,
  uses: 2,
  label: "  ",
};
const ID = new Uint8Array(16).fill(0xab);
const PEOPLE: People = {
  owners: [],
  grants: [],
  sessions: [],
  issuing: { epoch: 3, sequence: 5, time: 1_000_000 },
};

type Answer = (request: OwnerRequest) => OwnerReply | "silent";

interface Rig {
  owner: OwnerConsole;
  asked: OwnerRequest[];
  signed: unknown[];
  kept: AuditHead[];
  /** Answers from now on. */
  device: { answer: Answer; people: People; log: AuditEntry[] };
  attach(head?: AuditHead): void;
}

/** A console, and a device that answers in the next turn. */
function rig(seen?: AuditHead): Rig {
  const asked: OwnerRequest[] = [];
  const signed: unknown[] = [];
  const kept: AuditHead[] = [];
  const device: Rig["device"] = { people: PEOPLE, log: [], answer: (request) => usual(request) };
  const signing: Signing = {
    invite: (options) => {
      signed.push(options);
      return Promise.resolve({ token: new Uint8Array([1]), fragment: "borrow=xyz", id: ID });
    },
    revocation: (options) => {
      signed.push(options);
      return Promise.resolve(new Uint8Array([2]));
    },
  };
  const owner = new OwnerConsole({
    signing,
    origin: "https://shell.example",
    seen,
    keepHead: (head) => kept.push(head),
  });
  const usual = (request: OwnerRequest): OwnerReply => {
    switch (request.kind) {
      case "people":
        return { kind: "people", ...device.people };
      case "pair":
        return { kind: "pair", id: "cd", fragment: "pair=abc", forSeconds: 600 };
      case "audit":
        return { kind: "audit", entries: page(device.log, request.before) };
      case "audit-hash":
        return { kind: "audit-hash" };
      default:
        return { kind: "done" };
    }
  };
  const send = (message: ControlMessage) => {
    if (message.type !== "owner-request") return;
    asked.push(message.request);
    const reply = device.answer(message.request);
    if (reply === "silent") return;
    const asking = link;
    queueMicrotask(() => {
      if (link === asking) owner.receive({ type: "owner-reply", id: message.id, reply });
    });
  };
  let link: OwnerLink | undefined; // of the connection that is there: nothing comes from an earlier one
  const attach = (head?: AuditHead) => owner.attach(link = { send }, head);
  const detach = owner.detach.bind(owner);
  owner.detach = () => {
    link = undefined;
    detach();
  };
  return { owner, asked, signed, kept, device, attach };
}

function page(log: readonly AuditEntry[], before = Infinity): AuditEntry[] {
  return log.filter(({ sequence }) => sequence < before).slice(0, 2);
}

/** The newest first. */
function lines(from: number, to: number): AuditEntry[] {
  return Array.from({ length: from - to + 1 }, (_, index) => ({
    sequence: from - index,
    at: 0,
    event: "x",
  }));
}

/** Lets everything run that is ready to. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

function epochOf(owner: OwnerConsole): number | undefined {
  const view = owner.people.value;
  return view.phase === "known" ? view.people.issuing.epoch : undefined;
}

const kinds = (asked: readonly OwnerRequest[]) => asked.map(({ kind }) => kind);

Deno.test("console asks for the people at once, and again when they changed", async () => {
  const { owner, asked, device, attach } = rig();
  assert.equal(owner.people.value.phase, "unknown");
  attach();
  await settle();
  assert.equal(owner.people.value.phase, "known");
  device.people = { ...PEOPLE, issuing: { ...PEOPLE.issuing, epoch: 9 } };
  owner.receive({ type: "people-changed" });
  await settle();
  assert.equal(epochOf(owner), 9);
  assert.deepEqual(kinds(asked), ["people", "people"]);
  owner.detach();
});

Deno.test("console asks once for a flood of changes that come while it asks", async () => {
  const { owner, asked, attach } = rig();
  attach();
  for (let i = 0; i < 100; i++) owner.receive({ type: "people-changed" });
  await settle();
  assert.equal(asked.length, 2);
  owner.detach();
});

Deno.test("console takes nothing while no owner is connected", () => {
  const isProtocol = (error: unknown) => error instanceof LostError && error.code === "protocol";
  assert.throws(() => rig().owner.receive({ type: "people-changed" }), isProtocol);
});

Deno.test("console keeps what it knew when the connection ends, and refuses to act", async () => {
  const { owner, attach } = rig();
  attach();
  await settle();
  owner.detach();
  assert.equal(owner.people.value.phase, "known");
  await assert.rejects(
    owner.kick("ab"),
    (error) => error instanceof RequestError && error.code === "parted",
  );
});

Deno.test("console signs an invite by the device's clock, then registers it", async () => {
  const { owner, asked, signed, attach } = rig();
  attach();
  const before = Date.now();
  const link = await owner.lend(WISH, THINGS);
  assert.deepEqual(signed, [{
    scope: { services: [7], cameras: [], operations: ["view", "operate"] },
    epoch: 3,
    notBefore: 1_000_000,
    expires: 1_000_600,
    ttl: 600,
    uses: 2,
  }]);
  const lend = asked.find(({ kind }) => kind === "lend");
  assert.deepEqual(lend, { kind: "lend", token: new Uint8Array([1]), label: "Guest" });
  assert.equal(link.url, "https://shell.example/#borrow=xyz");
  assert.equal(link.id, "ab".repeat(16));
  assert.ok(link.expires >= before + 600_000 && link.expires <= Date.now() + 600_000);
  owner.detach();
});

Deno.test("console gives no link that the device did not take", async () => {
  const { owner, device, attach } = rig();
  attach();
  await settle();
  const usual = device.answer;
  device.answer = (request) => request.kind === "lend" ? "silent" : usual(request);
  const lent = owner.lend(WISH, THINGS);
  await settle();
  owner.detach();
  await assert.rejects(lent, RequestError);
});

Deno.test("console asks for the next number before each statement that it signs", async () => {
  const { owner, signed, device, attach } = rig();
  attach();
  await settle();
  device.people = { ...PEOPLE, issuing: { ...PEOPLE.issuing, sequence: 6 } };
  const before = Math.floor(Date.now() / 1000);
  await owner.endGrant("ab".repeat(16));
  device.people = { ...PEOPLE, issuing: { ...PEOPLE.issuing, sequence: 7 } };
  await owner.removeOwner("cd".repeat(8));
  const [grant, removed] = signed as { target: unknown; sequence: number; issuedAt: number }[];
  assert.deepEqual(grant!.target, { kind: "grant", id: ID });
  assert.equal(grant!.sequence, 6);
  assert.ok(grant!.issuedAt >= before);
  assert.deepEqual(removed!.target, { kind: "owner", id: new Uint8Array(8).fill(0xcd) });
  assert.equal(removed!.sequence, 7);
  owner.detach();
});

Deno.test("console opens a window for another owner", async () => {
  const { owner, attach } = rig();
  attach();
  assert.equal((await owner.addOwner()).url, "https://shell.example/#pair=abc");
  owner.detach();
});

Deno.test("console reads the log part by part, to its first line", async () => {
  const { owner, device, attach } = rig();
  device.log = lines(3, 1);
  attach();
  await owner.readLog();
  assert.equal(owner.log.value.phase, "more");
  await owner.readLog();
  assert.equal(owner.log.value.phase, "whole");
  assert.deepEqual(owner.log.value.entries.map(({ sequence }) => sequence), [3, 2, 1]);
  owner.detach();
});

Deno.test("console puts new lines before those that it has read", async () => {
  const { owner, device, attach } = rig();
  device.log = lines(5, 3);
  attach();
  await owner.readLog();
  device.log = lines(6, 3);
  owner.receive({ type: "people-changed" });
  await settle();
  assert.deepEqual(owner.log.value.entries.map(({ sequence }) => sequence), [6, 5, 4]);
  owner.detach();
});

Deno.test("console begins the log anew where lines may be missing between", async () => {
  const { owner, device, attach } = rig();
  device.log = lines(5, 3);
  attach();
  await owner.readLog();
  device.log = lines(9, 3);
  owner.receive({ type: "people-changed" });
  await settle();
  assert.deepEqual(owner.log.value.entries.map(({ sequence }) => sequence), [9, 8]);
  assert.equal(owner.log.value.phase, "more");
  owner.detach();
});

Deno.test("console says that the log could not be read, and reads it when asked again", async () => {
  const { owner, device, attach } = rig();
  device.log = lines(1, 1);
  await owner.readLog(); // not connected
  assert.equal(owner.log.value.phase, "failed");
  attach();
  await owner.readLog();
  assert.equal(owner.log.value.phase, "whole");
  owner.detach();
});

const head = (sequence: number, fill: number): AuditHead => ({
  sequence,
  hash: new Uint8Array(32).fill(fill),
});

Deno.test("console remembers a log that went on from what was seen", async () => {
  const { owner, asked, kept, device, attach } = rig(head(4, 1));
  const usual = device.answer;
  device.answer = (request) =>
    request.kind === "audit-hash" ? { kind: "audit-hash", hash: head(4, 1).hash } : usual(request);
  attach(head(6, 2));
  await settle();
  assert.ok(asked.some((one) => one.kind === "audit-hash" && one.sequence === 4));
  assert.equal(owner.history.value, "sound");
  assert.deepEqual(kept, [head(6, 2)]);
  owner.detach();
});

Deno.test("console warns of a log that was put back, until a person accepts it", async () => {
  const { owner, kept, attach } = rig(head(4, 1));
  attach(head(3, 1));
  await settle();
  assert.equal(owner.history.value, "older");
  owner.detach();
  attach(head(3, 1)); // a reconnect changes nothing
  await settle();
  assert.equal(owner.history.value, "older");
  assert.deepEqual(kept, []);
  owner.acceptHistory();
  assert.equal(owner.history.value, "sound");
  assert.deepEqual(kept, [head(3, 1)]);
  owner.detach();
});

Deno.test("console warns of a clone that has gone on by itself", async () => {
  const { owner, kept, device, attach } = rig(head(4, 1));
  const usual = device.answer;
  device.answer = (request) =>
    request.kind === "audit-hash" ? { kind: "audit-hash", hash: head(4, 9).hash } : usual(request);
  attach(head(6, 2));
  await settle();
  assert.equal(owner.history.value, "different");
  assert.deepEqual(kept, []);
  owner.detach();
});
