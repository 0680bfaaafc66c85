import assert from "node:assert/strict";
import { type Log, SILENT } from "../lib/log.ts";
import type { ControlMessage } from "../protocol/control.ts";
import { MAX_CONTROL_BYTES } from "../protocol/limits.ts";
import { encodeControl } from "../protocol/control_codec.ts";
import type { OwnerReply, OwnerRequest } from "../protocol/owner.ts";
import { Coalesced } from "./coalesced.ts";
import { turns } from "./doubles_test.ts";
import { MAX_OWNER_REQUESTS, OwnerRelay, type OwnerRelayOptions } from "./owner_relay.ts";
import type { OwnerDesk } from "./seams.ts";
import { Uses } from "./uses.ts";

const DONE: OwnerReply = { kind: "done" };
const ASK: OwnerRequest = { kind: "people" };

/** A desk whose answers a test gives, and the relay in front of it. */
class Office {
  readonly sent: ControlMessage[] = [];
  readonly logged: unknown[] = [];
  readonly asked: { request: OwnerRequest; answer: PromiseWithResolvers<OwnerReply> }[] = [];
  readonly relay: OwnerRelay;
  changed: () => void = () => {};
  #told = Promise.withResolvers<void>();

  constructor(options: Partial<OwnerRelayOptions> = {}) {
    const desk: OwnerDesk = {
      answer: (request) => {
        const answer = Promise.withResolvers<OwnerReply>();
        this.asked.push({ request, answer });
        return answer.promise;
      },
      onChange: (listener) => this.changed = listener,
    };
    const log: Log = {
      ...SILENT,
      error: (event, fields) => void this.logged.push({ event, ...fields }),
    };
    const send = (message: ControlMessage) => {
      this.sent.push(message);
      this.#told.resolve();
      this.#told = Promise.withResolvers<void>();
    };
    this.relay = new OwnerRelay({ desk, uses: new Uses(() => {}), send, log, ...options });
    this.relay.start();
  }

  async untilSent(count: number): Promise<void> {
    while (this.sent.length < count) await this.#told.promise;
  }
}

Deno.test("relay gives each question its own reply, in the order in which the desk is done", async () => {
  const office = new Office();
  office.relay.take({ id: 8, request: ASK });
  office.relay.take({ id: 3, request: { kind: "audit-hash", sequence: 5 } });
  assert.deepEqual(office.asked.map(({ request }) => request.kind), ["people", "audit-hash"]);
  office.asked[1]!.answer.resolve({ kind: "audit-hash" });
  await office.untilSent(1);
  office.asked[0]!.answer.resolve(DONE);
  await office.untilSent(2);
  assert.deepEqual(office.sent, [
    { type: "owner-reply", id: 3, reply: { kind: "audit-hash" } },
    { type: "owner-reply", id: 8, reply: DONE },
  ]);
  office.relay.close();
});

Deno.test("relay refuses a question above the limit, and takes one again after a reply", async () => {
  const office = new Office();
  for (let id = 0; id <= MAX_OWNER_REQUESTS; id++) office.relay.take({ id, request: ASK });
  assert.equal(office.asked.length, MAX_OWNER_REQUESTS);
  const refused = { type: "owner-reply", id: MAX_OWNER_REQUESTS, error: "limit" } as const;
  assert.deepEqual(office.sent, [refused]);
  office.asked[0]!.answer.resolve(DONE);
  await office.untilSent(2);
  await turns(5);
  office.relay.take({ id: 9, request: ASK });
  assert.equal(office.asked.length, MAX_OWNER_REQUESTS + 1);
  office.relay.close();
});

Deno.test("relay tells the desk's own codes, and anything else as failed with words in the log only", async () => {
  const office = new Office();
  const errors = [
    Object.assign(new Error("Cannot lend: not yours"), { code: "refused" }),
    Object.assign(new Error("Cannot write: no room"), { code: "ENOSPC" }),
    "not even an error",
  ];
  for (const [id, error] of errors.entries()) {
    office.relay.take({ id, request: ASK });
    office.asked[id]!.answer.reject(error);
  }
  await office.untilSent(3);
  const codes = office.sent.map((message) =>
    message.type === "owner-reply" && "error" in message && message.error
  );
  assert.deepEqual(codes, ["refused", "failed", "failed"]);
  assert.deepEqual(office.logged[0], {
    event: "owner.failed",
    request: "people",
    reason: "Error: Cannot write: no room",
  });
  assert.equal(office.logged.length, 2);
  office.relay.close();
});

