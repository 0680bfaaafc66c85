import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { fromHex, toHex } from "../lib/bytes.ts";
import type { Log } from "../lib/log.ts";
import { FakeClock, settle } from "./fake_clock_test.ts";
import type { VideoFrame } from "./frame_preparer.ts";
import { CameraHub, KEY_FRAME_LIMIT_MS, LINGER_MS, MAX_VIEWERS } from "./hub.ts";
import { PLAY_AGAIN_MS } from "./viewer.ts";
import { type CameraCode, CameraError, type Source, type UnitSink } from "./source.ts";

const SPS = fromHex("6742c01fa6110280bfe5c044000003000400000300f03c60c846");
const PPS = fromHex("68c84232c8");
const IDR = fromHex("658882");
const SLICE = fromHex("619a22");
const B_SLICE = fromHex("01a8"); // nal_ref_idc 0, first_mb_in_slice 0, slice_type 1
const REFERENCE_B_SLICE = fromHex("21a8");

/** A camera that the test plays by hand. */
class HandSource implements Source {
  runs = 0;
  sink: UnitSink | undefined;
  #end: PromiseWithResolvers<void> | undefined;

  async run(sink: UnitSink, signal: AbortSignal): Promise<void> {
    this.runs++;
    this.sink = sink;
    this.#end = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => this.#end!.resolve(), { once: true });
    try {
      await this.#end.promise;
    } finally {
      this.sink = undefined;
    }
  }

  key(timestamp = 0): void {
    this.sink!.unit({ nals: [SPS, PPS, IDR], timestamp, keyFrame: true });
  }

  picture(timestamp: number, nal = SLICE): void {
    this.sink!.unit({ nals: [nal], timestamp, keyFrame: false });
  }

  async fail(code: CameraCode): Promise<void> {
    this.#end!.reject(new CameraError(code, "as told"));
    await settle();
  }
}

function stage() {
  const clock = new FakeClock();
  const source = new HandSource();
  const events: string[] = [];
  const note = (event: string, fields = {}) => {
    events.push([event, ...Object.values(fields)].join(" "));
  };
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const hub = new CameraHub({ camera: "front", source, log, clock, random: () => 1 });
  return { clock, source, hub, events };
}

function viewer(hub: CameraHub, signal = new AbortController().signal) {
  const states: string[] = [];
  const frames: VideoFrame[] = [];
  const listener = {
    state: (state: string, code?: string) => {
      states.push(code === undefined ? state : `${state} ${code}`);
    },
  };
  const opened = hub.open(listener, signal);
  opened.catch(() => {});
  return { states, frames, opened, sink: { sendFrame: (frame: VideoFrame) => frames.push(frame) } };
}

function gaps(frames: readonly VideoFrame[]): number[] {
  return frames.slice(1).map((frame, i) => (frame.timestamp - frames[i]!.timestamp) >>> 0);
}

Deno.test("the first viewer starts the source, the last stops it after the linger", async () => {
  const { clock, source, hub, events } = stage();
  equal(source.runs, 0);
  const first = viewer(hub);
  await settle();
  source.key();
  const feed = await first.opened;
  equal(feed.profileLevelId, "42c01f");
  const second = await viewer(hub).opened;
  equal(source.runs, 1);
  feed.close();
  feed.close();
  await clock.pass(LINGER_MS * 2);
  ok(source.sink !== undefined, "one viewer is left");
  second.close();
  await clock.pass(LINGER_MS - 1);
  ok(source.sink !== undefined);
  await clock.pass(1);
  equal(source.sink, undefined);
  equal(clock.waiting, 0);
  deepEqual(first.states, ["starting", "live"]);
  deepEqual(events, ["camera.started front 42c01f 640 360", "camera.stopped front"]);
});

Deno.test("a viewer that comes within the linger finds the source running", async () => {
  const { clock, source, hub } = stage();
  const first = viewer(hub);
  await settle();
  source.key();
  (await first.opened).close();
  await clock.pass(LINGER_MS - 1);
  const again = viewer(hub);
  await again.opened;
  await clock.pass(LINGER_MS * 2);
  equal(source.runs, 1);
  deepEqual(again.states, ["live"]);
  await hub.close();
});

