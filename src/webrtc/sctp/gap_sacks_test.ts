// A peer sends a chunk again when three SACKs have told it missing (RFC 9260 7.2.4), and waits for
// T3 else: however many packets come before a drain, the last three behind a gap have their own.
import assert from "node:assert/strict";
import type { RTCSctpTransport } from "werift";
import { SctpDriver } from "../sctp_driver.ts";
import { COOKIE_ACK, COOKIE_ECHO, INIT_ACK, makeChunk, SACK } from "./packet/chunk.ts";
import { BEGIN, END, IMMEDIATE } from "./packet/data_chunk.ts";
import { readInit } from "./packet/init_chunk.ts";
import { readU16, readU32 } from "./packet/words.ts";
import {
  data,
  HandMadePeer,
  hex,
  packetOf,
  PEER_TSN,
  readPacket,
  type SeenChunk,
} from "./test_parts.ts";

/** Packet `index` of the peer; TSNs and stream numbers ascend. */
function packet(tag: number, index: number): Uint8Array {
  return packetOf(tag, data(PEER_TSN + index, hex("aa"), { ssn: index }));
}

/** What SACKs acknowledge: TSNs from the peer's first, and the last of each gap block behind it. */
function told(seen: readonly SeenChunk[]): number[][] {
  return seen.filter(({ type }) => type === SACK).map(({ bytes }) => {
    const cumulative = readU32(bytes, 4) - PEER_TSN;
    const ends = Array.from({ length: readU16(bytes, 12) }, (_, i) => readU16(bytes, 18 + 4 * i));
    return [cumulative, ...ends.map((end) => cumulative + end)];
  });
}

Deno.test("of packets behind a gap that come before a drain, the last three have a SACK each (6.7)", () => {
  const peer = new HandMadePeer().connect();
  for (const index of [0, 1, 3, 4, 5, 6]) peer.association.receive(0, packet(peer.tag, index));
  assert.deepEqual(told(peer.drain()), [[1, 4], [1, 5], [1, 6]]);
  for (const index of [2, 7, 8]) peer.association.receive(0, packet(peer.tag, index));
  assert.deepEqual(told(peer.drain()), [[6], [8]], "the end of the gap, and what is in order");
});

Deno.test("a packet in two gaps tells both, and one that was here before what it was", () => {
  const peer = new HandMadePeer().connect();
  for (const index of [1, 3, 1, 5]) peer.association.receive(0, packet(peer.tag, index));
  const expected = [[-1, 1, 3], [-1, 1, 3], [-1, 1, 3, 5]];
  assert.deepEqual(told(peer.drain()), expected);
});

Deno.test("SACKs that nobody drains are bounded, and the newest state is told in the end", () => {
  const peer = new HandMadePeer().connect();
  for (let i = 0; i < 20_000; i++) peer.association.receive(0, packet(peer.tag, 1));
  peer.association.receive(0, packet(peer.tag, 3));
  const all = told(peer.drain());
  assert(all.length <= 3, `${all.length} SACKs`);
  assert.deepEqual(all.at(-1), [-1, 1, 3]);
});

/** A driver with an association, and the chunks of the packets that it sends. */
async function connected() {
  const seen: SeenChunk[] = [];
  let packets = 0;
  const driver = new SctpDriver({} as RTCSctpTransport, {
    packet: ({ buffer, offset, length }) => {
      packets++;
      seen.push(...readPacket(buffer.subarray(offset, offset + length)));
    },
    established() {},
    message() {},
    progress() {},
    closed() {},
  });
  driver.receive(packetOf(0, new HandMadePeer().init()));
  await Promise.resolve(); // the end of the task
  const answer = seen.find(({ type }) => type === INIT_ACK)!.bytes;
  const { tag, cookie } = readInit(answer, {
    type: INIT_ACK,
    flags: 0,
    at: 0,
    end: answer.length,
  })!;
  driver.receive(packetOf(tag, makeChunk(COOKIE_ECHO, 0, cookie!)));
  await Promise.resolve();
  assert.equal(seen.at(-1)!.type, COOKIE_ACK);
  seen.length = 0;
  packets = 0;
  return { driver, seen, tag, packets: () => packets };
}

Deno.test("a slice of packets behind a gap goes through the driver with the three SACKs that a peer counts", async () => {
  const { driver, seen, tag, packets } = await connected();
  try {
    for (const index of [0, 1, 3, 4, 5, 6, 7, 8]) driver.receive(packet(tag, index));
    await Promise.resolve();
    assert.deepEqual(told(seen), [[1, 6], [1, 7], [1, 8]]);
    assert.equal(packets(), 2, "the newest leaves alone");
  } finally {
    driver.close();
  }
});

/** Three packets, of which the second comes late. */
async function lose(driver: SctpDriver, tag: number, first = 0): Promise<void> {
  for (const index of [0, 2, 1]) driver.receive(packet(tag, first + index));
  await Promise.resolve();
}

Deno.test("where there are losses, packets that may not wait have two SACKs (RFC 7053 5.2)", async () => {
  const { driver, seen, tag, packets } = await connected();
  try {
    await lose(driver, tag);
    const before = packets();
    seen.length = 0;
    for (let index = 3; index < 6; index++) {
      const chunk = data(PEER_TSN + index, hex("aa"), {
        ssn: index,
        flags: BEGIN | END | IMMEDIATE,
      });
      driver.receive(packetOf(tag, chunk));
    }
    await Promise.resolve();
    assert.deepEqual(told(seen), [[4], [5]]);
    assert.equal(packets() - before, 2, "the loss of one is no loss of both");
  } finally {
    driver.close();
  }
});

Deno.test("packets in order that come in one task share a packet for their SACKs", async () => {
  const { driver, seen, tag, packets } = await connected();
  try {
    for (let index = 0; index < 8; index++) driver.receive(packet(tag, index));
    await Promise.resolve();
    assert.deepEqual(told(seen), [[1], [3], [5], [7]]);
    assert.equal(packets(), 1);
    await lose(driver, tag, 8);
    const before = packets();
    seen.length = 0;
    for (let index = 11; index < 17; index++) driver.receive(packet(tag, index));
    await Promise.resolve();
    assert.deepEqual(told(seen), [[12], [14], [16]]);
    assert.equal(packets() - before, 2, "where there are losses, one is no loss of all");
  } finally {
    driver.close();
  }
});
