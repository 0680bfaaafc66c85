/** Sessions of guests: what is not lent cannot be listed, opened or probed, and no byte that leaves names it. */
import assert from "node:assert/strict";
import { toHex } from "../lib/bytes.ts";
import type { ControlMessage } from "../protocol/control.ts";
import { encodeControl } from "../protocol/control_codec.ts";
import type { OwnerRequest } from "../protocol/owner.ts";
import { BrowserDouble, type ChannelDouble } from "./doubles_test.ts";
import type { Services } from "./seams.ts";
import { camerasDouble, guest, lent, PASS, Stage, type StageOptions } from "./stage_test.ts";

const SECRETS = ["heater-room", "Heater in the cellar", "bedroom-cam", "Bedroom of the children"];

const CAMERAS = [
  { id: "front", title: "Front gate" },
  { id: "bedroom-cam", title: "Bedroom of the children" },
];

/** A device with one thing for guests and one that is nobody's business, each in services and cameras. */
function device(): StageOptions & { asked: string[]; opened: string[] } {
  const { cameras, opened } = camerasDouble(CAMERAS);
  const asked: string[] = [];
  const request: Services["request"] = ({ head }) => {
    asked.push(head.service);
    const body = new Response("hi").body!;
    return Promise.resolve({ head: { status: 200, headers: [] }, body });
  };
  const list = () => [
    { id: "ui", title: "Controller" },
    { id: "heater-room", title: "Heater in the cellar" },
  ];
  return { cameras, opened, asked, services: { list, request } };
}

const CAMERA_ONLY = lent({ cameras: ["front"], operations: ["view"] });

async function ended(stage: Stage): Promise<void> {
  stage.session.close("closed", "test over");
  await stage.over;
}

/** The answer to what was said last: later messages are told in order. */
async function settled(stage: Stage, control: ChannelDouble, id: number): Promise<void> {
  control.send(encodeControl({ type: "ping", id }));
  await stage.until("pong", (message) => message.type === "pong" && message.id === id);
}

Deno.test("a guest is greeted with what is lent, the rights and the time that is left", async () => {
  const stage = new Stage({ ...device(), admission: guest(CAMERA_ONLY) });
  await stage.live();
  assert.deepEqual(await stage.until("hello"), {
    type: "hello",
    name: "Bench",
    services: [],
    cameras: [{ id: "front", title: "Front gate" }],
    access: { role: "guest", operations: ["view"], remainingSeconds: 60 },
    pass: PASS,
  });
  await ended(stage);
});

Deno.test("an owner is greeted with numbers and the newest entry of the log", async () => {
  const stage = new Stage(device());
  const audit = { sequence: 7, hash: new Uint8Array(32).fill(3) };
  stage.admission.hello = {
    access: { role: "owner" },
    pass: PASS,
    audit,
    numberOf: (kind, id) => kind.length + id.length,
  };
  await stage.live();
  const hello = await stage.until("hello");
  assert.ok(hello.type === "hello");
  assert.deepEqual(hello.audit, audit);
  assert.deepEqual(hello.services[0], { id: "ui", title: "Controller", number: 9 });
  assert.deepEqual(hello.cameras[1], { ...CAMERAS[1], number: 17 });
  await ended(stage);
});

