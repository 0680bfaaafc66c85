import assert from "node:assert/strict";
import { utf8 } from "../lib/bytes.ts";
import type { ControlMessage } from "../protocol/control.ts";
import { encodeControl } from "../protocol/control_codec.ts";
import { BrowserDouble, type ChannelDouble, turns } from "./doubles_test.ts";
import type { Services } from "./seams.ts";
import { AdmissionDouble, camerasDouble, PASS, Stage } from "./stage_test.ts";

Deno.test("session answers, proves, says hello, and opens the bulk channel only then", async () => {
  const stage = new Stage();
  const control = await stage.connect();
  stage.peer.handlers.candidate("candidate:1");
  await stage.until("confirm");
  assert.ok(!stage.peer.far.has(1));
  assert.deepEqual(stage.admission.log, ["answer", "candidate:1"]);
  control.send(encodeControl({ type: "confirm", bytes: utf8("proof") }));
  assert.deepEqual(await stage.until("hello"), {
    type: "hello",
    name: "Bench",
    services: [{ id: "ui", title: "UI" }],
    cameras: [],
    access: { role: "owner" },
    pass: PASS,
  });
  assert.ok(stage.peer.far.has(1));
  assert.equal(stage.admission.log.at(-1), "confirmed");
  control.send(encodeControl({ type: "ping", id: 9 }));
  assert.deepEqual(await stage.until("pong"), { type: "pong", id: 9 });
  stage.session.close("shutdown", "test over");
  await stage.over;
});

Deno.test("session that ends tells the browser, closes the connection once and lets the signalling go", async () => {
  const stage = new Stage();
  await stage.live();
  stage.session.close("shutdown", "porthole is stopping");
  await stage.over;
  assert.deepEqual(await stage.until("bye"), { type: "bye", code: "shutdown" });
  assert.equal(stage.peer.closed, 1);
  assert.equal(stage.admission.log.at(-1), "release");
  assert.equal(stage.reason(), "porthole is stopping");
});

Deno.test("session pings, asks when nothing is heard, and ends when there is no path for its limit", async () => {
  const stage = new Stage({ pathLimitMs: 4000 });
  await stage.live();
  assert.equal((await stage.until("ping")).type, "ping");
  stage.peer.heard = performance.now();
  await stage.over;
  assert.equal(stage.reason(), "no path to the browser");
  assert.ok(performance.now() - stage.peer.heard >= 4000);
  assert.ok(stage.peer.probes > 0);
  assert.equal(stage.events.filter(([event]) => event === "session.path_lost").length, 1);
});

Deno.test("session whose path comes back in time goes on, and says how long it was away", async () => {
  const stage = new Stage({ pathLimitMs: 60_000 });
  await stage.live();
  stage.peer.heard = performance.now() - 60_000; // the session's own beginning counts
  await stage.event("session.path_lost");
  stage.peer.heard = undefined;
  await stage.event("session.path_found");
  assert.equal(stage.peer.closed, 0);
  stage.session.close("closed", "test over");
  await stage.over;
});

Deno.test("session whose right ends while it has no path ends at once", async () => {
  const stage = new Stage();
  await stage.live();
  stage.peer.heard = performance.now();
  await stage.event("session.path_lost");
  const from = performance.now();
  stage.admission.cutting.abort("revoked");
  await stage.over;
  assert.ok(performance.now() - from < 2000);
});

Deno.test("session with a forged proof ends before anything opens", async () => {
  const stage = new Stage();
  const control = await stage.connect();
  await stage.until("confirm");
  control.send(encodeControl({ type: "confirm", bytes: utf8("forged") }));
  await stage.over;
  assert.ok(!stage.peer.far.has(1));
  assert.ok(!stage.admission.log.includes("confirmed"));
  assert.deepEqual(await stage.until("bye"), { type: "bye", code: "refused" });
});

Deno.test("session refuses any message before the proof", async () => {
  const stage = new Stage();
  const control = await stage.connect();
  control.send(encodeControl({ type: "camera-start", camera: "front" }));
  await stage.over;
  assert.match(String(stage.reason()), /came before the proof/);
});

Deno.test("session without a certificate of the other end is refused", async () => {
  const stage = new Stage();
  stage.peer.seen = undefined;
  await stage.connect();
  await stage.over;
  assert.match(String(stage.reason()), /no certificate/);
});

