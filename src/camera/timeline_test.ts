import { equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { Timeline } from "./timeline.ts";

Deno.test("timestamps pass the wrap of the source and their own", () => {
  const timeline = new Timeline(0xffff_fff0);
  equal(timeline.live(0, { run: 1, timestamp: 0xffff_ff00 }), 0xffff_fff0);
  equal(timeline.live(33, { run: 1, timestamp: 0x100 }), 0x1f0);
});

Deno.test("a jump, a repeat or a new run counts the time that passed", () => {
  const timeline = new Timeline(0);
  timeline.live(0, { run: 1, timestamp: 9000 });
  equal(timeline.live(100, { run: 1, timestamp: 9000 }), 9000);
  equal(timeline.live(200, { run: 1, timestamp: 2_000_000_000 }), 18_000);
  equal(timeline.live(300, { run: 1, timestamp: 5 }), 27_000);
  equal(timeline.live(400, { run: 2, timestamp: 3005 }), 36_000);
});

Deno.test("a source that sets its clock ahead keeps its pace, a late picture its distance", () => {
  const timeline = new Timeline(0);
  timeline.live(0, { run: 1, timestamp: 0 });
  equal(timeline.live(33, { run: 1, timestamp: 5 * 90_000 }), 2970);
  equal(timeline.live(66, { run: 1, timestamp: 5 * 90_000 + 3000 }), 5970);
  equal(timeline.live(3066, { run: 1, timestamp: 5 * 90_000 + 6000 }), 8970); // late by 3 s
  equal(timeline.live(3067, { run: 1, timestamp: 5 * 90_000 + 9000 }), 11_970);
});

Deno.test("after kept frames timestamps never run ahead of the time that passed", () => {
  const timeline = new Timeline(1000);
  for (let index = 0; index < 60; index++) {
    timeline.past(500, { run: 1, timestamp: index * 3000 });
  }
  // The camera took the next one 33 ms after the last, but it comes 10 ms after them.
  equal(timeline.live(510, { run: 1, timestamp: 60 * 3000 }), 1000 + 900);
  equal(timeline.live(543, { run: 1, timestamp: 61 * 3000 }), 1000 + 900 + 3000);
  timeline.past(543, { run: 1, timestamp: 60 * 3000 });
  equal(timeline.live(543, { run: 1, timestamp: 62 * 3000 }), 1000 + 900 + 3000 + 3 + 3);
});

Deno.test("timestamps rise whatever the source does", () => {
  const frame = fc.record({
    run: fc.nat(2),
    timestamp: fc.nat(2 ** 32 - 1),
    wait: fc.nat(1000),
    kept: fc.boolean(),
  });
  fc.assert(fc.property(fc.nat(2 ** 32 - 1), fc.array(frame), (start, frames) => {
    const timeline = new Timeline(start);
    let now = 0;
    let last: number | undefined;
    for (const one of frames) {
      now += one.wait;
      const next = one.kept ? timeline.past(now, one) : timeline.live(now, one);
      if (last !== undefined) ok(((next - last) | 0) > 0);
      last = next;
    }
  }));
});
