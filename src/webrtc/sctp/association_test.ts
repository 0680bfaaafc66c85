import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { SctpPair } from "../../../tests/vnet/sctp_pair.ts";
import { MAX_STREAMS } from "./limits.ts";
import * as chunks from "./packet/chunk.ts";
import { readInit } from "./packet/init_chunk.ts";
import {
  data,
  HandMadePeer,
  hex,
  packetOf,
  PEER_TAG,
  PEER_TSN,
  sack,
  same,
  type SeenChunk,
} from "./test_parts.ts";

const { makeChunk } = chunks;
const NOTHING = new Uint8Array(0);

function types(seen: readonly SeenChunk[]): number[] {
  return seen.map(({ type }) => type);
}

// Handshake

Deno.test("both ends start at once and both are established (RFC 9260 5.2.1)", () => {
  const pair = new SctpPair({ there: { delay: 20 } });
  assert(pair.connect());
  assert(pair.clock.now <= 80, "two round trips at most");
  pair.a.send(hex("01"));
  pair.b.send(hex("02"));
  pair.clock.run(1000, () => pair.a.messages.length + pair.b.messages.length === 2);
  assert.deepEqual(pair.b.messages[0]!.bytes, hex("01"));
  assert.deepEqual(pair.a.messages[0]!.bytes, hex("02"));
});

Deno.test("one end that only answers is enough", () => {
  const pair = new SctpPair();
  pair.a.start();
  assert(pair.clock.run(1000, () => pair.a.isEstablished && pair.b.isEstablished));
});

Deno.test("an INIT is answered with a cookie and nothing is kept of it (5.1 B)", () => {
  const peer = new HandMadePeer();
  const seen = peer.sayRaw(packetOf(0, peer.init()));
  assert.deepEqual(types(seen), [chunks.INIT_ACK]);
  assert.equal(seen[0]!.tag, PEER_TAG, "its packet carries the tag of the INIT (8.5.1 A)");
  assert(!peer.isEstablished);
  assert.equal(peer.association.stats.phase, "new");
});

Deno.test("a lost INIT or COOKIE ECHO is repeated with back-off, nine times at most (5.1, 4)", () => {
  const peer = new HandMadePeer();
  peer.association.start(0);
  peer.drain();
  const times: number[] = [];
  for (let waited = 0; waited < 200_000; waited += 500) {
    if (types(peer.wait(500)).includes(chunks.INIT)) times.push(peer.now);
  }
  assert.deepEqual(times, [1000, 3000, 7000, 15_000, 25_000, 35_000, 45_000, 55_000]);
  assert.equal(peer.closedBecause, "the peer does not answer");
});

Deno.test("an INIT ACK leads to a COOKIE ECHO first in its packet, then COOKIE ACK establishes (5.1 C, E)", () => {
  const peer = new HandMadePeer();
  peer.association.start(0);
  const [init] = peer.drain();
  assert.deepEqual([init!.type, init!.tag], [chunks.INIT, 0]);
  const end = init!.bytes.length;
  const { tag } = readInit(init!.bytes, { type: 1, flags: 0, at: 0, end })!;
  peer.tag = tag;
  const fixed = "0badcafe 00020000 0010 0010 00000001";
  const seen = peer.say(hex(`02 00 0020 ${fixed} 0007 0008 c00c1e00 4abc 0004`));
  assert.deepEqual(types(seen), [chunks.COOKIE_ECHO, chunks.ERROR]);
  same(seen[0]!.bytes, "0a 00 0008 c00c1e00");
  same(seen[1]!.bytes, "09 00 000c 0008 0008 4abc0004");
  const again = peer.wait(1000);
  assert.deepEqual(types(again), [chunks.COOKIE_ECHO, chunks.ERROR], "T1-cookie");
  peer.say(makeChunk(chunks.COOKIE_ACK, 0, NOTHING));
  assert(peer.isEstablished);
});