const ENDINGS: [string, (stage: Stage, control: ChannelDouble) => void, RegExp][] = [
  ["the path is lost", (stage) => stage.peer.handlers.state("failed"), /path was lost/],
  [
    "the browser says goodbye",
    (_, control) => control.send(encodeControl({ type: "bye", code: "closed" })),
    /goodbye/,
  ],
  ["the control channel closes", (_, control) => control.close(), /control channel closed/],
  ["the bulk channel closes", (stage) => stage.peer.far.get(1)!.close(), /channel-closed/],
  ["the browser sends garbage on control", (_, control) => control.send(utf8("garbage")), /Cannot/],
  [
    "the browser sends garbage on bulk",
    (stage) => stage.peer.far.get(1)!.send(utf8("garbage of 20 bytes")),
    /protocol/,
  ],
  [
    "the browser plays an agent",
    (_, control) =>
      control.send(encodeControl({
        type: "hello",
        name: "x",
        services: [],
        cameras: [],
        access: { role: "owner" },
        pass: PASS,
      })),
    /not for an agent/,
  ],
];

for (const [name, cause, reason] of ENDINGS) {
  Deno.test(`session ends once when ${name}`, async () => {
    const stage = new Stage();
    const control = await stage.live();
    cause(stage, control);
    await stage.over;
    assert.match(String(stage.reason()), reason);
    assert.equal(stage.peer.closed, 1);
  });
}

Deno.test("session ends when a flood of control messages waits", async () => {
  const stage = new Stage();
  const control = await stage.live();
  for (let id = 0; id < 1000; id++) control.send(encodeControl({ type: "ping", id }));
  await stage.over;
  assert.match(String(stage.reason()), /too many wait/);
});

/* ---- ended by control ------------------------------------------------------------------------------------- */

for (const code of ["expired", "revoked", "removed", "kicked"] as const) {
  Deno.test(`session that control ends as ${code} tells the browser that word`, async () => {
    const stage = new Stage();
    await stage.live();
    stage.admission.cutting.abort(code);
    await stage.over;
    assert.deepEqual(await stage.until("bye"), { type: "bye", code });
    assert.match(String(stage.reason()), new RegExp(code));
    assert.equal(stage.peer.closed, 1);
  });
}

Deno.test("session that control ends with a word of its own is told as refused", async () => {
  const stage = new Stage();
  await stage.live();
  stage.admission.cutting.abort("secret reason");
  await stage.over;
  assert.deepEqual(await stage.until("bye"), { type: "bye", code: "refused" });
});

Deno.test("session that control ended before it began answers nothing", async () => {
  const admission = new AdmissionDouble();
  admission.cutting.abort("revoked");
  const stage = new Stage({ admission });
  await stage.over;
  assert.deepEqual(admission.log, ["release"]);
  assert.equal(stage.peer.closed, 1);
});

Deno.test("session that control ends beside the proof neither becomes lasting nor greets", async () => {
  const stage = new Stage();
  const control = await stage.connect();
  await stage.until("confirm");
  const { confirmation } = stage.admission;
  const receive = confirmation.receive.bind(confirmation);
  confirmation.receive = (message) => {
    queueMicrotask(() => stage.admission.cutting.abort("revoked"));
    return receive(message);
  };
  control.send(encodeControl({ type: "confirm", bytes: utf8("proof") }));
  await stage.over;
  assert.ok(!stage.peer.far.has(1));
  assert.ok(!stage.admission.log.includes("confirmed"));
  assert.ok(!stage.messages.some(({ type }) => type === "hello"));
});

for (let later = 0; later < 12; later++) {
  Deno.test(`session that control ends ${later} microtasks into its confirmation does not greet after that`, async () => {
    const stage = new Stage();
    const control = await stage.connect();
    await stage.until("confirm");
    let live: boolean | undefined;
    stage.admission.confirmed = () => {
      void turns(later).then(() => {
        live = stage.peer.far.has(1);
        stage.admission.cutting.abort("revoked");
      });
      return Promise.resolve();
    };
    control.send(encodeControl({ type: "confirm", bytes: utf8("proof") }));
    await stage.over;
    assert.deepEqual(await stage.until("bye"), { type: "bye", code: "revoked" });
    assert.equal(stage.peer.far.has(1), live);
    assert.equal(stage.messages.some(({ type }) => type === "hello"), live);
  });
}

