/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import type { ControlMessage } from "../../src/protocol/control.ts";
import type { MediaAnswer, MediaOffer } from "../../src/protocol/sdp.ts";
import { Cameras } from "./cameras.ts";
import { LostError } from "./lost.ts";
import {
  inOfferedOrder,
  type MediaLink,
  type MediaPeer,
  type Negotiator,
  type VideoTransceiver,
} from "./media.ts";

// What Chromium would write, as far as it is read.
const SECTION_H264 = [
  "a=rtpmap:102 H264/90000",
  "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
];

const TRANSPORT = {
  ufrag: "abcd",
  pwd: "a".repeat(22),
  fingerprint: new Uint8Array(32),
  setup: "passive",
} as const;

/** A peer connection without a network: it writes sections and takes any answer. */
class PeerDouble implements MediaPeer {
  readonly transceivers: (VideoTransceiver & { mid: string | null })[] = [];
  readonly answers: string[] = [];
  localDescription: { sdp: string } | null = null;

  addTransceiver(): VideoTransceiver {
    const track = { id: `track-${this.transceivers.length + 1}` } as MediaStreamTrack;
    const receiver = {
      track,
      jitterBufferTarget: null,
      getStats: () => Promise.resolve(new Map()),
    };
    const transceiver = { mid: null, direction: "recvonly", receiver } as const;
    this.transceivers.push({ ...transceiver });
    return this.transceivers.at(-1)!;
  }