Deno.test("an INIT ACK without a cookie, or with values that cannot be, ends the attempt (3.3.3, 5.1)", () => {
  const bad = [
    "0badcafe 00020000 0010 0010 00000001", // no cookie
    "00000000 00020000 0010 0010 00000001 0007 0008 c00c1e00", // tag 0
    "0badcafe 00020000 0000 0010 00000001 0007 0008 c00c1e00", // no streams
    "0badcafe 000005db 0010 0010 00000001 0007 0008 c00c1e00", // window 1499
    "0badcafe 00020000 0010 0010 00000001 000b 0008 61000000", // a host name
  ];
  for (const fixed of bad) {
    const peer = new HandMadePeer();
    peer.association.start(0);
    const [init] = peer.drain();
    const end = init!.bytes.length;
    peer.tag = readInit(init!.bytes, { type: 1, flags: 0, at: 0, end })!.tag;
    const seen = peer.say(makeChunk(chunks.INIT_ACK, 0, hex(fixed)));
    assert.equal(peer.closedBecause, "the peer's answer cannot be used", fixed);
    const answered = fixed.startsWith("00000000") ? [] : [chunks.ABORT];
    assert.deepEqual(types(seen), answered, fixed);
  }
});

Deno.test("an INIT with tag 0 is ignored, one without streams or window refused (3.3.2)", () => {
  const peer = new HandMadePeer();
  assert.deepEqual(peer.sayRaw(packetOf(0, peer.init(0))), []);
  for (const more of [{ streams: 0 }, { window: 1499 }]) {
    const seen = peer.sayRaw(packetOf(0, peer.init(PEER_TAG, more)));
    assert.deepEqual(types(seen), [chunks.ABORT]);
    assert.equal(seen[0]!.tag, PEER_TAG);
  }
  assert.equal(peer.closedBecause, undefined);
});

Deno.test("a stale cookie is answered with an ERROR, and the other end asks anew (5.2.6, 3.3.10.3)", () => {
  const peer = new HandMadePeer();
  const { cookie, tag } = peer.askForCookie();
  peer.now = 60_010;
  const seen = peer.sayRaw(packetOf(tag, makeChunk(chunks.COOKIE_ECHO, 0, cookie)));
  assert.deepEqual(types(seen), [chunks.ERROR]);
  same(seen[0]!.bytes, "09 00 000c 0003 0008 00002710");
  assert(!peer.isEstablished);
});

Deno.test("a forged or changed cookie is not answered (5.1.5)", () => {
  const peer = new HandMadePeer();
  const { cookie, tag } = peer.askForCookie();
  for (let i = 0; i < cookie.length; i++) {
    const forged = cookie.slice();
    forged[i]! ^= 1;
    const echo = makeChunk(chunks.COOKIE_ECHO, 0, forged);
    assert.deepEqual(peer.sayRaw(packetOf(tag, echo)), [], `byte ${i}`);
  }
  const echo = makeChunk(chunks.COOKIE_ECHO, 0, cookie);
  assert.deepEqual(peer.sayRaw(packetOf(tag ^ 1, echo)), [], "in a packet with another tag");
  assert(!peer.isEstablished);
});

Deno.test("a repeated COOKIE ECHO is acknowledged again (5.2.4 D)", () => {
  const peer = new HandMadePeer();
  const { cookie, tag } = peer.askForCookie();
  const echo = packetOf(tag, makeChunk(chunks.COOKIE_ECHO, 0, cookie));
  peer.sayRaw(echo);
  assert.deepEqual(types(peer.sayRaw(echo)), [chunks.COOKIE_ACK]);
});

Deno.test("data behind a COOKIE ECHO is taken with it (5.1)", () => {
  const peer = new HandMadePeer();
  const { cookie, tag } = peer.askForCookie();
  const echo = makeChunk(chunks.COOKIE_ECHO, 0, cookie);
  const seen = peer.sayRaw(packetOf(tag, echo, data(PEER_TSN, hex("aa"))));
  assert.equal(seen[0]!.type, chunks.COOKIE_ACK);
  assert.equal(peer.messages.length, 1);
});

