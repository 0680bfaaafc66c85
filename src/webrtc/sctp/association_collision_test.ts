/** Handshakes that meet and ends that begin anew, on a virtual path (RFC 9260 5.2, 8.5, 9.1). */
import assert from "node:assert/strict";
import { seededRandom } from "../../../tests/vnet/link.ts";
import { type PairOptions, SctpEnd, SctpPair } from "../../../tests/vnet/sctp_pair.ts";

/** Messages 0 to 9 there and back again, each once and in order. */
function exchange({ a, b, clock }: SctpPair): void {
  for (let i = 0; i < 10; i++) {
    a.send(Uint8Array.of(i));
    b.send(Uint8Array.of(100 + i));
  }
  assert(clock.run(60_000, () => a.messages.length === 10 && b.messages.length === 10));
  assert.deepEqual(b.messages.map(({ bytes }) => bytes[0]), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(a.messages.map(({ bytes }) => bytes[0]! - 100), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

Deno.test("handshakes that cross, at any moment and with losses, make one association (5.2.1, 5.2.4)", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const there = { delay: 10, loss: 0.3, late: 0.3, lateness: 40, twice: 0.3 };
    const pair = new SctpPair({ seed, there });
    for (const end of [pair.a, pair.b]) {
      pair.clock.schedule(random() * 60, () => end.start());
    }
    const isDone = () => pair.a.isEstablished && pair.b.isEstablished;
    assert(pair.clock.run(120_000, isDone), `seed ${seed}`);
    pair.there.change({ loss: 0.1 });
    pair.back.change({ loss: 0.1 });
    exchange(pair);
    for (const { closedBecause } of [pair.a, pair.b]) {
      assert.equal(closedBecause, undefined, `seed ${seed}`);
    }
  }
});

/** A connected pair whose end `b` has been replaced by one that knows nothing of `a`. */
function withNewEnd(options: PairOptions): { pair: SctpPair; fresh: SctpEnd } {
  const pair = new SctpPair(options);
  assert(pair.connect());
  pair.b.transmit = () => {}; // it is gone without a word
  const numbers = seededRandom(99);
  const fresh = new SctpEnd(pair.clock, { random: () => Math.floor(numbers() * 2 ** 32) });
  fresh.transmit = (packet) => pair.back.send(packet);
  Object.defineProperty(pair, "b", { value: fresh });
  return { pair, fresh };
}

Deno.test("an end that starts anew under a transfer ends the old association at once (5.2.4 A)", () => {
  const { pair, fresh } = withNewEnd({ there: { delay: 20, rate: 1000 } });
  for (let i = 0; i < 20; i++) pair.a.send(new Uint8Array(50_000));
  const began = pair.clock.now;
  fresh.start();
  assert(pair.clock.run(10_000, () => pair.a.closedBecause !== undefined));
  assert.equal(pair.a.closedBecause, "the peer has started anew");
  assert(pair.clock.now - began < 200, "within the handshake");
  assert.deepEqual(fresh.messages, [], "nothing of the old one has reached it");
});

Deno.test("a restart comes through on a bad path, too (5.2.4 A)", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { pair, fresh } = withNewEnd({ seed, there: { delay: 20, loss: 0.2 } });
    fresh.start();
    assert(pair.clock.run(60_000, () => pair.a.closedBecause !== undefined), `seed ${seed}`);
    assert.equal(pair.a.closedBecause, "the peer has started anew");
  }
});

Deno.test("an end that knows no association answers nothing of the old one, whose timers end it (8.1)", () => {
  const { pair, fresh } = withNewEnd({ there: { delay: 20 } });
  pair.a.send(new Uint8Array(1000));
  assert(pair.clock.run(300_000, () => pair.a.closedBecause !== undefined));
  assert.equal(pair.a.closedBecause, "the peer does not answer");
  assert.deepEqual(fresh.messages, []);
  assert.equal(fresh.association.stats.packetsSent, 0, "no reflection to amplify with");
});

Deno.test("an ABORT that gets lost leaves the other end to its timers (9.1)", () => {
  const pair = new SctpPair({ there: { delay: 20 } });
  assert(pair.connect());
  pair.there.change({ loss: 1 });
  pair.a.close();
  pair.there.change({ loss: 0 });
  pair.b.send(Uint8Array.of(1));
  assert(pair.clock.run(300_000, () => pair.b.closedBecause !== undefined));
  assert.equal(pair.b.closedBecause, "the peer does not answer");
});