  setLocalDescription(): Promise<void> {
    this.transceivers.forEach((transceiver, index) => transceiver.mid = String(index + 1));
    const sections = this.transceivers.flatMap(({ mid, direction }) => [
      "m=video 9 UDP/TLS/RTP/SAVPF 102",
      `a=mid:${mid}`,
      `a=${direction}`,
      ...SECTION_H264,
    ]);
    const lines = ["v=0", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:0"];
    this.localDescription = { sdp: [...lines, ...sections, ""].join("\r\n") };
    return Promise.resolve();
  }

  setRemoteDescription({ sdp }: { sdp: string }): Promise<void> {
    this.answers.push(sdp);
    return Promise.resolve();
  }
}

interface Rig {
  cameras: Cameras;
  negotiator: Negotiator;
  peer: PeerDouble;
  sent: ControlMessage[];
  lost: LostError[];
  /** Lets promises run until this many messages were sent. */
  settle(sent: number): Promise<void>;
  states(): Record<string, string>;
  offers(): (ControlMessage & { type: "media-offer" })[];
}

function rig(offered = ["front", "yard"]): Rig {
  const peer = new PeerDouble();
  const sent: ControlMessage[] = [];
  const lost: LostError[] = [];
  const negotiators: Negotiator[] = [];
  const link: MediaLink = {
    peer,
    remote: TRANSPORT,
    signal: new AbortController().signal,
    send: (message) => sent.push(message),
    fail: (error) => lost.push(error),
    negotiates: (negotiator) => negotiators.push(negotiator),
  };
  const cameras = new Cameras();
  cameras.attach(link, offered.map((id) => ({ id, title: id })));
  return {
    cameras,
    negotiator: negotiators[0]!,
    peer,
    sent,
    lost,
    settle: async (count) => {
      for (let i = 0; i < 50 && sent.length < count; i++) await Promise.resolve();
      for (let i = 0; i < 50; i++) await Promise.resolve();
      assert.equal(sent.length, count);
    },
    states: () =>
      Object.fromEntries([...cameras.views.value].map(([id, { state }]) => [id, state])),
    offers: () => sent.filter((message) => message.type === "media-offer"),
  };
}

const active = (mid: string): MediaAnswer => ({
  mid,
  active: true,
  codec: { payloadType: 102, profileLevelId: "42e01f", packetizationMode: 1 },
  ssrc: 1000 + Number(mid),
  cname: "device",
});

const ready = (camera: string) =>
  ({ type: "camera-ready", camera, profileLevelId: "42e01f" }) as const;

/** `MediaStream` exists in browsers only. */
class StreamDouble {
  constructor(readonly tracks: readonly { id: string }[]) {}
}
Object.assign(globalThis, { MediaStream: StreamDouble });

Deno.test("a wanted camera is started, offered, answered and shown", async () => {
  const one = rig();
  one.cameras.want("front");
  assert.deepEqual(one.sent, [{ type: "camera-start", camera: "front" }]);
  assert.deepEqual(one.states(), { front: "starting" });
  one.cameras.receive({ type: "camera-state", camera: "front", state: "live" });
  one.cameras.receive(ready("front"));
  await one.settle(2);
  const [offer] = one.offers();
  assert.deepEqual(offer!.media.map(({ mid, camera }) => [mid, camera]), [["1", "front"]]);
  assert.equal(offer!.media[0]!.codecs[0]!.profileLevelId, "42e01f");
  assert.equal(one.peer.transceivers[0]!.receiver.jitterBufferTarget, 0);
  assert.equal(one.sent.length, 2, "media-applied was sent before the answer was");
  one.cameras.receive({ type: "media-answer", id: offer!.id, media: [active("1")] });
  await one.settle(3);
  assert.deepEqual(one.sent[2], { type: "media-applied", id: offer!.id });
  assert.deepEqual(one.states(), { front: "live" });
  assert.match(one.peer.answers[0]!, /a=sendonly/);
  assert.deepEqual(one.lost, []);
});

Deno.test("cameras that get ready during a negotiation share the next", async () => {
  const one = rig(["a", "b", "c"]);
  for (const id of ["a", "b", "c"]) one.cameras.want(id);
  one.cameras.receive(ready("a"));
  await one.settle(4);
  one.cameras.receive(ready("b"));
  one.cameras.receive(ready("c"));
  await one.settle(4); // nothing while the first is out
  one.cameras.receive({ type: "media-answer", id: 1, media: [active("1")] });
  await one.settle(6);
  assert.deepEqual(one.offers()[1]!.media.map(({ camera }) => camera), ["a", "b", "c"]);
  one.cameras.receive({
    type: "media-answer",
    id: 2,
    media: [active("3"), active("1"), active("2")], // any order
  });
  await one.settle(7);
  assert.deepEqual(one.states(), { a: "live", b: "live", c: "live" });
});

Deno.test("a section that the device leaves inactive is a camera that cannot be shown", async () => {
  const one = rig();
  one.cameras.want("front");
  one.cameras.receive(ready("front"));
  await one.settle(2);
  one.cameras.receive({ type: "media-answer", id: 1, media: [{ mid: "1", active: false }] });
  await one.settle(3);
  const view = one.cameras.views.value.get("front");
  assert.ok(view?.state === "failed" && view.code === "unsupported");
});

Deno.test("a camera that waits keeps its last picture and the time of its last sign", async () => {
  const one = rig();
  one.cameras.want("front");
  one.cameras.receive(ready("front"));
  await one.settle(2);
  one.cameras.receive({ type: "media-answer", id: 1, media: [active("1")] });
  await one.settle(3);
  one.cameras.receive({ type: "camera-state", camera: "front", state: "waiting" });
  const first = one.cameras.views.value.get("front");
  one.cameras.receive({
    type: "camera-state",
    camera: "front",
    state: "waiting",
    code: "unreachable",
  });
  const second = one.cameras.views.value.get("front");
  assert.ok(first?.state === "waiting" && first.stream !== undefined);
  assert.ok(second?.state === "waiting" && second.code === "unreachable");
  assert.equal(second.since, first.since);
  one.cameras.receive({ type: "camera-state", camera: "front", state: "live" });
  assert.deepEqual(one.states(), { front: "live" });
});

Deno.test("a camera that the device does not name is not asked for", () => {
  const one = rig([]);
  one.cameras.want("front");
  assert.deepEqual(one.sent, []);
  assert.deepEqual(one.states(), { front: "failed" });
});

Deno.test("wants outlive a connection", async () => {
  const one = rig();
  one.cameras.want("front");
  one.cameras.detach();
  assert.deepEqual(one.states(), { front: "parted" });
  const sent: ControlMessage[] = [];
  one.cameras.attach(
    {
      peer: new PeerDouble(),
      remote: TRANSPORT,
      signal: new AbortController().signal,
      send: (message) => sent.push(message),
      fail: (error) => assert.fail(error),
      negotiates: () => {},
    },
    [{ id: "front", title: "Front" }],
  );
  await Promise.resolve();
  assert.deepEqual(sent, [{ type: "camera-start", camera: "front" }]);
});

Deno.test("an answer that was not asked for breaks the protocol", async () => {
  const one = rig();
  assert.throws(() => one.cameras.receive({ type: "media-answer", id: 1, media: [] }), LostError);
  one.cameras.want("front");
  one.cameras.receive(ready("front"));
  await one.settle(2);
  assert.throws(() => one.cameras.receive({ type: "media-answer", id: 2, media: [] }), LostError);
  one.cameras.receive({ type: "media-answer", id: 1, media: [active("7")] });
  await one.settle(2);
  assert.equal(one.lost[0]?.code, "protocol");
});

Deno.test("a restart breaks an offer off, has the connection to itself, and the offer is made again", async () => {
  const one = rig();
  one.cameras.want("front");
  one.cameras.receive(ready("front"));
  await one.settle(2);
  await one.negotiator.hold();
  assert.deepEqual(one.negotiator.standing(one.peer.localDescription!.sdp), [
    { mid: "1", active: false }, // nothing was agreed upon yet
  ]);
  one.cameras.receive({ type: "media-answer", id: 1, media: [active("1")] }); // late: to nobody
  await one.settle(2);
  assert.deepEqual(one.peer.answers, []);
  one.negotiator.release();
  await one.settle(3);
  assert.deepEqual(one.offers().map(({ id }) => id), [1, 2]);
  one.cameras.receive({ type: "media-answer", id: 2, media: [active("1")] });
  await one.settle(4);
  assert.deepEqual(one.states(), { front: "live" });
  assert.deepEqual(one.lost, []);
});

Deno.test("during a restart sections stand as they were answered, and wait to be changed", async () => {
  const one = rig(["a", "b"]);
  one.cameras.want("a");
  one.cameras.receive(ready("a"));
  await one.settle(2);
  one.cameras.receive({ type: "media-answer", id: 1, media: [active("1")] });
  await one.settle(3);
  await one.negotiator.hold();
  one.cameras.want("b");
  one.cameras.receive(ready("b"));
  await one.settle(4); // camera-start, and no offer
  await one.peer.setLocalDescription();
  assert.deepEqual(one.negotiator.standing(one.peer.localDescription!.sdp), [
    active("1"),
    { mid: "2", active: false },
  ]);
  one.negotiator.release();
  await one.settle(5);
  assert.deepEqual(one.offers()[1]!.media.map(({ camera }) => camera), ["a", "b"]);
  one.cameras.receive({ type: "media-answer", id: 2, media: [active("1"), active("2")] });
  await one.settle(6);
});

Deno.test("inOfferedOrder() refuses answers that do not fit the offer", () => {
  const offer = (mid: string, camera: string | null): MediaOffer => ({ mid, camera, codecs: [] });
  const two = [offer("1", "front"), offer("2", null)];
  const idle: MediaAnswer = { mid: "2", active: false };
  assert.deepEqual(inOfferedOrder(two, [idle, active("1")]), [active("1"), idle]);
  assert.throws(() => inOfferedOrder(two, [active("1")]), LostError);
  assert.throws(() => inOfferedOrder(two, [active("1"), active("2")]), LostError);
  assert.throws(() => inOfferedOrder(two, [active("1"), active("1")]), LostError);
  assert.throws(() => inOfferedOrder(two, [active("1"), idle, idle]), LostError);
});