Deno.test("a late cookie of an attempt before this one is discarded (5.2.4 C)", () => {
  const peer = new HandMadePeer();
  const early = peer.askForCookie(0x11111111);
  const { cookie, tag } = peer.askForCookie();
  peer.sayRaw(packetOf(tag, makeChunk(chunks.COOKIE_ECHO, 0, cookie)));
  assert(peer.isEstablished);
  const late = packetOf(early.tag, makeChunk(chunks.COOKIE_ECHO, 0, early.cookie));
  assert.deepEqual(peer.sayRaw(late), []);
  assert.equal(peer.closedBecause, undefined);
});

Deno.test("an INIT beside an association gets a new tag and changes nothing (5.2.2)", () => {
  const peer = new HandMadePeer().connect();
  const [answer] = peer.sayRaw(packetOf(0, peer.init(0x22222222)));
  assert.deepEqual([answer!.type, answer!.tag], [chunks.INIT_ACK, 0x22222222]);
  const at = { type: 2, flags: 0, at: 0, end: answer!.bytes.length };
  assert.notEqual(readInit(answer!.bytes, at)!.tag, peer.tag);
  peer.say(data(PEER_TSN, hex("aa")));
  assert.equal(peer.messages.length, 1, "the association lives");
});

Deno.test("a peer that restarts ends the association, since what was under way is lost (5.2.4 A)", () => {
  const peer = new HandMadePeer().connect();
  const { cookie, tag } = peer.askForCookie(0x22222222);
  const seen = peer.sayRaw(packetOf(tag, makeChunk(chunks.COOKIE_ECHO, 0, cookie)));
  assert.deepEqual(types(seen), [chunks.ABORT]);
  assert.equal(seen[0]!.tag, 0x22222222, "the new end takes no other (8.5)");
  assert.equal(peer.closedBecause, "the peer has started anew");
});

// Verification tags

Deno.test("a packet with a wrong tag is not looked at (8.5)", () => {
  const peer = new HandMadePeer().connect();
  for (const tag of [0, 1, PEER_TAG, peer.tag ^ 1]) {
    assert.deepEqual(peer.sayRaw(packetOf(tag, data(PEER_TSN, hex("aa")))), []);
  }
  assert.equal(peer.messages.length, 0);
  assert.equal(peer.association.stats.packetsDropped, 4);
});

Deno.test("ABORT counts with our tag, or with the peer's and bit T (8.5.1 B)", () => {
  const cases: [tag: "ours" | "theirs", flags: number, ends: boolean][] = [
    ["ours", 0, true],
    ["theirs", 1, true],
    ["ours", 1, false],
    ["theirs", 0, false],
  ];
  for (const [whose, flags, ends] of cases) {
    const peer = new HandMadePeer().connect();
    const tag = whose === "ours" ? peer.tag : PEER_TAG;
    peer.sayRaw(packetOf(tag, makeChunk(chunks.ABORT, flags, NOTHING)));
    assert.equal(peer.closedBecause !== undefined, ends, `${whose} ${flags}`);
  }
});

Deno.test("INIT counts with tag 0 and alone only (6.10, 8.5.1 A)", () => {
  const peer = new HandMadePeer();
  assert.deepEqual(peer.sayRaw(packetOf(1, peer.init())), []);
  assert.deepEqual(peer.sayRaw(packetOf(0, peer.init(), peer.init())), []);
  const connected = new HandMadePeer().connect();
  const bundled = [data(PEER_TSN, hex("aa")), connected.init()];
  connected.say(...bundled);
  assert.equal(connected.messages.length, 1, "what stood before it counts");
  assert.equal(connected.closedBecause, undefined);
});

// Chunks that are not known, or not used

