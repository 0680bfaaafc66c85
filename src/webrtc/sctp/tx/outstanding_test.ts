import assert from "node:assert/strict";
import fc from "fast-check";
import { ChunkWalk } from "../packet/chunk.ts";
import { ReceivedSack } from "../packet/sack_chunk.ts";
import { tsnPlus } from "../packet/serial.ts";
import { sack } from "../test_parts.ts";
import { LossDetection } from "./loss_detection.ts";
import { Outstanding } from "./outstanding.ts";
import { RoundTrip } from "./round_trip.ts";
import type { ChunkList, SentChunk } from "./sent_chunk.ts";

const START = 0xffffff00;
const SIZE = 10;
const PIECE = {
  bytes: new Uint8Array(SIZE),
  offset: 0,
  length: SIZE,
  streamId: 1,
  ssn: 0,
  protocol: 53,
  flags: 3,
};

function received(cumulative: number, ranges: { first: number; last: number }[] = []) {
  const shift = (offset: number) => tsnPlus(START, offset);
  const bytes = sack({
    cumulativeTsn: shift(cumulative),
    ranges: ranges.map(({ first, last }) => ({ first: shift(first), last: shift(last) })),
  });
  const walk = new ChunkWalk();
  walk.start(bytes, 0);
  walk.next();
  const one = new ReceivedSack();
  assert(one.read(bytes, walk));
  return one;
}

function outstanding(count: number, acked: (chunk: SentChunk) => void = () => {}) {
  const one = new Outstanding(START, acked);
  for (let i = 0; i < count; i++) one.send(PIECE).transmissions = 1;
  return one;
}

Deno.test("each chunk is told acknowledged once, whatever SACKs repeat and forget (RFC 9260 6.2.1)", () => {
  const range = fc.tuple(fc.nat(400), fc.nat(30)).map(([first, more]) => ({
    first,
    last: first + more,
  }));
  const oneSack = fc.record({ cumulative: fc.nat(320), ranges: fc.array(range, { maxLength: 5 }) });
  fc.assert(fc.property(fc.array(oneSack, { maxLength: 15 }), (sacks) => {
    const seen = new Set<number>();
    const one = outstanding(300, ({ tsn }) => {
      assert(!seen.has(tsn));
      seen.add(tsn);
    });
    for (const { cumulative, ranges } of sacks) {
      const ascending = ranges.sort((a, b) => a.first - b.first)
        .filter(({ first }) => first > cumulative);
      one.takeSack(received(cumulative - 1, ascending));
      assert.equal(one.flightBytes, (300 - seen.size) * SIZE);
    }
    assert.equal(one.takeSack(received(299)), "new");
    assert.equal(seen.size, 300);
    assert(one.isEmpty && one.flightBytes === 0 && one.gapAcked === 0);
  }));
});

Deno.test("a SACK of what was never sent is nonsense, an overtaken one old: both change nothing", () => {
  const one = outstanding(10);
  assert.equal(one.takeSack(received(10)), "nonsense");
  assert.equal(one.takeSack(received(4)), "new");
  assert.equal(one.takeSack(received(3)), "old");
  assert.equal(one.flightBytes, 5 * SIZE);
});

Deno.test("wide gaps cost no more than what was sent", () => {
  const one = outstanding(10);
  one.takeSack(received(-1, [{ first: 1, last: 60_000 }, { first: 60_002, last: 65_000 }]));
  assert.equal(one.gapAcked, 9);
  assert.equal(one.flightBytes, SIZE);
});

Deno.test("after T3 the acknowledged behind gaps stay so; forgotten, they are lost too (6.2.1 D)", () => {
  const one = outstanding(10);
  one.takeSack(received(-1, [{ first: 5, last: 9 }]));
  one.loseAll();
  assert.equal(one.flightBytes, 0);
  assert.equal(one.lost.first!.tsn, START);
  for (let i = 0; i < 5; i++) one.resend(one.lost.first!);
  assert.equal(one.lost.first, undefined);
  assert.equal(one.flightBytes, 5 * SIZE);
  one.forgetGaps();
  one.loseAll();
  assert.equal(lengthOf(one.lost), 10);
  assert.equal(one.flightBytes, 0);
});

function lengthOf({ first }: ChunkList): number {
  let length = 0;
  for (let chunk = first; chunk !== undefined; chunk = chunk.after) length++;
  return length;
}

/** Chunks sent 1 ms apart over a path of 100 ms, and what is lost at the time of a SACK. */
function lostAfter(ranges: { first: number; last: number }[], now: number) {
  const rtt = new RoundTrip();
  rtt.sample(0, 100);
  const losses = new LossDetection(rtt);
  const one = new Outstanding(START, (chunk) => losses.noteAcked(chunk, now));
  for (let i = 0; i < 10; i++) {
    const chunk = one.send(PIECE);
    chunk.sentAt = i;
    chunk.transmissions = 1;
  }
  one.takeSack(received(-1, ranges));
  const again = losses.detect(now, one);
  const lost = [];
  for (let chunk = one.lost.first; chunk; chunk = chunk.after) lost.push(chunk.sentAt);
  return { lost, again };
}

Deno.test("three reports make a loss at once (RFC 9260 7.2.4, RFC 8985 6.2)", () => {
  assert.deepEqual(lostAfter([{ first: 1, last: 3 }], 103).lost, [0]);
});

Deno.test("one report makes no loss yet: a quarter of a round trip later it does (RFC 8985 6.2)", () => {
  const { lost, again } = lostAfter([{ first: 1, last: 1 }], 101);
  assert.deepEqual(lost, []);
  assert.equal(again, 0 + 100 + 25);
});

Deno.test("a packet sent after the newest that arrived is never taken for lost", () => {
  assert.deepEqual(lostAfter([{ first: 2, last: 5 }], 500).lost, [0, 1]);
});

Deno.test("timeouts double up to a limit, and one answer ends that (6.3.1 to 6.3.3)", () => {
  const rtt = new RoundTrip();
  assert.equal(rtt.timeout, 1000);
  rtt.sample(0, 50);
  assert.equal(rtt.timeout, 200, "RTO.min");
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    rtt.backOff();
    waits.push(rtt.timeout);
  }
  assert.deepEqual(waits, [400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
  rtt.sample(1, 50);
  assert.equal(rtt.timeout, 200);
});
