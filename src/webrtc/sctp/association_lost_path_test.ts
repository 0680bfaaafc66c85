/** A path that carried nothing for a while and does again, and one that is another than before. */
import assert from "node:assert/strict";
import * as chunks from "./packet/chunk.ts";
import { tsnPlus } from "./packet/serial.ts";
import { HandMadePeer, sack, type SeenChunk } from "./test_parts.ts";

/** Longer than any wait that has not grown. */
const DEAD_MS = 20_000;
const ROUND_TRIP = 20;

function dataOf(seen: readonly SeenChunk[]): SeenChunk[] {
  return seen.filter(({ type }) => type === chunks.DATA);
}

/** Connected, with a message under way that a dead path has swallowed again and again. */
function afterSilence(): { peer: HandMadePeer; waitMs: number } {
  const peer = new HandMadePeer().connect();
  peer.association.send(peer.now, 1, 53, new Uint8Array(10));
  peer.drain();
  peer.wait(ROUND_TRIP);
  peer.say(sack({ cumulativeTsn: peer.tsn, window: 100_000 }));
  peer.association.send(peer.now, 1, 53, new Uint8Array(10));
  peer.drain();
  peer.wait(DEAD_MS);
  return { peer, waitMs: peer.deadline - peer.now };
}

Deno.test("what a dead path swallowed is sent again as soon as it gives a sign of life, and not after a wait that has grown", () => {
  const { peer, waitMs } = afterSilence();
  assert.ok(waitMs > 1000, `the wait has grown: ${waitMs} ms`);
  assert.equal(peer.association.pathAlive(peer.now), true);
  assert.equal(dataOf(peer.drain()).length, 1);
  assert.ok(peer.deadline - peer.now < 1000, "and the next wait is short again");
});

Deno.test("signs of life that come often do not make a stream of it, nor end the association", () => {
  const { peer } = afterSilence();
  let sent = 0;
  for (let ms = 0; ms < 10_000; ms += 10) {
    peer.association.pathAlive(peer.now);
    sent += dataOf(peer.drain()).length + dataOf(peer.wait(10)).length;
  }
  assert.ok(sent <= 50, `${sent} packets in 10 s`);
  assert.equal(peer.closedBecause, undefined);
});

Deno.test("a sign of life changes nothing where no answer is overdue", () => {
  const peer = new HandMadePeer().connect();
  assert.equal(peer.association.pathAlive(peer.now), false);
  peer.association.send(peer.now, 1, 53, new Uint8Array(10));
  assert.equal(dataOf(peer.drain()).length, 1);
  assert.equal(peer.association.pathAlive(peer.now), false);
  assert.deepEqual(dataOf(peer.drain()), []);
});

Deno.test("on another path packets are small again until their size is known, and what is overdue leaves", () => {
  const { peer } = afterSilence();
  const before = peer.association.stats.packetBytes;
  peer.association.pathChanged(peer.now);
  assert.ok(peer.association.stats.packetBytes <= before);
  assert.equal(peer.association.stats.phase, "startup");
  const seen = [...peer.drain(), ...peer.wait(0)];
  assert.equal(dataOf(seen).length, 1);
  assert.ok(seen.some(({ type }) => type === chunks.HEARTBEAT), "a size probe");
  peer.wait(ROUND_TRIP);
  peer.say(sack({ cumulativeTsn: tsnPlus(peer.tsn, 1), window: 100_000 }));
  assert.equal(peer.association.stats.flight, 0);
});

Deno.test("on another path a full window may leave at once, and what is not overdue is not sent twice", () => {
  const peer = new HandMadePeer().connect();
  peer.association.send(peer.now, 1, 53, new Uint8Array(10));
  peer.drain();
  peer.association.pathChanged(peer.now);
  assert.deepEqual(dataOf(peer.drain()), []);
  assert.equal(peer.association.stats.retransmissions, 0);
});
