/** Two associations on a virtual path, in virtual time: each run is the same every time. */
import assert from "node:assert/strict";
import type { DatagramPath } from "../../../tests/vnet/datagram_link.ts";
import { seededRandom } from "../../../tests/vnet/link.ts";
import { type PairOptions, SctpPair } from "../../../tests/vnet/sctp_pair.ts";
import { RECEIVE_WINDOW_BYTES } from "./limits.ts";
import { crc32cUpdate } from "./packet/crc32c.ts";

const MB = 1_000_000;
/** Bytes per ms of a path. */
const MBIT = 125;
const BUFFERED = 262_144;

interface Run {
  readonly pair: SctpPair;
  /** Mbit/s of messages. */
  readonly rate: number;
  /** Waits of a packet before the narrow place, in ms. */
  readonly wait: (share: number) => number;
}

/** Sends `bytes` in messages of this size from a to b, and compares the sums of both ends. */
function transfer(options: PairOptions & { bytes: number; size?: number; limit?: number }): Run {
  const { bytes, size = 16_384, limit = 600_000 } = options;
  const pair = new SctpPair(options);
  assert(pair.connect(), "connects");
  const began = pair.clock.now;
  const numbers = seededRandom(7);
  const pattern = Uint8Array.from({ length: size + 997 }, () => numbers() * 256);
  const sum = { sent: -1, received: -1 };
  let sent = 0;
  let received = 0;
  const pump = () => {
    const { association } = pair.a;
    while (sent < bytes && association.bufferedAmount(1) < BUFFERED) {
      const message = pattern.subarray(sent % 997, (sent % 997) + Math.min(size, bytes - sent));
      sum.sent = crc32cUpdate(sum.sent, message, { from: 0, to: message.length });
      association.send(pair.clock.now, 1, 53, message);
      sent += message.length;
    }
  };
  pair.a.onRoom = pump;
  pair.b.onMessage = (message) => {
    sum.received = crc32cUpdate(sum.received, message, { from: 0, to: message.length });
    received += message.length;
  };
  pump();
  pair.a.drain();
  assert(pair.clock.run(limit, () => received >= bytes), `only ${received} of ${bytes} bytes`);
  assert.equal(sum.received, sum.sent, "the same bytes in the same order");
  const waits = pair.there.waits.slice().sort((a, b) => a - b);
  return {
    pair,
    rate: (bytes * 8) / 1000 / (pair.clock.now - began),
    wait: (share) => waits[Math.floor(waits.length * share)]!,
  };
}

/** 100 Mbit/s with a round trip of 50 ms. */
const LONG: Partial<DatagramPath> = { delay: 25, rate: 100 * MBIT, queue: 1000 };

Deno.test("a path of 100 Mbit/s and 50 ms is used to 80 % at least", () => {
  const { rate, wait } = transfer({ there: LONG, bytes: 100 * MB });
  assert(rate >= 80, `${rate} Mbit/s`);
  assert(wait(0.5) < 5, "and its queue stays short");
});

Deno.test("it keeps 75 % with 0.5 % of all packets lost, both ways", () => {
  const { rate } = transfer({ there: { ...LONG, loss: 0.005 }, bytes: 100 * MB });
  assert(rate >= 75, `${rate} Mbit/s`);
});

Deno.test("it keeps 50 % with 5 % lost, and gets through 20 %", () => {
  const five = transfer({ there: { ...LONG, loss: 0.05 }, bytes: 20 * MB });
  assert(five.rate >= 50, `${five.rate} Mbit/s`);
  transfer({ there: { ...LONG, loss: 0.2 }, bytes: 2 * MB });
});

Deno.test("an uplink of 10 Mbit/s is filled and not drowned, at any round trip up to 50 ms", () => {
  for (const delay of [1, 10, 25]) {
    const there = { delay, rate: 10 * MBIT, queue: 100 };
    const { rate, wait } = transfer({ there, bytes: 20 * MB });
    assert(rate >= 8.5, `${rate} Mbit/s`);
    assert(wait(0.95) <= 50, `${wait(0.95)} ms of queue`);
  }
});

