import assert from "node:assert/strict";
import { type Bytes, utf8 } from "../lib/bytes.ts";
import type { ControlMessage } from "../protocol/control.ts";
import { decodeControl, encodeControl } from "../protocol/control_codec.ts";
import { answerSdp, type TransportFields } from "../protocol/sdp.ts";
import { ChannelDouble, servicesDouble } from "./doubles_test.ts";
import type { Admission, CameraFeed, Cameras, Confirmation, Peer, PeerHandlers } from "./seams.ts";
import { Session } from "./session.ts";

const TRANSPORT: TransportFields = {
  ufrag: "abcd",
  pwd: "0123456789abcdefghijkl",
  fingerprint: new Uint8Array(32).fill(7),
  setup: "actpass",
};

/** A WebRTC connection that a test plays. */
class PeerDouble implements Peer {
  readonly far = new Map<number, ChannelDouble>();
  readonly offers: string[] = [];
  handlers!: PeerHandlers;
  closed = 0;
  seen: Bytes | undefined = TRANSPORT.fingerprint;

  answer(offer: string): Promise<string> {
    this.offers.push(offer);
    const transport = { ...TRANSPORT, setup: "passive" } as const;
    return Promise.resolve(answerSdp({ transport, media: [] }));
  }
  channel(id: number): ChannelDouble {
    const [near, far] = ChannelDouble.pair();
    this.far.set(id, far);
    return near;
  }
  addCandidate = () => Promise.resolve();
  /** When something was last heard; all the time without it. */
  heard: number | undefined;

  seenFingerprint = () => this.seen;
  heardAt = () => this.heard ?? performance.now();
  prepareVideo = () => {};
  video = () => ({ sendFrame: () => {}, ssrc: 1, rtxSsrc: 2, cname: "c" });
  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }
}

/** A proof that holds when the browser says "proof". */
class ConfirmationDouble implements Confirmation {
  done = false;
  start = () => Promise.resolve(utf8("nonce"));
  receive(message: Bytes): Promise<Bytes | undefined> {
    if (new TextDecoder().decode(message) !== "proof") {
      return Promise.reject(new Error("Cannot confirm: forged"));
    }
    this.done = true;
    return Promise.resolve(utf8("ours"));
  }
}

class AdmissionDouble implements Admission {
  readonly sessionId = "s1";
  readonly holder = "h1";
  readonly remote = TRANSPORT;
  readonly remoteCandidates = [];
  readonly iceServers = [];
  readonly confirmation = new ConfirmationDouble();
  readonly log: string[] = [];
  answer = () => Promise.resolve(void this.log.push("answer"));
  sendCandidate = (candidate: string) => Promise.resolve(void this.log.push(candidate));
  onCandidate = () => {};
  confirmed = () => Promise.resolve(void this.log.push("confirmed"));
  release = () => void this.log.push("release");
}

const NO_CAMERAS: Cameras = { list: () => [], open: () => Promise.reject(new Error("unexpected")) };

/** A session up to the open control channel, and the browser's end of that. */
class Stage {
  readonly peer = new PeerDouble();
  readonly admission = new AdmissionDouble();
  readonly messages: ControlMessage[] = [];
  readonly events: [string, unknown][] = [];
  readonly session: Session;
  readonly over: Promise<void>;
  #waiting: (() => void)[] = [];

  constructor(cameras: Cameras = NO_CAMERAS) {
    const log = (event: string, fields?: unknown) => void this.events.push([event, fields]);
    this.session = new Session(this.admission, {
      name: "Bench",
      services: servicesDouble({}),
      cameras,
      log: { debug: log, info: log, warn: log, error: log },
      createPeer: ({ handlers }) => {
        this.peer.handlers = handlers;
        return Promise.resolve(this.peer);
      },
    });
    this.over = this.session.run();
  }

  /** Opens the browser's end of the control channel once the session made its own. */
  async connect(): Promise<ChannelDouble> {
    while (!this.peer.far.has(0)) await Promise.resolve();
    const control = this.peer.far.get(0)!;
    control.listen({
      open: () => {},
      message: (bytes) => {
        this.messages.push(decodeControl(bytes));
        for (const wake of this.#waiting.splice(0)) wake();
      },
      low: () => {},
      close: () => {},
    });
    return control;
  }

  async until(type: ControlMessage["type"]): Promise<ControlMessage> {
    for (;;) {
      const found = this.messages.find((message) => message.type === type);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async live(): Promise<ChannelDouble> {
    const control = await this.connect();
    await this.until("confirm");
    control.send(encodeControl({ type: "confirm", bytes: utf8("proof") }));
    await this.until("hello");
    return control;
  }

  reason(): unknown {
    return (this.events.find(([event]) => event === "session.over")?.[1] as { reason: unknown })
      .reason;
  }
}

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

Deno.test("session pings, and ends when the path has gone silent, though nobody closes it", async () => {
  const stage = new Stage();
  await stage.live();
  assert.equal((await stage.until("ping")).type, "ping");
  stage.peer.heard = performance.now();
  await stage.over;
  assert.equal(stage.reason(), "the path went silent");
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
      control.send(encodeControl({ type: "hello", name: "x", services: [], cameras: [] })),
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

/* ---- cameras ---------------------------------------------------------------------------------------------- */

function cameraDouble(): { cameras: Cameras; played: unknown[]; closed: () => number } {
  let closed = 0;
  const played: unknown[] = [];
  const feed: CameraFeed = {
    profileLevelId: "42e01f",
    play: (sink) => void played.push(sink),
    keyFrameWanted: () => {},
    close: () => void closed++,
  };
  const cameras: Cameras = {
    list: () => [{ id: "front", title: "Front" }],
    open: (_camera, listener) => {
      listener.state("live");
      return Promise.resolve(feed);
    },
  };
  return { cameras, played, closed: () => closed };
}

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
  const { cameras, played, closed } = cameraDouble();
  const stage = new Stage(cameras);
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
