import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { FakeClock } from "./fake_clock_test.ts";
import { FramePreparer } from "./frame_preparer.ts";
import type { AccessUnit } from "./source.ts";
import { TestSource } from "./test_source.ts";

const CLIP = await Deno.readFile(new URL("./test_clip.h264", import.meta.url));

async function play(ms: number): Promise<AccessUnit[]> {
  const clock = new FakeClock();
  const units: AccessUnit[] = [];
  const stop = new AbortController();
  const run = new TestSource(CLIP, clock).run({ unit: (unit) => units.push(unit) }, stop.signal);
  await clock.pass(ms);
  stop.abort();
  await run;
  equal(clock.waiting, 0);
  return units;
}

Deno.test("the clip plays at 30 frames a second and its timestamps run on over the seam", async () => {
  const units = await play(9000);
  ok(units.length >= 270 && units.length <= 271);
  ok(units.every((unit, i) => unit.timestamp === i * 3000));
});

Deno.test("the clip is what the test camera promises", async () => {
  const units = await play(4000 - 1);
  equal(units.length, 120);
  const keys = units.flatMap((unit, i) => unit.keyFrame ? [i] : []);
  deepEqual(keys, [0, 30, 60, 90]);
  const preparer = new FramePreparer();
  equal(units.filter((unit) => preparer.prepare(unit) !== undefined).length, 120);
  const { profileLevelId, width, height } = preparer.parameters!;
  deepEqual([profileLevelId, width, height], ["42c01f", 640, 360]);
  ok(CLIP.length <= 400 * 1024);
});

Deno.test("a long sleep of the machine gives no burst", async () => {
  const clock = new FakeClock();
  let shown = 0;
  const stop = new AbortController();
  const late = {
    now: () => clock.now() * 100,
    after: (ms: number, run: () => void) => clock.after(ms, run),
  };
  const run = new TestSource(CLIP, late).run({ unit: () => shown++ }, stop.signal);
  await clock.pass(100);
  ok(shown <= 4, `${shown}`);
  stop.abort();
  await run;
});

Deno.test("bytes that are no clip are refused", async () => {
  const source = new TestSource(new Uint8Array(100));
  await rejects(source.run({ unit() {} }, new AbortController().signal), { code: "broken" });
});