Deno.test("a short queue costs little: 100 packets at 100 Mbit/s", () => {
  const { rate } = transfer({ there: { ...LONG, queue: 100 }, bytes: 50 * MB });
  assert(rate >= 70, `${rate} Mbit/s`);
});

Deno.test("losses in bursts, packets that come late or twice: all arrives, and fast", () => {
  const cases: Partial<DatagramPath>[] = [
    { loss: 0.001, burst: 20 },
    { late: 0.1, lateness: 10 },
    { twice: 0.1 },
    { loss: 0.01, burst: 3, late: 0.05, lateness: 20, twice: 0.05 },
  ];
  for (const more of cases) {
    const { rate } = transfer({ there: { ...LONG, ...more }, bytes: 20 * MB });
    assert(rate >= 50, `${rate} Mbit/s with ${JSON.stringify(more)}`);
  }
});

Deno.test("reordering is not taken for loss (RFC 8985 6.2)", () => {
  const there = { ...LONG, late: 0.05, lateness: 8 };
  const { pair } = transfer({ there, back: LONG, bytes: 20 * MB });
  const { retransmissions, timeouts } = pair.a.association.stats;
  assert(retransmissions < 50, `${retransmissions} in vain`);
  assert.equal(timeouts, 0);
});

Deno.test("TSNs go on over their wrap, with losses (RFC 9260 1.6)", () => {
  const there = { ...LONG, loss: 0.02 };
  transfer({
    there,
    bytes: 5 * MB,
    a: { random: () => 0xfffffff0 },
    b: { random: () => 0xffffffe0 },
  });
});

Deno.test("SSNs go on over their wrap, with losses", () => {
  transfer({ there: { delay: 1, loss: 0.01 }, bytes: 70_000 * 20, size: 20 });
});

Deno.test("messages of one byte and of the largest size pass", () => {
  transfer({ there: { delay: 1 }, bytes: 3000, size: 1 });
  transfer({ there: { delay: 1, loss: 0.01 }, bytes: 10 * MB, size: 262_144 });
});

Deno.test("many seeds, both directions at once, with everything wrong: all arrives", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const there = {
      delay: 15,
      rate: 2000,
      queue: 50,
      loss: 0.03,
      late: 0.1,
      lateness: 9,
      twice: 0.02,
    };
    const pair = new SctpPair({ seed, there });
    assert(pair.connect());
    const numbers = seededRandom(seed);
    const messages = Array.from(
      { length: 100 },
      () => new Uint8Array(1 + numbers() * 20_000).fill(numbers() * 256),
    );
    for (const message of messages) {
      pair.a.send(message);
      pair.b.send(message);
    }
    const isDone = () => pair.a.messages.length + pair.b.messages.length === 200;
    assert(pair.clock.run(120_000, isDone), `seed ${seed}`);
    for (const end of [pair.a, pair.b]) {
      assert.deepEqual(end.messages.map(({ bytes }) => bytes), messages);
    }
  }
});

Deno.test("a paused receiver stops the sender at its window, and goes on when it resumes", () => {
  const pair = new SctpPair({ there: LONG });
  pair.connect();
  pair.b.association.pause(1);
  const total = 3 * RECEIVE_WINDOW_BYTES;
  for (let sent = 0; sent < total; sent += 65_536) pair.a.send(new Uint8Array(65_536));
  const received = () => pair.b.messages.reduce((sum, { bytes }) => sum + bytes.length, 0);
  pair.clock.run(60_000, () => false);
  const held = received();
  assert(held <= RECEIVE_WINDOW_BYTES + 65_536 && held > RECEIVE_WINDOW_BYTES * 0.9, `${held}`);
  const { packetsSent } = pair.a.association.stats;
  pair.clock.run(60_000, () => false);
  assert(pair.a.association.stats.packetsSent - packetsSent < 20, "probes only (6.1 A)");
  assert.equal(pair.a.closedBecause, undefined, "a closed window is no silence");
  const resumed = pair.clock.now;
  pair.b.association.resume(pair.clock.now, 1);
  pair.b.drain();
  assert(pair.clock.run(60_000, () => received() === total));
  assert(pair.clock.now - resumed < 1500, "without waiting for a timer");
});

