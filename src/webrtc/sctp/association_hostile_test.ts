import assert from "node:assert/strict";
import fc from "fast-check";
import * as chunks from "./packet/chunk.ts";
import { BEGIN, END } from "./packet/data_chunk.ts";
import { tsnPlus } from "./packet/serial.ts";
import { data, HandMadePeer, hex, packetOf, PEER_TAG, PEER_TSN, sack } from "./test_parts.ts";

const { makeChunk } = chunks;

Deno.test("46,000 chunks against the window are held up to the window only", () => {
  const window = 1 << 20;
  const peer = new HandMadePeer({ receiveWindow: window }).connect();
  const bytes = new Uint8Array(1100);
  let told = window;
  for (let i = 0; i < 46_000; i++) { // the first never comes, so none can be delivered
    const packet = packetOf(peer.tag, data(tsnPlus(PEER_TSN, 1 + i), bytes, { ssn: 1 + i }));
    for (const chunk of peer.sayRaw(packet)) {
      if (chunk.type === chunks.SACK) told = new DataView(chunk.bytes.buffer).getUint32(8);
    }
  }
  assert.equal(told, 0, "the window is told as closed");
  peer.say(data(PEER_TSN, bytes));
  const held = peer.messages.reduce((sum, message) => sum + message.bytes.length, 0);
  assert(held > window * 0.9 && held <= window + bytes.length, `${held} bytes held`);
  assert.equal(peer.closedBecause, undefined);
});

Deno.test("a flood of single bytes behind a gap is held in as many places as there are", () => {
  const peer = new HandMadePeer().connect();
  for (let i = 1; i < 60_000; i += 60) {
    const parts = Array.from(
      { length: 60 },
      (_, j) => data(tsnPlus(PEER_TSN, i + j), hex("aa"), { ssn: (i + j) & 0xffff }),
    );
    peer.say(...parts);
  }
  peer.say(data(PEER_TSN, hex("aa")));
  assert.equal(peer.messages.length, 8192);
});

Deno.test("streams, fragments and gaps by the thousand stay bounded and harmless", () => {
  const peer = new HandMadePeer().connect();
  for (let i = 0; i < 20_000; i++) { // every other number: 10,000 gaps
    const more = { streamId: i % 1024, ssn: i & 0xffff, flags: i % 3 };
    peer.say(data(tsnPlus(PEER_TSN, 2 * i + 1), hex("aa"), more));
  }
  const seen = peer.wait(100);
  assert(seen.every(({ bytes }) => bytes.length <= 1200));
  assert.equal(peer.closedBecause, undefined);
});

Deno.test("SACKs of what was never sent, in whatever width, are harmless", () => {
  const peer = new HandMadePeer().connect();
  peer.association.send(0, 1, 53, new Uint8Array(5000));
  peer.drain();
  const cumulative = tsnPlus(peer.tsn, -1);
  const wide = Array.from({ length: 280 }, (_, i) => ({
    first: tsnPlus(cumulative, 2 + 200 * i),
    last: tsnPlus(cumulative, 190 + 200 * i),
  }));
  for (let i = 0; i < 1000; i++) {
    peer.say(sack({ cumulativeTsn: cumulative, ranges: wide }));
    peer.say(sack({ cumulativeTsn: tsnPlus(cumulative, 1000 + i) }));
    peer.say(sack({ cumulativeTsn: tsnPlus(cumulative, -i) }));
  }
  assert.equal(peer.closedBecause, undefined);
  assert(peer.association.stats.flight <= 1160, "all but the first chunk is acknowledged");
  assert.equal(peer.wait(1000).filter(({ type }) => type === chunks.DATA).length > 0, true);
});

Deno.test("overlapping, backward and zero gap blocks count as far as they make sense (3.3.4)", () => {
  const peer = new HandMadePeer().connect();
  peer.association.send(0, 1, 53, new Uint8Array(9000));
  peer.drain();
  const before = peer.association.stats.flight;
  const at = (offset: number) => tsnPlus(peer.tsn, offset - 1);
  const blocks = [
    [{ first: at(0), last: at(0) }],
    [{ first: at(5), last: at(3) }],
    [{ first: at(0), last: at(65_535) }],
  ];
  for (const ranges of blocks) peer.say(sack({ cumulativeTsn: at(0), ranges }));
  assert.equal(peer.association.stats.flight, before);
});

