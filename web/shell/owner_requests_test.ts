/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import type { ControlMessage } from "../../src/protocol/control.ts";
import { LostError } from "./lost.ts";
import { OwnerRequests, type RequestCode, RequestError } from "./owner_requests.ts";

function rig(): { requests: OwnerRequests; sent: ControlMessage[] } {
  const sent: ControlMessage[] = [];
  return { sent, requests: new OwnerRequests((message) => sent.push(message)) };
}

async function fails(work: Promise<unknown>, code: RequestCode): Promise<void> {
  await assert.rejects(work, (error) => error instanceof RequestError && error.code === code);
}

const done = { kind: "done" } as const;

Deno.test("owner requests find their answers by id, in any order", async () => {
  const { requests, sent } = rig();
  const kicked = requests.ask({ kind: "kick", session: "ab" });
  const log = requests.ask({ kind: "audit" });
  assert.deepEqual(sent, [
    { type: "owner-request", id: 1, request: { kind: "kick", session: "ab" } },
    { type: "owner-request", id: 2, request: { kind: "audit" } },
  ]);
  requests.answered({ type: "owner-reply", id: 2, reply: { kind: "audit", entries: [] } });
  requests.answered({ type: "owner-reply", id: 1, reply: done });
  assert.deepEqual(await kicked, done);
  assert.deepEqual((await log).entries, []);
});

Deno.test("owner requests tell the device's refusal", async () => {
  const { requests } = rig();
  const asked = requests.ask({ kind: "revoke", statement: new Uint8Array() });
  requests.answered({ type: "owner-reply", id: 1, error: "refused" });
  await fails(asked, "refused");
});

Deno.test("owner requests end with their connection, and none is sent after it", async () => {
  const { requests, sent } = rig();
  const asked = requests.ask({ kind: "people" });
  requests.close();
  await fails(asked, "parted");
  await fails(requests.ask({ kind: "people" }), "parted");
  assert.equal(sent.length, 1);
});

Deno.test("owner requests are bounded", async () => {
  const { requests, sent } = rig();
  const open = Array.from({ length: 8 }, () => requests.ask({ kind: "people" }));
  await fails(requests.ask({ kind: "people" }), "limit");
  assert.equal(sent.length, 8);
  requests.close();
  for (const one of open) await fails(one, "parted");
});

Deno.test("owner requests pass over a second answer", async () => {
  const { requests } = rig();
  const asked = requests.ask({ kind: "kick", session: "ab" });
  requests.answered({ type: "owner-reply", id: 1, reply: done });
  requests.answered({ type: "owner-reply", id: 1, error: "failed" });
  assert.deepEqual(await asked, done);
});

Deno.test("owner requests end the connection for answers that nobody asked for", async () => {
  const { requests } = rig();
  const asked = requests.ask({ kind: "people" });
  const isProtocol = (error: unknown) => error instanceof LostError && error.code === "protocol";
  const unasked = () => requests.answered({ type: "owner-reply", id: 2, reply: done });
  assert.throws(unasked, isProtocol);
  const other = () => requests.answered({ type: "owner-reply", id: 1, reply: done });
  assert.throws(other, isProtocol);
  requests.close();
  await fails(asked, "parted");
});
