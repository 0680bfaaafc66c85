/** What guests and owners with no manners can do to an agent beyond their rights: nothing, at a bounded cost. */
import assert from "node:assert/strict";
import type { ControlMessage } from "../protocol/control.ts";
import { encodeControl } from "../protocol/control_codec.ts";
import { STREAM_CODES } from "../protocol/errors.ts";
import type { OwnerReply } from "../protocol/owner.ts";
import { attack, endFrame } from "./attack_test.ts";
import { servicesDouble, turns } from "./doubles_test.ts";
import { MAX_WAITING_MESSAGES } from "./limits.ts";
import { MAX_OWNER_REQUESTS } from "./owner_relay.ts";
import { servicesWithin } from "./scope.ts";
import type { Use } from "./seams.ts";
import { AdmissionDouble, lent, Stage } from "./stage_test.ts";
import { MAX_REFUSALS_TOLD, Uses } from "./uses.ts";

Deno.test("a guest who opens every id on every stream is refused each, and costs the log a bound", async () => {
  let asked = 0;
  const reach = () => Promise.reject(asked++);
  const told: Use[] = [];
  const access = lent({ services: ["door"], operations: ["view"] });
  const uses = new Uses((use) => void told.push(use));
  const services = servicesWithin(servicesDouble({ request: reach, socket: reach }), {
    access,
    uses,
  });
  await attack(services, async (under) => {
    for (let id = 1; id <= 3 * MAX_REFUSALS_TOLD; id++) {
      const kind = id % 2 === 0 ? "http" : "websocket";
      await under.send(
        under.openFrame({ kind, service: id % 3 === 0 ? "ui" : `s${id}` }),
        endFrame(id),
      );
    }
    await turns(200);
    assert.equal(asked, 0);
    assert.equal(under.ended, undefined);
    const codes = under.received.map((frame) => frame.type === "reset" && frame.code);
    assert.equal(codes.length, 3 * MAX_REFUSALS_TOLD);
    assert.deepEqual(new Set(codes), new Set([STREAM_CODES.service_unknown]));
    assert.equal(told.length, MAX_REFUSALS_TOLD);
  });
});

Deno.test("an owner's flood of questions reaches the desk a few at a time, and each has one reply", async () => {
  const admission = new AdmissionDouble();
  const open: PromiseWithResolvers<OwnerReply>[] = [];
  let most = 0;
  admission.desk = {
    answer: () => {
      const answer = Promise.withResolvers<OwnerReply>();
      most = Math.max(most, open.push(answer));
      return answer.promise;
    },
    onChange: () => {},
  };
  const stage = new Stage({ admission });
  const control = await stage.live();
  const questions = MAX_WAITING_MESSAGES - 1;
  for (let id = 0; id < questions; id++) {
    control.send(encodeControl({ type: "owner-request", id, request: { kind: "people" } }));
  }
  control.send(encodeControl({ type: "ping", id: 1 }));
  await stage.until("pong");
  for (const { resolve } of open) resolve({ kind: "done" });
  await turns(20);
  const replies = stage.messages.flatMap((message) =>
    message.type === "owner-reply" ? [message] : []
  );
  assert.equal(most, MAX_OWNER_REQUESTS);
  assert.deepEqual(
    replies.map(({ id }) => id).sort((a, b) => a - b),
    Array.from({ length: questions }, (_, id) => id),
  );
  assert.equal(
    replies.filter((reply) => "error" in reply && reply.error === "limit").length,
    questions - MAX_OWNER_REQUESTS,
  );
  stage.session.close("closed", "test over");
  await stage.over;
});

const PAGES_NEVER: ControlMessage[] = [
  { type: "owner-reply", id: 1, reply: { kind: "done" } },
  { type: "people-changed" },
];

for (const message of PAGES_NEVER) {
  Deno.test(`a browser that sends "${message.type}" ends its session`, async () => {
    const stage = new Stage();
    const control = await stage.live();
    control.send(encodeControl(message));
    await stage.over;
    assert.match(String(stage.reason()), /not for an agent/);
  });
}

Deno.test("a browser that asks an owner's question before the proof ends its session, unasked", async () => {
  const admission = new AdmissionDouble();
  let asked = 0;
  admission.desk = { answer: () => Promise.reject(asked++), onChange: () => {} };
  const stage = new Stage({ admission });
  const control = await stage.connect();
  control.send(encodeControl({ type: "owner-request", id: 1, request: { kind: "people" } }));
  await stage.over;
  assert.match(String(stage.reason()), /came before the proof/);
  assert.equal(asked, 0);
});