Deno.test("session that control ends takes its streams and cameras with it in the same turn, deaf services or not", async () => {
  const asked = Promise.withResolvers<AbortSignal>();
  const deaf = Promise.withResolvers<never>();
  const { cameras, opened, closed } = camerasDouble([
    { id: "front", title: "Front" },
    { id: "yard", title: "Yard" },
  ]);
  const request: Services["request"] = (_request, signal) => {
    asked.resolve(signal);
    return deaf.promise;
  };
  const stage = new Stage({ cameras, services: { request } });
  const control = await stage.live();
  control.send(encodeControl({ type: "camera-start", camera: "front" }));
  await stage.until("camera-ready");
  const browser = new BrowserDouble(stage.peer.far.get(1)!);
  const id = browser.open({});
  browser.run((mux) => mux.end(0, id));
  const signal = await asked.promise;
  stage.peer.near.get(0)!.deliver(encodeControl({ type: "camera-start", camera: "yard" }));
  stage.admission.cutting.abort("kicked");
  await turns(30);
  assert.ok(signal.aborted);
  assert.equal(closed(), 1);
  assert.equal(opened.length, 1, "a message was taken after the end");
  assert.equal(stage.peer.closed, 1);
  assert.equal(stage.messages.at(-1)?.type, "bye");
  deaf.reject(new Error("Cannot go on"));
  await stage.over;
});

Deno.test("session's goodbye leaves before its connection closes", async () => {
  const stage = new Stage();
  await stage.live();
  const near = stage.peer.near.get(0)!;
  near.bufferedAmount = 1; // behind a download
  stage.session.close("shutdown", "test over");
  await stage.until("bye");
  await turns(30);
  assert.equal(stage.peer.closed, 0);
  near.bufferedAmount = 0;
  await stage.over;
  assert.equal(stage.peer.closed, 1);
});

/* ---- cameras ---------------------------------------------------------------------------------------------- */

const OFFER: ControlMessage = {
  type: "media-offer",
  id: 3,
  media: [{
    mid: "1",
    camera: "front",
    codecs: [{ payloadType: 102, rtx: 103, profileLevelId: "42001f", packetizationMode: 1 }],
  }],
};

Deno.test("session starts a camera, answers the page's offer from fields, and stops it at the end", async () => {
  const { cameras, played, closed } = camerasDouble();
  const stage = new Stage({ cameras });
  const control = await stage.live();
  control.send(encodeControl({ type: "camera-start", camera: "front" }));
  const ready = { type: "camera-ready", camera: "front", profileLevelId: "42e01f" } as const;
  assert.deepEqual(await stage.until("camera-ready"), ready);
  control.send(encodeControl(OFFER));
  const answer = await stage.until("media-answer");
  assert.ok(answer.type === "media-answer");
  assert.equal(answer.id, 3);
  assert.deepEqual(answer.media[0], {
    mid: "1",
    active: true,
    codec: { payloadType: 102, rtx: 103, profileLevelId: "42001f", packetizationMode: 1 },
    ssrc: 1,
    rtxSsrc: 2,
    cname: "c",
  });
  assert.equal(played.length, 0, "a picture was sent before the page could take it");
  control.send(encodeControl({ type: "media-applied", id: 3 }));
  control.send(encodeControl({ type: "ping", id: 4 }));
  await stage.until("pong");
  assert.equal(played.length, 1);
  stage.session.close("closed", "test over");
  await stage.over;
  assert.equal(closed(), 1);
});

Deno.test("session names a camera that does not exist, and answers an offer for it with an empty section", async () => {
  const stage = new Stage();
  const control = await stage.live();
  control.send(encodeControl({ type: "camera-start", camera: "front" }));
  const state = {
    type: "camera-state",
    camera: "front",
    state: "failed",
    code: "unknown",
  } as const;
  assert.deepEqual(await stage.until("camera-state"), state);
  control.send(encodeControl(OFFER));
  assert.deepEqual(await stage.until("media-answer"), {
    type: "media-answer",
    id: 3,
    media: [{ mid: "1", active: false }],
  });
  stage.session.close("closed", "test over");
  await stage.over;
});

Deno.test("session lets its admission go although the connection cannot be closed", async () => {
  const stage = new Stage();
  stage.peer.close = () => Promise.reject(new Error("Cannot close: broken"));
  await stage.live();
  stage.session.close("closed", "test over");
  await stage.over;
  assert.equal(stage.admission.log.at(-1), "release");
  assert.ok(stage.events.some(([event]) => event === "session.release_failed"));
});
