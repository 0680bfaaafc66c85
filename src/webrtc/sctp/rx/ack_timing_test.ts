import assert from "node:assert/strict";
import { AckTiming, type Arrival, MAX_STEPS, SACK_DELAY_MS } from "./ack_timing.ts";

const RTT = 50;

/** Packets in order from TSN 1, and what is told of them when. */
function timing(rtt = RTT) {
  const one = new AckTiming();
  let tsn = 0;
  const come = (now: number, packets: number, more: Partial<Arrival> = {}) => {
    const arrival = { isUrgent: false, isImmediate: false, rtt, ...more };
    while (packets-- > 0) one.notePacket(now, { ...arrival, cumulativeTsn: ++tsn });
  };
  const told = (now: number) => {
    const steps: number[] = [];
    for (let step = one.take(now); step !== undefined; step = one.take(now)) steps.push(step);
    return steps;
  };
  return { one, come, told };
}

Deno.test("packets that come together are acknowledged together, every second one", () => {
  const { one, come, told } = timing();
  come(0, 10);
  assert(one.isDue(0));
  assert.deepEqual(told(0), [2, 4, 6, 8, 10]);
  assert(!one.isDue(0));
  assert.equal(one.deadline, Infinity);
});

Deno.test("a lump is acknowledged over half a round trip, without a step left out", () => {
  const { one, come, told } = timing();
  come(0, 500);
  const first = told(0);
  assert(first.length <= 16, "what is told at once is a small part");
  const all = [...first];
  let [largest, end] = [0, 0];
  for (let now = one.deadline; now !== Infinity; now = one.deadline) {
    const steps = told(now);
    largest = Math.max(largest, steps.length);
    all.push(...steps);
    end = now;
  }
  assert.deepEqual(all, Array.from({ length: 250 }, (_, index) => 2 * (index + 1)));
  assert(end > 0.4 * RTT && end < 0.6 * RTT, `until ${end} ms`);
  assert(largest <= 30, `${largest} at once`);
});

Deno.test("packets that come as they were acknowledged are not held back", () => {
  const { come, told } = timing();
  come(0, 40);
  told(0);
  let waiting = 0;
  for (let now = 0; now < 20 * RTT; now++) { // 30 packets a ms: half more each round trip at first
    const packets = Math.round(Math.min(30, 1.5 ** (now / RTT)));
    come(now, packets);
    waiting += packets - 2 * told(now).length;
    assert(waiting <= 3, `${waiting} wait at ${now} ms`);
  }
});

Deno.test("without a known round trip nothing waits", () => {
  const { come, told } = timing(Infinity);
  come(0, 1000);
  assert.equal(told(0).length, 500);
});

Deno.test("a single packet is acknowledged after a while, or with the next packet that leaves", () => {
  const { one, come, told } = timing();
  come(0, 1);
  assert(one.owesAll);
  assert(!one.isDue(SACK_DELAY_MS - 1));
  assert.equal(one.deadline, SACK_DELAY_MS);
  assert(one.isDue(SACK_DELAY_MS));
  assert.deepEqual(told(SACK_DELAY_MS), [1]);
  assert(!one.owesAll);
  assert.equal(one.deadline, Infinity);
});

Deno.test("a peer that asks not to wait is told all that waits, in one step", () => {
  const { one, come, told } = timing();
  come(0, 500);
  told(0);
  come(1, 3, { isImmediate: true });
  assert.deepEqual(told(1), [503]);
  assert.equal(one.deadline, Infinity);
});

Deno.test("where there are losses it is told in two steps, of which the newest is apart", () => {
  const { one, come, told } = timing();
  come(0, 1, { isUrgent: true });
  one.toldAll();
  come(0, 1, { isImmediate: true });
  assert(one.isDue(0));
  assert.deepEqual(told(0), [2], "one has no other before it");
  come(0, 500);
  assert(told(0).length < 250);
  come(1, 1, { isImmediate: true });
  assert(one.isDue(1));
  assert.deepEqual(told(1), [502, 503], "the pace does not hold it back");
  come(1, 3, { isImmediate: true });
  assert.deepEqual(told(1), [505, 506]);
  come(1, 2);
  assert(one.isNewestApart);
  told(1);
  for (let now = 2; now < 2000; now++) {
    come(now, 1);
    told(now);
  }
  come(2000, 2);
  told(2000);
  come(2001, 2);
  assert(!one.isNewestApart, "after a thousand packets without any");
  told(2001);
  assert(!one.isDue(1));
  assert.equal(one.deadline, Infinity);
});

Deno.test("what is urgent does not wait behind a lump, and takes it along", () => {
  const { one, come, told } = timing();
  come(0, 500);
  told(0);
  come(1, 1, { isUrgent: true });
  assert(one.isDue(1) && one.owesAll);
  assert.deepEqual(told(1), [], "the whole state is told instead");
  one.toldAll();
  assert(!one.isDue(100) && !one.owesAll);
  assert.equal(one.deadline, Infinity);
});

Deno.test("the steps that wait are bounded: a peer may claim any round trip", () => {
  const { one, come } = timing(1e9);
  come(0, 2 * MAX_STEPS + 2);
  assert(one.owesAll);
});

Deno.test("nothing waits longer than RFC 9260 6.2 allows, however long the round trip is", () => {
  const { one, come, told } = timing(1e9);
  come(0, 2 * MAX_STEPS - 2);
  let end = 0;
  for (let now = one.deadline; now !== Infinity; now = one.deadline) {
    told(now);
    end = now;
  }
  assert(end > 0 && end < 500, `until ${end} ms`);
});