Deno.test("a new viewer gets the kept pictures at once, then live ones at their own distance", async () => {
  const { clock, source, hub } = stage();
  const first = viewer(hub);
  await settle();
  source.key(1000);
  (await first.opened).play(first.sink);
  await clock.pass(33);
  source.picture(4000);
  await clock.pass(33);
  source.picture(7000);
  const late = viewer(hub);
  (await late.opened).play(late.sink);
  equal(late.frames.length, 3);
  deepEqual(late.frames.map((frame) => frame.keyFrame), [true, false, false]);
  await clock.pass(33);
  source.picture(10_000);
  deepEqual(gaps(late.frames), [3, 3, 2964]); // 33 ms after the first of them
  deepEqual(gaps(first.frames), [2970, 3000, 3000]); // 33 ms after what was kept for it
  await hub.close();
});

Deno.test("key frames carry the parameter sets, once, in front", async () => {
  const { source, hub } = stage();
  const one = viewer(hub);
  await settle();
  source.sink!.unit({ nals: [SPS, PPS], timestamp: 0, keyFrame: false });
  source.sink!.unit({ nals: [fromHex("09f0"), IDR], timestamp: 0, keyFrame: true });
  (await one.opened).play(one.sink);
  const [sets, picture, ...rest] = one.frames[0]!.payloads;
  equal(sets![0]! & 0x1f, 24);
  deepEqual(picture, IDR);
  equal(rest.length, 0);
  await hub.close();
});

Deno.test("the picture comes back by itself, with timestamps that run on", async () => {
  const { clock, source, hub } = stage();
  const one = viewer(hub);
  await settle();
  source.key(4_000_000_000);
  (await one.opened).play(one.sink);
  await source.fail("broken");
  deepEqual(one.states, ["starting", "live", "waiting broken"]);
  await clock.pass(1000);
  equal(source.runs, 2);
  source.picture(5, SLICE);
  source.key(100);
  source.picture(3100);
  deepEqual(one.states.at(-1), "live");
  deepEqual(gaps(one.frames), [90_000, 3000]);
  deepEqual(one.frames.map((frame) => frame.keyFrame), [true, true, false]);
  await hub.close();
});

Deno.test("tries are further and further apart, up to the ceiling", async () => {
  const { clock, source, hub } = stage();
  viewer(hub);
  await settle();
  for (const wait of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
    const before = source.runs;
    await source.fail("unreachable");
    await clock.pass(wait - 1);
    equal(source.runs, before);
    await clock.pass(1);
    equal(source.runs, before + 1);
  }
  await hub.close();
});

Deno.test("a refused password is tried again rarely, even by new viewers", async () => {
  const { clock, source, hub } = stage();
  const abort = new AbortController();
  const one = viewer(hub, abort.signal);
  await settle();
  await source.fail("unauthorised");
  deepEqual(one.states, ["starting", "failed unauthorised"]);
  abort.abort();
  await clock.pass(LINGER_MS);
  const next = viewer(hub);
  await clock.pass(60_000 - LINGER_MS - 1);
  deepEqual(next.states, ["failed unauthorised"]);
  equal(source.runs, 1);
  await clock.pass(1);
  equal(source.runs, 2);
  await source.fail("unauthorised");
  await clock.pass(120_000 - 1);
  equal(source.runs, 2);
  await hub.close();
});

Deno.test("a closed feed gets nothing, however late it plays", async () => {
  const { source, hub } = stage();
  const [gone, stays] = [viewer(hub), viewer(hub)];
  await settle();
  source.key();
  const feed = await gone.opened;
  feed.close();
  feed.play(gone.sink);
  source.picture(3000);
  equal(gone.frames.length, 0);
  await stays.opened;
  await hub.close();
});

Deno.test("open rejects when aborted, and the source stops", async () => {
  const { clock, source, hub } = stage();
  const abort = new AbortController();
  const one = viewer(hub, abort.signal);
  await settle();
  abort.abort(new Error("gone"));
  await rejects(one.opened, { message: "gone" });
  await clock.pass(LINGER_MS);
  equal(source.sink, undefined);
  await rejects(viewer(hub, AbortSignal.abort(new Error("late"))).opened, { message: "late" });
  equal(source.runs, 1);
});

