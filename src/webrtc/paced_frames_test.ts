import assert from "node:assert/strict";
import fc from "fast-check";
import { BURST_BYTES, MAX_CATCH_UP_MS, MAX_WAIT_MS, PacedFrames } from "./paced_frames.ts";

const RATE = 8_000_000; // a kilobyte each ms

function frame(kilobytes: number, { timestamp = 0, keyFrame = false, kept = false } = {}) {
  const payloads = Array.from({ length: kilobytes }, () => new Uint8Array(1000));
  return { payloads, timestamp, keyFrame, ...(kept ? { kept } : {}) };
}

const KEY = { keyFrame: true };

/** Takes what is due as a timer would, until `end`; gives when how many packets left. */
function run(frames: PacedFrames, start: number, end: number, rate = RATE): [number, number][] {
  const left: [number, number][] = [];
  for (let now = start; now <= end;) {
    const packets = frames.take(now, rate).reduce((sum, part) => sum + part.payloads.length, 0);
    if (packets > 0) left.push([now, packets]);
    const wait = frames.wait(rate);
    if (wait === undefined) break;
    now += Math.ceil(wait);
  }
  return left;
}

Deno.test("a small frame leaves at once, a key frame in pieces at the rate of the path", () => {
  const frames = new PacedFrames();
  frames.push(frame(10), RATE);
  assert.deepEqual(run(frames, 0, 0), [[0, 10]]);
  frames.push(frame(100, KEY), RATE);
  const left = run(frames, 100, 1000);
  assert.equal(left.reduce((sum, [, packets]) => sum + packets, 0), 100);
  assert.ok(left[0]![1] <= BURST_BYTES / 1000 + 1);
  for (const [, packets] of left.slice(1)) assert.ok(packets <= 6, `${packets} at once`);
  const last = left.at(-1)![0];
  assert.ok(last >= 180 && last <= 200, `the last packet left at ${last}`);
});

Deno.test("the parts of a frame are the frame, and the last of them ends it", () => {
  const frames = new PacedFrames();
  const sent = frame(50, { timestamp: 7, keyFrame: true });
  frames.push(sent, RATE);
  const parts = [];
  for (let now = 0; now < 200; now += 4) parts.push(...frames.take(now, RATE));
  assert.deepEqual(parts.flatMap(({ payloads }) => payloads), sent.payloads);
  assert.deepEqual(parts.map(({ ends }) => ends).indexOf(true), parts.length - 1);
  assert.ok(parts.every(({ timestamp }) => timestamp === 7));
});

Deno.test("a slow viewer loses whole frames up to the next key frame, and no half of one is left", () => {
  const frames = new PacedFrames();
  const slow = 1_000_000; // a kilobyte each 8 ms, while 10 come each 33 ms
  const seen: { timestamp: number; packets: number; ends: boolean }[] = [];
  for (let index = 0; index < 150; index++) {
    const now = index * 33;
    frames.push(frame(10, { timestamp: index, keyFrame: index % 60 === 0 }), slow);
    for (let step = now; step < now + 33; step += 4) {
      for (const { timestamp, payloads, ends } of frames.take(step, slow)) {
        seen.push({ timestamp, packets: payloads.length, ends });
      }
    }
  }
  assert.ok(frames.dropped > 50);
  const shown = [...new Set(seen.map(({ timestamp }) => timestamp))];
  for (const timestamp of shown.slice(0, -1)) {
    const parts = seen.filter((part) => part.timestamp === timestamp);
    assert.equal(parts.reduce((sum, { packets }) => sum + packets, 0), 10, "whole");
    assert.equal(parts.at(-1)!.ends, true);
  }
  shown.forEach((timestamp, index) => {
    const follows = index === 0 || timestamp === shown[index - 1]! + 1;
    assert.ok(follows || timestamp % 60 === 0, `after a gap ${timestamp} is no key frame`);
  });
  assert.ok(shown.some((timestamp) => timestamp >= 60), "it goes on at the next key frame");
});

Deno.test("kept frames have longer to catch up, and a key frame that is played again starts afresh", () => {
  const frames = new PacedFrames();
  const slow = 2_000_000; // a kilobyte each 4 ms
  frames.push(frame(20, { keyFrame: true, kept: true }), slow);
  for (let index = 1; index < 30; index++) {
    frames.push(frame(10, { timestamp: index, kept: true }), slow);
  }
  assert.ok(310 * 4 > MAX_WAIT_MS && 310 * 4 < MAX_CATCH_UP_MS);
  frames.push(frame(1, { timestamp: 30 }), slow);
  assert.equal(frames.dropped, 0);
  frames.push(frame(20, { timestamp: 31, keyFrame: true, kept: true }), slow);
  assert.equal(frames.dropped, 31, "what waited was from before");
  for (let index = 32; index < 140; index++) {
    frames.push(frame(10, { timestamp: index, kept: true }), slow);
  }
  assert.ok(frames.dropped > 31, "a catch-up that takes too long is given up");
});

Deno.test("a processor that was busy makes no viewer slow", () => {
  const frames = new PacedFrames();
  frames.push(frame(100, KEY), RATE);
  frames.take(0, RATE);
  for (let timestamp = 1; timestamp < 20; timestamp++) { // all at once, a second later
    frames.push(frame(5, { timestamp }), RATE);
  }
  assert.equal(frames.dropped, 0);
  assert.equal(run(frames, 1000, 2000).reduce((sum, [, packets]) => sum + packets, 0), 85 + 95);
});

Deno.test("whatever comes, packets keep their order and the queue its bound", () => {
  const one = fc.record({
    kilobytes: fc.integer({ min: 1, max: 60 }),
    keyFrame: fc.boolean(),
    kept: fc.boolean(),
    wait: fc.nat(400),
  });
  fc.assert(
    fc.property(
      fc.array(one, { maxLength: 60 }),
      fc.integer({ min: 1e5, max: 1e8 }),
      (all, rate) => {
        const frames = new PacedFrames();
        let now = 0;
        let last = -1;
        let open = false;
        all.forEach(({ kilobytes, keyFrame, kept, wait }, timestamp) => {
          now += wait;
          frames.push(frame(kilobytes, { timestamp, keyFrame, kept }), rate);
          for (const part of frames.take(now, rate)) {
            assert.ok(part.timestamp >= last);
            assert.ok(!open || part.timestamp === last, "a frame that was begun is ended first");
            last = part.timestamp;
            open = !part.ends;
          }
        });
      },
    ),
  );
});