Deno.test("a thousand duplicates make short answers", () => {
  const peer = new HandMadePeer().connect();
  const one = data(PEER_TSN, hex("aa"));
  peer.say(one);
  const seen = peer.say(...Array.from({ length: 1000 }, () => one));
  const bytes = seen.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
  assert(bytes <= 16 + 4 * 16, `${bytes} bytes`);
  assert.equal(peer.messages.length, 1);
});

Deno.test("a packet full of requests is answered with a few kilobytes at most", () => {
  const peer = new HandMadePeer().connect();
  const requests = [
    makeChunk(chunks.HEARTBEAT, 0, new Uint8Array(0)),
    makeChunk(0xff, 0, new Uint8Array(0)),
    makeChunk(chunks.RE_CONFIG, 0, hex("000d 0010 00000005 00000000 00000009 0001")),
    data(PEER_TSN, hex("aa"), { streamId: 65_535 }),
  ];
  const many = Array.from({ length: 2000 }, (_, i) => requests[i % 4]!);
  const seen = peer.say(...many);
  const bytes = seen.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
  assert(bytes < 6000, `${bytes} bytes`);
});

Deno.test("a message above the limit ends the association before it is whole", () => {
  const peer = new HandMadePeer({ maxMessageBytes: 10_000 }).connect();
  for (let i = 0; i < 20 && peer.closedBecause === undefined; i++) {
    peer.say(data(PEER_TSN + i, new Uint8Array(1000), { flags: i === 0 ? BEGIN : 0 }));
  }
  assert.equal(peer.closedBecause, "the peer has broken the protocol");
});

Deno.test("optimistic acknowledgements and early answers change nothing before data was sent", () => {
  const peer = new HandMadePeer().connect();
  peer.say(sack({ cumulativeTsn: tsnPlus(peer.tsn, 5) }));
  peer.say(makeChunk(chunks.HEARTBEAT_ACK, 0, hex("0001 000c 0000000000000000")));
  peer.say(makeChunk(chunks.COOKIE_ACK, 0, hex("")));
  peer.say(makeChunk(chunks.INIT_ACK, 0, hex("0badcafe 00020000 0010 0010 00000001")));
  peer.say(makeChunk(chunks.ERROR, 0, hex("0003 0008 00000001")));
  peer.say(makeChunk(chunks.SHUTDOWN_COMPLETE, 0, hex("")));
  assert.equal(peer.association.stats.phase, "startup");
  assert.equal(peer.closedBecause, undefined);
});

// Properties: nothing that a peer says makes it throw, hang or grow.

const body = fc.uint8Array({ maxLength: 60 });
const someType = fc.oneof(
  fc.constantFrom(...Object.values(chunks).filter((value) => typeof value === "number")),
  fc.nat(255),
);
const anyChunk = fc.record({ type: someType, flags: fc.nat(255), body, lie: fc.nat(9) })
  .map(({ type, flags, body, lie }) => {
    const chunk = makeChunk(type, flags, body);
    if (lie === 0) chunk[3] = chunk[3]! ^ 0x1f; // now and then the length is wrong
    return chunk;
  });
const nearData = fc.record({
  offset: fc.integer({ min: -5, max: 40 }),
  bytes: fc.uint8Array({ maxLength: 20 }),
  flags: fc.nat(15),
  streamId: fc.nat(3),
  ssn: fc.nat(5),
}).map(({ offset, bytes, ...more }) => data(tsnPlus(PEER_TSN, offset), bytes, more));
const nearSack = (tsn: number) =>
  fc.record({
    offset: fc.integer({ min: -3, max: 30 }),
    window: fc.constantFrom(0, 1, 1500, 100_000, 0xffffffff),
    gaps: fc.array(fc.tuple(fc.nat(40), fc.nat(40)), { maxLength: 4 }),
    duplicates: fc.array(fc.nat(0xffffffff), { maxLength: 3 }),
  }).map(({ offset, window, gaps, duplicates }) => {
    const cumulativeTsn = tsnPlus(tsn, offset);
    const ranges = gaps.map(([first, last]) => ({
      first: tsnPlus(cumulativeTsn, first),
      last: tsnPlus(cumulativeTsn, last),
    }));
    return sack({ cumulativeTsn, window, ranges, duplicates });
  });

