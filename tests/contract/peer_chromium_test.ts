// The peer against a real browser. playwright-core keeps pipes and timers of its own that end after
// the browser has, so that these tests run without the sanitizers; `peer_contract_test.ts` has them
// on for the peer.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import type { DataChannel } from "../../src/webrtc/channel.ts";
import { chromiumMissing } from "../e2e/browser.ts";
import { Session } from "./chromium_offerer.ts";
import { limited } from "./limited.ts";
import { type ClipFrame, clipFrames } from "./h264_clip.ts";

const CLIP = new URL("../../src/camera/test_clip.h264", import.meta.url);
const BULK_BYTES = 20_000_000;
const MESSAGE_BYTES = 16_384;
const HIGH_BYTES = 262_144;
const PROFILE_LEVEL_ID = "42c01f";

const lack = await chromiumMissing();
const ignore = lack !== undefined;
if (ignore) Deno.stderr.writeSync(new TextEncoder().encode(`Chromium peer is skipped: ${lack}\n`));

function test(name: string, fn: (session: Session) => Promise<void>, options = {}): void {
  Deno.test({
    name,
    ignore,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using session = await Session.open(options);
      await limited(fn(session));
    },
  });
}

/** Creates the channel at both ends. */
async function openChannel(session: Session, id: number): Promise<DataChannel> {
  const channel = session.peer.channel(id, `channel ${id}`);
  if (id !== 0) await session.call("channel", id, `channel ${id}`);
  return channel;
}

/** Listens, and resolves with each message in turn. */
function inbox(channel: DataChannel) {
  const messages: Uint8Array[] = [];
  const waiting: ((message: Uint8Array) => void)[] = [];
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  let low = () => {};
  channel.listen({
    open,
    close,
    low: () => low(),
    message: (bytes) => {
      const resolve = waiting.shift();
      if (resolve === undefined) messages.push(bytes);
      else resolve(bytes);
    },
  });
  return {
    opened,
    closed,
    onLow: () => new Promise<void>((resolve) => low = resolve),
    next: (): Promise<Uint8Array> => {
      const message = messages.shift();
      if (message !== undefined) return Promise.resolve(message);
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
}

test("Chromium echoes binary messages on channels 0 and 1, and its end is noticed", async (session) => {
  for (const id of [0, 1]) {
    const channel = await openChannel(session, id);
    const box = inbox(channel);
    await box.opened;
    await session.call("opened", id);
    await session.call("echo", id);
    for (const length of [1, 1160, 1161, 65_536, 262_144]) {
      const message = randomBytes(length);
      channel.send(message);
      assert.deepEqual(await box.next(), new Uint8Array(message));
    }
    if (id !== 1) continue;
    await session.call("close");
    await session.reached("closed");
    await box.closed;
  }
  assert.deepEqual(session.states, ["connecting", "connected", "closed"]);
});

test("20 MB arrive whole in both directions, and the low-water mark is told", async (session) => {
  const channel = await openChannel(session, 1);
  const box = inbox(channel);
  await session.call("opened", 1);

  const bytes = randomBytes(BULK_BYTES);
  const received = session.call<{ sha256: string; ms: number }>("receive", 1, BULK_BYTES);
  for (let at = 0; at < BULK_BYTES; at += MESSAGE_BYTES) {
    if (channel.bufferedAmount > HIGH_BYTES) await box.onLow();
    channel.send(bytes.subarray(at, at + MESSAGE_BYTES));
  }
  assert.equal((await received).sha256, createHash("sha256").update(bytes).digest("hex"));

  const sent = session.call<string>("send", 1, BULK_BYTES, MESSAGE_BYTES);
  const hash = createHash("sha256");
  for (let length = 0; length < BULK_BYTES;) {
    const message = await box.next();
    hash.update(message);
    length += message.length;
  }
  assert.equal(hash.digest("hex"), await sent);
});

test(
  "a Chromium that hides its addresses behind mDNS connects as well",
  async (session) => {
    const box = inbox(await openChannel(session, 0));
    await box.opened;
    await session.reached("connected");
  },
  { mdns: true },
);

/** Sends the clip to a section, over and over, until `done`. */
async function play(session: Session, mid: string, done: () => Promise<boolean>): Promise<void> {
  const frames: ClipFrame[] = clipFrames(await Deno.readFile(CLIP));
  const sender = session.peer.video(mid)!;
  for (let i = 0;; i++) {
    const frame = frames[i % frames.length]!;
    sender.sendFrame({ ...frame, timestamp: (i * 3000) >>> 0 });
    // A camera's pace; the verdict is that of `done`.
    await new Promise((resolve) => setTimeout(resolve, 15));
    if (i % 10 === 9 && await done()) return;
  }
}

interface Decoded {
  readonly framesDecoded: number;
  readonly frameWidth: number;
  readonly frameHeight: number;
}

/** Plays until the browser has decoded so many frames in that section since now. */
async function playDecoded(session: Session, mid: string, count = 40): Promise<Decoded> {
  const before = (await session.call<Decoded>("decoded", mid)).framesDecoded ?? 0;
  let decoded!: Decoded;
  await play(session, mid, async () => {
    decoded = await session.call<Decoded>("decoded", mid);
    return decoded.framesDecoded >= before + count;
  });
  return decoded;
}

test("cameras play, come and go, and transport stays what it was", async (session) => {
  await session.reached("connected");
  await session.call("addVideo");
  const first = await session.renegotiate(["1"], PROFILE_LEVEL_ID);
  const { frameWidth, frameHeight } = await playDecoded(session, "1");
  assert.deepEqual([frameWidth, frameHeight], [640, 360]);
  assert.ok(session.keyFramesWanted.every((mid) => mid === "1"));

  await session.call("addVideo");
  const second = await session.renegotiate(["1", "2"], PROFILE_LEVEL_ID);
  await Promise.all([playDecoded(session, "1"), playDecoded(session, "2")]);
  assert.deepEqual(second.transport.fingerprint, first.transport.fingerprint);

  const kept = session.peer.video("2")!;
  await session.call("setDirection", "2", "inactive");
  await session.renegotiate(["1"], PROFILE_LEVEL_ID);
  assert.equal(session.peer.video("2"), undefined);
  kept.sendFrame({ payloads: [new Uint8Array(8)], timestamp: 0, keyFrame: false }); // goes nowhere
  await playDecoded(session, "1");

  await session.call("setDirection", "2", "recvonly");
  await session.renegotiate(["1", "2"], PROFILE_LEVEL_ID);
  assert.equal(session.peer.video("2")?.ssrc, kept.ssrc);
  await playDecoded(session, "2");
  assert.deepEqual(session.states, ["connecting", "connected"]);
});

test("a browser that lost the picture asks for a key frame", async (session) => {
  await session.reached("connected");
  await session.call("addVideo");
  await session.renegotiate(["1"], PROFILE_LEVEL_ID);
  const frames = clipFrames(await Deno.readFile(CLIP)).filter(({ keyFrame }) => !keyFrame);
  const sender = session.peer.video("1")!;
  for (let i = 0; session.keyFramesWanted.length === 0; i++) {
    sender.sendFrame({ ...frames[i % frames.length]!, timestamp: (i * 3000) >>> 0 });
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  assert.deepEqual(new Set(session.keyFramesWanted), new Set(["1"]));
});