Deno.test("a window that opens unheard is found by the probe (6.1 A)", () => {
  const pair = new SctpPair({ there: LONG });
  pair.connect();
  pair.b.association.pause(1);
  const total = 2 * RECEIVE_WINDOW_BYTES;
  for (let sent = 0; sent < total; sent += 65_536) pair.a.send(new Uint8Array(65_536));
  pair.clock.run(5000, () => false);
  pair.back.change({ loss: 1 });
  pair.b.resume();
  pair.back.change({ loss: 0 });
  const received = () => pair.b.messages.reduce((sum, { bytes }) => sum + bytes.length, 0);
  assert(pair.clock.run(15_000, () => received() === total));
});

Deno.test("after an outage the transfer goes on within the next timeout (6.3.3)", () => {
  for (const outage of [300, 3000, 20_000]) {
    const pair = new SctpPair({ there: LONG });
    pair.connect();
    for (let i = 0; i < 100; i++) pair.a.send(new Uint8Array(65_536));
    pair.clock.run(200, () => false);
    pair.there.change({ loss: 1 });
    pair.back.change({ loss: 1 });
    pair.clock.run(outage, () => false);
    pair.there.change({ loss: 0 });
    pair.back.change({ loss: 0 });
    const ended = pair.clock.now;
    assert(pair.clock.run(60_000, () => pair.b.messages.length === 100));
    assert(pair.clock.now - ended < 2000 + Math.min(outage, 10_000), `${outage} ms of outage`);
  }
});

Deno.test("a lost last packet comes again within about two round trips (RFC 8985 7)", () => {
  const pair = new SctpPair({ there: LONG });
  pair.connect();
  for (let i = 0; i < 20; i++) { // so that the round trip is known
    pair.a.send(new Uint8Array(10));
    pair.clock.run(100, () => pair.b.messages.length > i);
    pair.clock.run(100, () => false);
  }
  pair.there.change({ loss: 1 });
  pair.a.send(new Uint8Array(10));
  pair.there.change({ loss: 0 });
  const sent = pair.clock.now;
  assert(pair.clock.run(1000, () => pair.b.messages.length === 21));
  assert(pair.clock.now - sent < 160, `${pair.clock.now - sent} ms`);
  assert.equal(pair.a.association.stats.timeouts, 0);
});

Deno.test("a path that becomes narrower than the found size still carries all", () => {
  const pair = new SctpPair({ there: { ...LONG, mtu: 1435 } });
  pair.connect();
  pair.clock.run(1000, () => false);
  assert.equal(pair.a.association.stats.packetBytes, 1400);
  pair.there.change({ mtu: 1250 });
  for (let i = 0; i < 20; i++) pair.a.send(new Uint8Array(200));
  assert(pair.clock.run(60_000, () => pair.b.messages.length === 20));
});

Deno.test("a small message on stream 0 is not held up by a bulk transfer on stream 1", () => {
  const pair = new SctpPair({ there: LONG });
  pair.connect();
  const bulk = new Uint8Array(16_384);
  const pump = () => {
    while (pair.a.association.bufferedAmount(1) < BUFFERED) {
      pair.a.association.send(pair.clock.now, 1, 53, bulk);
    }
  };
  pair.a.onRoom = pump;
  pair.a.onMessage = () => {};
  pump();
  pair.a.drain();
  pair.clock.run(1000, () => false);
  const trips: number[] = [];
  pair.b.onMessage = (bytes, streamId) => {
    if (streamId === 0) pair.b.association.send(pair.clock.now, 0, 53, bytes);
  };
  for (let i = 0; i < 100; i++) {
    const sent = pair.clock.now;
    let back = false;
    pair.a.onMessage = () => back = true;
    pair.a.send(new Uint8Array(1024), 0);
    assert(pair.clock.run(1000, () => back));
    trips.push(pair.clock.now - sent);
    pair.clock.run(37, () => false);
  }
  trips.sort((a, b) => a - b);
  assert(trips[95]! <= 50 + 30, `p95 ${trips[95]} ms over 50`);
});