function isBounded(peer: HandMadePeer): void {
  const { flight, window } = peer.association.stats;
  assert(flight >= 0 && Number.isFinite(window) && window >= 0);
}

Deno.test("any bytes at all, with a right checksum, are survived in every state", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 100 })), (packets) => {
    for (const peer of [new HandMadePeer(), new HandMadePeer().connect()]) {
      if (!peer.isEstablished) peer.association.start(0);
      for (const bytes of packets) {
        peer.sayRaw(bytes);
        peer.sayRaw(packetOf(peer.tag, bytes));
        peer.sayRaw(packetOf(0, bytes));
      }
      isBounded(peer);
    }
  }));
});

Deno.test("a peer that knows the tags may say anything in any order: nothing throws, all ends", () => {
  const tsn = new HandMadePeer().connect().tsn;
  const chunk = fc.oneof(anyChunk, nearData, nearData, nearSack(tsn), nearSack(tsn));
  const step = fc.oneof(
    fc.record({ say: fc.array(chunk, { maxLength: 4 }) }),
    fc.record({ wait: fc.nat(3000) }),
    fc.record({ send: fc.integer({ min: 1, max: 5000 }) }),
    fc.record({ pause: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const peer = new HandMadePeer({ maxMessageBytes: 5000 }).connect();
      for (const one of steps) {
        if ("say" in one) peer.say(...one.say);
        else if ("wait" in one) peer.wait(one.wait);
        else if ("send" in one) {
          peer.association.send(peer.now, 1, 53, new Uint8Array(one.send));
          peer.drain();
        } else if (one.pause) peer.association.pause(1);
        else {
          peer.association.resume(peer.now, 1);
          peer.drain();
        }
        isBounded(peer);
      }
      peer.wait(120_000); // all timers run out
      const { closedBecause } = peer;
      if (closedBecause === undefined) assert(peer.deadline < Infinity, "heartbeats go on");
      for (const { bytes } of peer.messages) assert(bytes.length > 0 && bytes.length <= 5000);
    }),
    { numRuns: 300 },
  );
});

Deno.test("handshakes in any order and number leave one association at most", () => {
  const step = fc.constantFrom("init", "echo", "echo other", "start", "ack", "wait");
  fc.assert(fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
    const peer = new HandMadePeer();
    const cookies: { cookie: Uint8Array; tag: number }[] = [];
    let times = 0;
    for (const one of steps) {
      const wasEstablished = peer.isEstablished;
      peer.isEstablished = false;
      if (one === "init" && peer.closedBecause === undefined) {
        cookies.push(peer.askForCookie(PEER_TAG + (cookies.length & 1)));
      } else if (one.startsWith("echo") && cookies.length > 0) {
        const { cookie, tag } = one === "echo" ? cookies[0]! : cookies.at(-1)!;
        peer.sayRaw(packetOf(tag, makeChunk(chunks.COOKIE_ECHO, 0, cookie)));
      } else if (one === "start") {
        peer.association.start(peer.now);
        peer.drain();
      } else if (one === "wait") peer.wait(1500);
      else if (one === "ack") peer.sayRaw(packetOf(cookies[0]?.tag ?? 1, hex("0b000004")));
      if (peer.isEstablished) times++;
      peer.isEstablished ||= wasEstablished;
    }
    assert(times <= 1);
  }));
});

Deno.test("the last fragment of an END flag alone, and zero length parameters, are survived", () => {
  const peer = new HandMadePeer().connect();
  peer.say(data(PEER_TSN, hex("aa"), { flags: END }));
  peer.say(makeChunk(chunks.ERROR, 0, hex("0006 0000")));
  peer.say(makeChunk(chunks.HEARTBEAT_ACK, 0, hex("0001 0000")));
  peer.say(makeChunk(chunks.RE_CONFIG, 0, hex("000d 0000")));
  peer.sayRaw(packetOf(peer.tag, hex("00030000")));
  assert.deepEqual(
    peer.sayRaw(
      packetOf(0, makeChunk(chunks.INIT, 0, hex("0badcafe 00020000 0010 0010 00000001 0007 0000"))),
    ),
    [],
  );
  assert.equal(peer.closedBecause, undefined);
});
