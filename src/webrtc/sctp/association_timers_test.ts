/** Timers and windows of the sending half, chunk by chunk (RFC 9260 6.1, 6.2, 6.3, 6.9). */
import assert from "node:assert/strict";
import * as chunks from "./packet/chunk.ts";
import { BEGIN, END, IMMEDIATE, readData } from "./packet/data_chunk.ts";
import { tsnPlus } from "./packet/serial.ts";
import { data, HandMadePeer, hex, PEER_TSN, sack, type SeenChunk } from "./test_parts.ts";

/** A round trip of the hand-made peer, in ms: before a probe asks (RFC 8985 7.2). */
const ROUND_TRIP = 20;

function dataOf(seen: readonly SeenChunk[]) {
  return seen.filter(({ type }) => type === chunks.DATA).map(({ bytes, flags, type }) =>
    readData(bytes, { type, flags, at: 0, end: bytes.length })!
  );
}

function send(peer: HandMadePeer, bytes: number | Uint8Array, streamId = 1): SeenChunk[] {
  const message = typeof bytes === "number" ? new Uint8Array(bytes) : bytes;
  peer.association.send(peer.now, streamId, 53, message);
  return peer.drain();
}

/** Acknowledges the first `count` numbers of the association. */
function acknowledge(peer: HandMadePeer, count: number, window = 100_000): SeenChunk[] {
  return peer.say(sack({ cumulativeTsn: tsnPlus(peer.tsn, count - 1), window }));
}

/** Connected, and with a round trip that ten answers have shown. */
function measured(): { peer: HandMadePeer; sent: number } {
  const peer = new HandMadePeer().connect();
  for (let sent = 1; sent <= 10; sent++) {
    send(peer, 10);
    peer.wait(ROUND_TRIP);
    acknowledge(peer, sent);
  }
  return { peer, sent: 10 };
}

Deno.test("a message is cut into fragments of one SSN with TSNs in a row (6.9)", () => {
  const peer = new HandMadePeer().connect();
  const message = Uint8Array.from({ length: 5000 }, (_, i) => i);
  const fragments = dataOf(send(peer, message));
  assert.equal(fragments.length, 5);
  for (const [i, { tsn, ssn, streamId, flags }] of fragments.entries()) {
    assert.deepEqual([tsn, ssn, streamId], [tsnPlus(peer.tsn, i), 0, 1]);
    assert.equal(flags & (BEGIN | END), i === 0 ? BEGIN : i === 4 ? END : 0);
  }
  assert.deepEqual(Uint8Array.from(fragments.flatMap(({ bytes }) => [...bytes])), message);
});

Deno.test("SSNs count the messages of each stream from zero (6.5)", () => {
  const peer = new HandMadePeer().connect();
  const seen = [1, 2, 1, 1, 2].flatMap((streamId) => dataOf(send(peer, 1, streamId)));
  assert.deepEqual(seen.map(({ ssn }) => ssn), [0, 0, 1, 2, 1]);
});

Deno.test("no more is under way than the peer has room for (6.1 A)", () => {
  const peer = new HandMadePeer().connect();
  send(peer, 1);
  acknowledge(peer, 1, 6000);
  let [sent, highest] = [1, 0];
  let seen = dataOf(send(peer, 60_000));
  for (let rounds = 0; sent < 60; rounds++) {
    assert(rounds < 100, "it goes on");
    const bytes = seen.reduce((sum, one) => sum + one.bytes.length, 0);
    assert(bytes <= 6000, `${bytes} bytes`);
    highest = Math.max(highest, bytes);
    sent += seen.length;
    peer.wait(ROUND_TRIP);
    seen = dataOf(acknowledge(peer, sent, 6000));
    if (seen.length === 0) break;
  }
  assert(highest > 4000, "and that room is used");
  assert.equal(peer.association.bufferedAmount(1), 0);
});