Deno.test("a viewer that comes while the source stops gets a new run", async () => {
  const { clock, source, hub } = stage();
  const first = viewer(hub);
  await settle();
  source.key();
  (await first.opened).close();
  let second: ReturnType<typeof viewer> | undefined;
  clock.after(LINGER_MS, () => {
    second = viewer(hub);
  });
  await clock.pass(LINGER_MS);
  equal(source.runs, 2);
  source.key();
  await second!.opened;
  await hub.close();
});

Deno.test("disposable B-frames are left out with one word, others are refused by name", async () => {
  const { source, hub, events } = stage();
  const one = viewer(hub);
  await settle();
  source.key();
  (await one.opened).play(one.sink);
  source.picture(3000, B_SLICE);
  source.picture(6000, B_SLICE);
  source.picture(9000);
  equal(one.frames.length, 2);
  equal(events.filter((event) => event.startsWith("camera.b_frames")).length, 1);
  source.picture(12_000, REFERENCE_B_SLICE);
  await settle();
  equal(one.states.at(-1), "failed unsupported");
  await hub.close();
});

Deno.test("a stream without key frames is refused by name", async () => {
  const { clock, source, hub } = stage();
  const one = viewer(hub);
  await settle();
  source.picture(0);
  await clock.pass(KEY_FRAME_LIMIT_MS);
  equal(one.states.at(-1), "failed unsupported");
  await hub.close();
});

Deno.test("a viewer that throws is let go and the others go on", async () => {
  const { source, hub, events } = stage();
  const bad = viewer(hub);
  const good = viewer(hub);
  await settle();
  source.key();
  (await bad.opened).play({
    sendFrame() {
      throw new Error("no");
    },
  });
  (await good.opened).play(good.sink);
  source.picture(3000);
  equal(good.frames.length, 2);
  equal(events.filter((event) => event.startsWith("camera.viewer_failed")).length, 1);
  await hub.close();
});

Deno.test("more viewers than the limit are refused", async () => {
  const { hub } = stage();
  for (let i = 0; i < MAX_VIEWERS; i++) viewer(hub);
  await rejects(viewer(hub).opened, { code: "busy" });
  await hub.close();
});

Deno.test("close ends everything, waiting viewers included", async () => {
  const { clock, source, hub } = stage();
  const one = viewer(hub);
  await settle();
  await hub.close();
  await rejects(one.opened, { code: "ended" });
  await rejects(viewer(hub).opened, { code: "ended" });
  equal(source.sink, undefined);
  equal(clock.waiting, 0);
});

Deno.test("a viewer that lost the picture gets the kept frames again, the others notice nothing", async () => {
  const { clock, source, hub } = stage();
  const [unlucky, lucky] = [viewer(hub), viewer(hub)];
  await settle();
  source.key();
  const feed = await unlucky.opened;
  feed.play(unlucky.sink);
  (await lucky.opened).play(lucky.sink);
  source.picture(3000);
  feed.keyFrameWanted();
  equal(unlucky.frames.length, 2, "it was played a moment ago");
  await clock.pass(PLAY_AGAIN_MS);
  feed.keyFrameWanted();
  feed.keyFrameWanted();
  source.picture(6000 + 90 * PLAY_AGAIN_MS);
  deepEqual(unlucky.frames.map(({ keyFrame, kept = false }) => [keyFrame, kept]), [
    [true, true],
    [false, false],
    [true, true],
    [false, true],
    [false, false],
  ]);
  ok(gaps(unlucky.frames).every((gap) => gap > 0 && gap < 2 ** 31));
  equal(lucky.frames.length, 3);
  await hub.close();
});

Deno.test("a stream that changes its size goes on with its new parameter sets alone", async () => {
  const { source, hub } = stage();
  const one = viewer(hub);
  await settle();
  source.key();
  const feed = await one.opened;
  feed.play(one.sink);
  const small = feed.profileLevelId;
  const LARGE = fromHex("67640028acd940780227e5c044000003000400000300f03c60c658");
  source.sink!.unit({ nals: [LARGE, PPS, IDR], timestamp: 3000, keyFrame: true });
  source.picture(6000);
  ok(small !== feed.profileLevelId && feed.profileLevelId === "640028");
  const bytes = one.frames[1]!.payloads[0]!;
  ok(toHex(bytes).includes(toHex(LARGE)) && !toHex(bytes).includes(toHex(SPS)));
  equal(one.frames.length, 3);
  await hub.close();
});