Deno.test("unknown chunks go by their high bits: stop or skip, told or not (3.2)", () => {
  const cases: [type: number, skips: boolean, tells: boolean][] = [
    [0x3f, false, false],
    [0x7f, false, true],
    [0xbf, true, false],
    [0xff, true, true],
  ];
  for (const [type, skips, tells] of cases) {
    const peer = new HandMadePeer().connect();
    const unknown = makeChunk(type, 5, hex("0102"));
    const seen = peer.say(unknown, data(PEER_TSN, hex("aa")));
    assert.equal(peer.messages.length, skips ? 1 : 0, `${type}`);
    const errors = seen.filter((chunk) => chunk.type === chunks.ERROR);
    assert.equal(errors.length, tells ? 1 : 0, `${type}`);
    if (tells) same(errors[0]!.bytes, `09 00 000e 0006 000a ${type.toString(16)} 05 0006 0102`);
  }
});

Deno.test("a FORWARD TSN tears no hole: we did not announce it (RFC 3758 3.3.1)", () => {
  const peer = new HandMadePeer().connect();
  const seen = peer.say(makeChunk(192, 0, hex("000003f0")), data(PEER_TSN, hex("aa")));
  assert(types(seen).includes(chunks.ERROR));
  assert.equal(peer.messages.length, 1);
});

Deno.test("a stream reset is denied (RFC 6525 5.2.1)", () => {
  const peer = new HandMadePeer().connect();
  const body = hex("000d 0012 00000005 00000000 00000009 0001 0000").subarray(0, 18);
  const seen = peer.say(makeChunk(chunks.RE_CONFIG, 0, body));
  same(seen[0]!.bytes, "82 00 0010 0010 000c 00000005 00000002");
});

Deno.test("a HEARTBEAT is answered with its own bytes (8.3)", () => {
  const peer = new HandMadePeer().connect();
  const seen = peer.say(makeChunk(chunks.HEARTBEAT, 0, hex("0001 0008 deadbeef")));
  same(seen[0]!.bytes, "05 00 000c 0001 0008 deadbeef");
});

Deno.test("DATA without bytes ends the association (3.3.1: No User Data)", () => {
  const peer = new HandMadePeer().connect();
  const seen = peer.say(data(PEER_TSN, NOTHING));
  same(seen.at(-1)!.bytes, "06 00 0008 0009 0004");
  assert.equal(peer.closedBecause, "the peer has broken the protocol");
});

Deno.test("DATA of a stream that we did not offer is reported (6.5)", () => {
  const peer = new HandMadePeer().connect();
  const seen = peer.say(data(PEER_TSN, hex("aa"), { streamId: MAX_STREAMS }));
  same(seen[0]!.bytes, "09 00 000c 0001 0008 0400 0000");
});

// Sending

Deno.test("messages that wait share a packet, and SACKs travel with data (6.1, 6.2)", () => {
  const peer = new HandMadePeer().connect();
  peer.association.receive(0, packetOf(peer.tag, data(PEER_TSN, hex("aa"))));
  for (let i = 0; i < 3; i++) peer.association.send(0, 1, 53, new Uint8Array(100).fill(i));
  const before = peer.association.stats.packetsSent;
  const seen = peer.drain();
  assert.deepEqual(types(seen), [chunks.SACK, chunks.DATA, chunks.DATA, chunks.DATA]);
  assert.equal(peer.association.stats.packetsSent, before + 1);
  assert.equal(seen.at(-1)!.flags & 8, 8, "the last asks for a SACK at once (RFC 7053)");
});

Deno.test("a message is sent again until it is acknowledged, later each time (6.3.3)", () => {
  const peer = new HandMadePeer().connect();
  peer.association.send(0, 1, 53, hex("aa"));
  peer.drain();
  const times: number[] = [];
  while (peer.closedBecause === undefined) {
    if (types(peer.wait(100)).includes(chunks.DATA)) times.push(peer.now);
  }
  const waits = times.slice(2).map((at, i) => at - times[i + 1]!);
  assert.deepEqual(waits.slice(0, 5), [400, 800, 1600, 3200, 6400]);
  assert.equal(peer.closedBecause, "the peer does not answer");
});