Deno.test("a closed window is probed with one packet at growing intervals, and for ever (6.1 A)", () => {
  const peer = new HandMadePeer().connect();
  send(peer, 1);
  acknowledge(peer, 1, 0);
  assert.equal(dataOf(send(peer, 20_000)).length, 1, "the first probe");
  const times = [peer.now];
  const end = peer.now + 600_000;
  while (peer.now < end) {
    const probes = dataOf(peer.wait(100));
    assert(probes.length <= 1, "one packet at a time");
    if (probes.length === 0) continue;
    assert.equal(probes[0]!.tsn, tsnPlus(peer.tsn, 1), "always the same");
    times.push(peer.now);
    acknowledge(peer, 1, 0); // alive, without room
  }
  const waits = times.slice(1).map((at, i) => at - times[i]!);
  assert(times.length > 20 && times.length < 100, `${times.length} probes in ten minutes`);
  assert(waits.at(-1)! >= 5000, `${waits}`);
  assert.equal(peer.closedBecause, undefined, "who answers is alive");

  const seen = dataOf(acknowledge(peer, 2, 100_000));
  assert(seen.length >= 2, "what waited goes out when there is room");
});

Deno.test("without anything under way no timer of data runs (6.3.2 R2)", () => {
  const { peer } = measured();
  const seen = peer.wait(25_000);
  assert.deepEqual(dataOf(seen), []);
  assert.equal(peer.association.stats.timeouts, 0);
});

Deno.test("T3 begins anew when the earliest is acknowledged (6.3.2 R3)", () => {
  const { peer, sent } = measured();
  for (let i = 0; i < 4; i++) send(peer, 1200); // packets of their own
  for (let i = 1; i <= 4; i++) {
    peer.wait(150); // below the least timeout of 200 ms
    acknowledge(peer, sent + i);
  }
  assert.equal(peer.association.stats.timeouts, 0, "600 ms, and no expiration");
});

Deno.test("T3 says nothing of a round trip, and neither does the answer after it (6.3.1 C5)", () => {
  const { peer, sent } = measured();
  const before = peer.association.stats.roundTrip;
  send(peer, 10);
  peer.wait(2000); // sent again, more than once
  assert(peer.association.stats.timeouts >= 2);
  acknowledge(peer, sent + 1);
  assert.equal(peer.association.stats.roundTrip, before);
});

Deno.test("the back-off ends with an answer to what was sent once (6.3.1 C3, 6.3.3 E2)", () => {
  const { peer, sent } = measured();
  send(peer, 10);
  peer.wait(7000);
  acknowledge(peer, sent + 1);
  send(peer, 10);
  peer.wait(ROUND_TRIP);
  acknowledge(peer, sent + 2);
  const before = peer.association.stats.timeouts;
  send(peer, 10);
  peer.wait(350); // a probe first, and 200 ms from it
  assert.equal(peer.association.stats.timeouts, before + 1, "as quick as at first");
});

Deno.test("after T3 a packet leaves and not a burst (6.3.3 E3, 7.2.3)", () => {
  const { peer, sent } = measured();
  const first = dataOf(send(peer, 60_000)).length + dataOf(peer.wait(ROUND_TRIP)).length;
  assert(first >= 4, `${first} in a round trip`);
  const { timeouts } = peer.association.stats;
  let again: ReturnType<typeof dataOf> = [];
  while (peer.association.stats.timeouts === timeouts) again = dataOf(peer.wait(1));
  assert(again.length >= 1 && again.length <= 2, `${again.length} packets`);
  assert.equal(again[0]!.tsn, tsnPlus(peer.tsn, sent), "the earliest first");
});

Deno.test("a peer that asks is acknowledged at once (RFC 7053 5.2)", () => {
  const peer = new HandMadePeer().connect();
  const plain = peer.say(data(PEER_TSN, hex("aa")));
  assert.deepEqual(plain, [], "one packet alone waits a little (RFC 9260 6.2)");
  peer.wait(1000);
  const flags = BEGIN | END | IMMEDIATE;
  const seen = peer.say(data(tsnPlus(PEER_TSN, 1), hex("bb"), { flags, ssn: 1 }));
  assert.deepEqual(seen.map(({ type }) => type), [chunks.SACK]);
});

Deno.test("a SACK that waits comes within 200 ms (6.2)", () => {
  const peer = new HandMadePeer().connect();
  peer.say(data(PEER_TSN, hex("aa")));
  assert.deepEqual(peer.wait(200).map(({ type }) => type), [chunks.SACK]);
});
