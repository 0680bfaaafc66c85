/** Numbers that wrap and answers that get lost, with everything else wrong as well. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { DatagramPath } from "../../../tests/vnet/datagram_link.ts";
import { seededRandom } from "../../../tests/vnet/link.ts";
import { type PairOptions, SctpPair } from "../../../tests/vnet/sctp_pair.ts";

const LIMIT_MS = 600_000;

function digest(messages: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const message of messages) hash.update(message);
  return hash.digest("hex");
}

/** Sends the same messages both ways at once and compares what arrives, in whole and in order. */
function bothWays(options: PairOptions, count: number): SctpPair {
  const pair = new SctpPair(options);
  assert(pair.connect(), "connects");
  const random = seededRandom(options.seed ?? 1);
  const messages = Array.from(
    { length: count },
    () => Uint8Array.from({ length: 1 + random() * 5000 }, () => random() * 256),
  );
  for (const message of messages) {
    pair.a.send(message);
    pair.b.send(message);
  }
  const { a, b, clock } = pair;
  const isDone = () => a.messages.length >= count && b.messages.length >= count;
  assert(clock.run(LIMIT_MS, isDone), `${a.messages.length}, ${b.messages.length} of ${count}`);
  for (const end of [a, b]) {
    assert.equal(digest(end.messages.map(({ bytes }) => bytes)), digest(messages));
  }
  return pair;
}

const AWFUL: Partial<DatagramPath> = {
  delay: 15,
  rate: 5000,
  queue: 100,
  loss: 0.01,
  burst: 4,
  late: 0.1,
  lateness: 12,
  twice: 0.05,
};

Deno.test("TSNs wrap at any place of a transfer, in bursts of losses, late and twice (RFC 9260 1.6)", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const before = seed * 37; // how many numbers before the wrap it begins
    const random = () => (2 ** 32 - before) >>> 0; // first TSN, tag and all
    bothWays({ seed, there: AWFUL, a: { random }, b: { random } }, 150);
  }
});

Deno.test("half of all answers lost costs few packets sent twice (6.2.1)", () => {
  const there = { delay: 20, rate: 5000, queue: 1000 };
  const pair = new SctpPair({ there, back: { ...there, loss: 0.5 } });
  assert(pair.connect());
  const total = 200;
  for (let i = 0; i < total; i++) pair.a.send(new Uint8Array(16_384).fill(i));
  assert(pair.clock.run(LIMIT_MS, () => pair.b.messages.length === total));
  assert.deepEqual(pair.b.messages.map(({ bytes }) => bytes[0]), [...Array(total).keys()]);
  const { retransmissions, packetsSent } = pair.a.association.stats;
  assert(retransmissions < packetsSent * 0.02, `${retransmissions} of ${packetsSent}`);
});

Deno.test("bursts of 50 packets lost, one way or the other, are got over (7.2.4, 6.3.3)", () => {
  for (const way of ["there", "back"] as const) {
    const path = { delay: 20, rate: 5000, queue: 1000 };
    const options = { there: path, back: path, [way]: { ...path, loss: 0.002, burst: 50 } };
    const { a, b } = bothWays({ seed: 3, ...options }, 800);
    assert(a.association.stats.timeouts + b.association.stats.timeouts < 40);
  }
});

Deno.test("a path that forgets the order altogether delivers all the same (6.5, 6.6)", () => {
  bothWays({ seed: 5, there: { delay: 5, late: 1, lateness: 60 } }, 100);
});