Deno.test("what cannot be sent is refused with a RangeError", () => {
  const { association } = new HandMadePeer().connect();
  const refused = [[1, NOTHING], [1, new Uint8Array(262_145)], [16, hex("00")], [-1, hex("00")]];
  for (const [streamId, bytes] of refused) {
    assert.throws(
      () => association.send(0, streamId as number, 53, bytes as Uint8Array),
      RangeError,
    );
  }
  const whole = new Uint8Array(262_144);
  assert.throws(() => {
    for (let i = 0; i < 1000; i++) association.send(0, 1, 53, whole);
  }, /Cannot send message: \d+ bytes wait already/);
});

Deno.test("bufferedAmount falls as fragments leave, and that is told", () => {
  const pair = new SctpPair({ there: { delay: 10, rate: 1000 } });
  pair.connect();
  let told = 0;
  pair.a.onRoom = () => told++;
  pair.a.send(new Uint8Array(100_000));
  const first = pair.a.association.bufferedAmount(1);
  assert(first < 100_000 && first > 50_000);
  assert.equal(pair.a.association.bufferedAmount(0), 0);
  pair.clock.run(1000, () => pair.b.messages.length === 1);
  assert.equal(pair.a.association.bufferedAmount(1), 0);
  assert(told > 1);
});

Deno.test("a Buffer goes in as a Uint8Array does", () => {
  const peer = new HandMadePeer().connect();
  peer.sayRaw(Buffer.from(packetOf(peer.tag, data(PEER_TSN, hex("aa")))));
  assert.equal(peer.messages[0]!.bytes.constructor, Uint8Array);
});

// End

Deno.test("close tells the peer at once and is the end (9.1)", () => {
  const pair = new SctpPair({ there: { delay: 5 } });
  pair.connect();
  pair.a.send(hex("aa"));
  pair.a.close();
  pair.a.close();
  assert.equal(pair.a.closedBecause, "closed here");
  pair.clock.run(100, () => pair.b.closedBecause !== undefined);
  assert.equal(pair.b.closedBecause, "the peer has aborted");
  pair.a.send(hex("bb")); // ignored
  pair.a.receive(packetOf(1, data(1, hex("aa"))));
  assert.equal(pair.a.association.bufferedAmount(1), 0);
});

Deno.test("a SHUTDOWN is answered when all that waited has arrived (9.2)", () => {
  const peer = new HandMadePeer().connect();
  peer.association.send(0, 1, 53, hex("aa"));
  peer.drain();
  const shutdown = makeChunk(chunks.SHUTDOWN, 0, hex("000003e7"));
  assert(!types(peer.say(shutdown)).includes(chunks.SHUTDOWN_ACK));
  const seen = peer.say(sack({ cumulativeTsn: peer.tsn }));
  assert.deepEqual(types(seen), [chunks.SHUTDOWN_ACK]);
  assert.deepEqual(types(peer.wait(1000)), [chunks.SHUTDOWN_ACK], "T2-shutdown");
  assert.deepEqual(peer.sayRaw(packetOf(0, peer.init())), [], "an INIT now waits for T2 (9.2)");
  peer.say(makeChunk(chunks.SHUTDOWN_COMPLETE, 0, NOTHING));
  assert.equal(peer.closedBecause, "the peer has shut down");
});

Deno.test("a SHUTDOWN ACK that nobody answers ends after its limit", () => {
  const peer = new HandMadePeer().connect();
  peer.say(makeChunk(chunks.SHUTDOWN, 0, hex("000003e7")));
  peer.wait(60_000);
  assert.equal(peer.closedBecause, "the peer does not answer");
});

Deno.test("a tick that comes early names the deadline again", () => {
  const peer = new HandMadePeer();
  peer.association.start(0);
  peer.drain();
  const { deadline } = peer;
  assert(deadline > 1 && deadline < Infinity);
  peer.deadline = Infinity;
  peer.association.tick(deadline - 0.5);
  assert.deepEqual(peer.drain(), [], "nothing is due");
  assert.equal(peer.deadline, deadline);
  peer.association.tick(deadline);
  assert.equal(peer.drain().length, 1, "INIT again");
});