Deno.test("a guest with a camera cannot list, open or probe a service nor another camera", async () => {
  const parts = device();
  const stage = new Stage({ ...parts, admission: guest(CAMERA_ONLY) });
  const control = await stage.live();
  const browser = new BrowserDouble(stage.peer.far.get(1)!);
  for (const kind of ["http", "websocket"] as const) {
    for (const service of ["ui", "heater-room", "nonsense"]) {
      for (const method of ["GET", "POST", "OPTIONS"]) {
        const id = browser.open({ kind, service, method });
        browser.run((mux) => mux.end(0, id));
        assert.equal((await browser.next("reset", id)).code, "service_unknown");
      }
    }
  }
  for (const camera of ["front", "bedroom-cam", "nonsense"]) {
    control.send(encodeControl({ type: "camera-start", camera }));
    const codecs = [{ payloadType: 102, profileLevelId: "42001f", packetizationMode: 1 }] as const;
    await settled(stage, control, 1 + camera.length);
    control.send(
      encodeControl({
        type: "media-offer",
        id: 1,
        media: [{ mid: camera.slice(0, 8), camera, codecs }],
      }),
    );
  }
  await settled(stage, control, 2);
  const told = stage.messages.flatMap((message) =>
    message.type === "camera-state" ? [[message.camera, message.state, message.code]] : []
  );
  assert.deepEqual(told, [
    ["front", "live", undefined],
    ["bedroom-cam", "failed", "unknown"],
    ["nonsense", "failed", "unknown"],
  ]);
  const active = stage.messages.flatMap((message) =>
    message.type === "media-answer" ? message.media.map(({ active }) => active) : []
  );
  assert.deepEqual(active, [true, false, false]);
  assert.deepEqual(parts.asked, []);
  assert.deepEqual(parts.opened, ["front"]);
  const refused = stage.admission.uses.filter(({ allowed }) => !allowed).map(({ id }) => id);
  assert.deepEqual(refused, ["ui", "heater-room", "nonsense", "bedroom-cam", "nonsense"]);
  await ended(stage);
});

const QUESTIONS: OwnerRequest[] = [
  { kind: "people" },
  { kind: "pair", forSeconds: 600 },
  { kind: "lend", token: PASS, label: "me" },
  { kind: "revoke", statement: PASS },
  { kind: "unpair", id: toHex(PASS) },
  { kind: "kick", session: toHex(PASS) },
  { kind: "audit" },
  { kind: "audit-hash", sequence: 1 },
];

Deno.test("a guest's questions of an owner are refused, each of them", async () => {
  const stage = new Stage({ ...device(), admission: guest(CAMERA_ONLY) });
  const control = await stage.live();
  for (const [id, request] of QUESTIONS.entries()) {
    control.send(encodeControl({ type: "owner-request", id, request }));
  }
  await settled(stage, control, 99);
  const replies = stage.messages.filter(({ type }) => type === "owner-reply");
  const refused = (id: number): ControlMessage => ({ type: "owner-reply", id, error: "refused" });
  assert.deepEqual(replies, QUESTIONS.map((_, id) => refused(id)));
  assert.deepEqual(
    stage.admission.uses,
    QUESTIONS.map(({ kind }) => ({ kind: "owner-request", id: kind, allowed: false })),
  );
  await ended(stage);
});

Deno.test("no byte sent to a guest holds a name or an id of what is not lent", async () => {
  const access = lent({ services: ["ui"], cameras: ["front"], operations: ["view"] });
  const stage = new Stage({ ...device(), admission: guest(access) });
  const control = await stage.live();
  const browser = new BrowserDouble(stage.peer.far.get(1)!);
  const attempts = [
    { head: {}, over: "end" },
    { head: { method: "POST" }, over: "reset" },
    { head: { service: "heater" }, over: "reset" },
    { head: { service: "x", path: "/*" }, over: "reset" },
  ] as const;
  for (const { head, over } of attempts) {
    const id = browser.open(head);
    browser.run((mux) => mux.end(0, id));
    await browser.next(over, id);
  }
  for (const camera of ["front", "bedroom", "0"]) {
    control.send(encodeControl({ type: "camera-start", camera }));
  }
  control.send(encodeControl({ type: "owner-request", id: 1, request: { kind: "people" } }));
  await settled(stage, control, 5);
  stage.admission.cutting.abort("expired");
  await stage.over;
  const sent = stage.sent();
  assert.ok(sent.includes("Front gate") && sent.includes("hi"), "the search sees what is sent");
  for (const secret of SECRETS) assert.ok(!sent.includes(secret), secret);
});

Deno.test("a guest who may view is refused a POST with a code of its own", async () => {
  const parts = device();
  const access = lent({ services: ["ui"], operations: ["view"] });
  const stage = new Stage({ ...parts, admission: guest(access) });
  await stage.live();
  const browser = new BrowserDouble(stage.peer.far.get(1)!);
  const id = browser.open({ method: "POST" });
  browser.run((mux) => mux.end(0, id));
  assert.equal((await browser.next("reset", id)).code, "not_allowed");
  assert.deepEqual(parts.asked, []);
  await ended(stage);
});
