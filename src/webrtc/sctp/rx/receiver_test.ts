import assert from "node:assert/strict";
import { BEGIN, END, type Fragment } from "../packet/data_chunk.ts";
import { MAX_RANGES } from "../packet/tsn_ranges.ts";
import { RoundTrip } from "../tx/round_trip.ts";
import { SACK_DELAY_MS } from "./ack_timing.ts";
import { DataTracker, MAX_DUPLICATES, MAX_TSNS_AHEAD } from "./data_tracker.ts";
import { Receiver } from "./receiver.ts";

const WINDOW = 100_000;

function receiver() {
  let delivered = 0;
  const one = new Receiver({
    initialTsn: 1,
    window: WINDOW,
    rtt: new RoundTrip(),
    maxMessageBytes: WINDOW,
    deliver: ({ bytes }) => delivered += bytes.length,
  });
  const take = (tsn: number, size: number, more: Partial<Fragment> = {}) =>
    one.take({
      tsn,
      flags: BEGIN | END,
      streamId: 1,
      ssn: tsn - 1,
      protocol: 53,
      bytes: new Uint8Array(size),
      ...more,
    });
  return { one, take, delivered: () => delivered };
}

Deno.test("every second packet is acknowledged, and a single one after a while (RFC 9260 6.2)", () => {
  const { one, take } = receiver();
  take(1, 10);
  one.endPacket(0);
  assert(!one.isSackDue(SACK_DELAY_MS - 1));
  assert(one.isSackDue(SACK_DELAY_MS));
  take(2, 10);
  one.endPacket(1);
  assert(one.isSackDue(1));
});

Deno.test("gaps, their end, and duplicates are acknowledged at once (6.2, 6.7)", () => {
  for (const tsns of [[2], [2, 1], [1, 1]]) {
    const { one, take } = receiver();
    for (const tsn of tsns) take(tsn, 10);
    one.endPacket(0);
    assert(one.isSackDue(0), String(tsns));
  }
});

Deno.test("what exceeds the window is dropped, and the rest is told", () => {
  const { take, delivered } = receiver();
  let taken = 0;
  for (let tsn = 2; tsn < 2000; tsn++) if (take(tsn, 1000) === "taken") taken++;
  assert.equal(taken, WINDOW / 1000, "behind a gap");
  assert.equal(take(1, 1000), "taken", "what closes the gap");
  assert.equal(delivered(), (taken + 1) * 1000);
});

Deno.test("while paused, delivered bytes are not given back, and then all are", () => {
  const { one, take, delivered } = receiver();
  one.pause(1);
  let tsn = 1;
  while (take(tsn, 1000) === "taken") tsn++;
  assert(delivered() >= WINDOW && delivered() <= WINDOW + 65_536, "one probe beyond the window");
  one.endPacket(0);
  one.resume(1);
  assert.equal(take(tsn, 1000), "taken");
});

Deno.test("numbers too far ahead, and gaps beyond the limit, have not come", () => {
  const tracker = new DataTracker(1);
  assert.equal(tracker.judge(MAX_TSNS_AHEAD), "new");
  assert.equal(tracker.judge(MAX_TSNS_AHEAD + 1), "too far");
  assert.equal(tracker.judge(0x80000000), "duplicate", "half the space behind");
  for (let i = 0; i < MAX_RANGES; i++) assert(tracker.take(3 + 2 * i));
  assert(!tracker.take(3 + 2 * MAX_RANGES));
  assert.equal(tracker.ranges.length, MAX_RANGES);
});

Deno.test("the report of duplicates is bounded", () => {
  const tracker = new DataTracker(1);
  for (let i = 0; i < 1000; i++) tracker.noteDuplicate(0);
  assert.equal(tracker.duplicates.length, MAX_DUPLICATES);
});

Deno.test("places that nobody can free end the association instead of stalling it", () => {
  const { take } = receiver();
  assert.equal(take(1, 1, { ssn: 5 }), "taken"); // its stream will never come to it
  for (let tsn = 2; tsn <= MAX_TSNS_AHEAD; tsn++) {
    assert.equal(take(tsn, 1, { streamId: 2, ssn: (tsn - 2) & 0xffff }), "taken");
  }
  assert.equal(take(MAX_TSNS_AHEAD + 1, 1, { streamId: 2, ssn: MAX_TSNS_AHEAD - 1 }), "exhausted");
});

Deno.test("only what a paused stream was given is kept back: others' room returns", () => {
  const { one, take } = receiver();
  one.pause(1);
  let ssn = 0;
  for (let tsn = 1; tsn <= 2 * WINDOW / 1000; tsn++) {
    assert.equal(take(tsn, 1000, { streamId: 0, ssn: ssn++ }), "taken");
  }
  let tsn = 2 * WINDOW / 1000;
  for (ssn = 0; ssn < WINDOW / 1000; ssn++) assert.equal(take(++tsn, 1000, { ssn }), "taken");
  assert.equal(take(tsn + 2, 1000, { ssn: ssn + 1 }), "dropped", "the window is used up");
  one.resume(1);
  assert.equal(take(tsn + 2, 1000, { ssn: ssn + 1 }), "taken");
});