Deno.test("relay survives a desk that throws, and one that says what no page could read", async () => {
  const answers: (() => Promise<OwnerReply>)[] = [
    () => {
      throw new Error("Cannot answer: thrown and not rejected");
    },
    () => Promise.resolve({ kind: "audit-hash", hash: new Uint8Array(3) }),
    () => Promise.resolve({ kind: "treasure" } as unknown as OwnerReply),
    () => Promise.resolve(undefined as unknown as OwnerReply),
  ];
  const desk: OwnerDesk = { answer: () => answers.shift()!(), onChange: () => {} };
  const office = new Office({ desk });
  for (let id = 0; id < 4; id++) office.relay.take({ id, request: ASK });
  await office.untilSent(4);
  const ids = office.sent.map((message) => {
    assert.ok(message.type === "owner-reply" && "error" in message && message.error === "failed");
    return message.id;
  });
  assert.deepEqual(ids.sort(), [0, 1, 2, 3]);
  office.relay.close();
});

Deno.test("relay trims what is too long for a message", async () => {
  const office = new Office();
  office.relay.take({ id: 1, request: { kind: "audit" } });
  const entry = { sequence: 1, at: 1, event: "session.opened", detail: "d".repeat(256) };
  office.asked[0]!.answer.resolve({ kind: "audit", entries: Array(500).fill(entry) });
  await office.untilSent(1);
  const bytes = encodeControl(office.sent[0]!);
  assert.ok(bytes.length > MAX_CONTROL_BYTES / 2 && bytes.length <= MAX_CONTROL_BYTES);
  office.relay.close();
});

Deno.test("relay gives a desk up that does not answer, and asks it no more than it can hold", async () => {
  const office = new Office({ answerLimit: 1 });
  for (let id = 0; id < MAX_OWNER_REQUESTS; id++) office.relay.take({ id, request: ASK });
  await office.untilSent(MAX_OWNER_REQUESTS);
  assert.ok(office.sent.every((message) => "error" in message && message.error === "failed"));
  office.relay.take({ id: 9, request: ASK });
  assert.equal(office.asked.length, MAX_OWNER_REQUESTS);
  for (const { answer } of office.asked) answer.resolve(DONE);
  await turns(10);
  assert.equal(office.sent.length, MAX_OWNER_REQUESTS + 1, "one reply for each question");
  office.relay.close();
});

Deno.test("relay that is closed says nothing more", async () => {
  const office = new Office();
  office.relay.take({ id: 1, request: ASK });
  office.relay.take({ id: 2, request: ASK });
  office.changed();
  const before = office.sent.length;
  office.relay.close();
  office.asked[0]!.answer.resolve(DONE);
  office.asked[1]!.answer.reject(new Error("Cannot answer: closed"));
  office.changed();
  await turns(20);
  assert.equal(office.sent.length, before);
  assert.deepEqual(office.logged, []);
});

Deno.test("relay without a desk refuses, and tells which kinds were tried", () => {
  const told: unknown[] = [];
  const office = new Office({ desk: undefined, uses: new Uses((use) => void told.push(use)) });
  office.relay.take({ id: 1, request: ASK });
  office.relay.take({ id: 2, request: ASK });
  assert.deepEqual(office.sent, [
    { type: "owner-reply", id: 1, error: "refused" },
    { type: "owner-reply", id: 2, error: "refused" },
  ]);
  assert.deepEqual(told, [{ kind: "owner-request", id: "people", allowed: false }]);
});

Deno.test("many changes are told at once and once more when the interval is over", async () => {
  const office = new Office({ changesInterval: 5 });
  for (let i = 0; i < 100; i++) office.changed();
  assert.deepEqual(office.sent, [{ type: "people-changed" }]);
  await office.untilSent(2);
  office.changed();
  assert.equal(office.sent.length, 2, "it rests after the second as after the first");
  await office.untilSent(3);
  office.relay.close();
});

Deno.test("a single change is told once, and one after a rest at once", async () => {
  let acted = 0;
  const coalesced = new Coalesced(() => acted++, 1);
  coalesced.call();
  assert.equal(acted, 1);
  await new Promise((resolve) => setTimeout(resolve, 5)); // timers of one length fire in order
  assert.equal(acted, 1);
  coalesced.call();
  assert.equal(acted, 2);
  coalesced.close();
});
