import assert from "node:assert/strict";
import fc from "fast-check";
import { denyReconfig } from "./reconfig_chunk.ts";
import * as chunk from "./chunk.ts";
import { BEGIN, END, readData } from "./data_chunk.ts";
import * as error from "./error_chunk.ts";
import { makeInitBody, readInit } from "./init_chunk.ts";
import { PacketWriter } from "./packet_writer.ts";
import { makeParameters, readParameters } from "./parameters.ts";
import { ReceivedSack } from "./sack_chunk.ts";
import { data, hex, packetOf, readPacket, sack, same } from "../test_parts.ts";

/** The first chunk of a buffer, as the walk gives it. */
function first(bytes: Uint8Array): chunk.ChunkWalk {
  const walk = new chunk.ChunkWalk();
  walk.start(bytes, 0);
  assert(walk.next());
  return walk;
}

/** Reads every cut of a chunk, its length field as it was and as the cut is. None may throw. */
function cutEverywhere(bytes: Uint8Array, read: (bytes: Uint8Array, at: chunk.Chunk) => unknown) {
  for (let length = chunk.CHUNK_HEADER_BYTES; length < bytes.length; length++) {
    const cut = bytes.slice(0, length);
    const walk = new chunk.ChunkWalk();
    walk.start(cut, 0);
    assert(!walk.next() || walk.end <= length, "a chunk ends within its packet");
    cut[2] = length >> 8;
    cut[3] = length;
    read(cut, first(cut));
  }
}

Deno.test("DATA: exact bytes both ways (RFC 9260 3.3.1)", () => {
  const bytes = data(0x01020304, hex("aabbcc"), { streamId: 7, ssn: 0x1122 });
  same(bytes, "00 03 0013 01020304 0007 1122 00000035 aabbcc 00");
  assert.deepEqual(readData(bytes, first(bytes)), {
    tsn: 0x01020304,
    flags: BEGIN | END,
    streamId: 7,
    ssn: 0x1122,
    protocol: 53,
    bytes: hex("aabbcc"),
  });
  cutEverywhere(bytes, (cut, at) => assert.equal(readData(cut, at) === undefined, cut.length < 16));
});

Deno.test("SACK: exact bytes both ways (3.3.4)", () => {
  const bytes = sack({
    cumulativeTsn: 0xfffffffe,
    window: 0x00010000,
    ranges: [{ first: 0, last: 1 }, { first: 4, last: 4 }],
    duplicates: [0xfffffffd],
  });
  same(bytes, "03 00 001c fffffffe 00010000 0002 0001 0002 0003 0006 0006 fffffffd");
  const read = new ReceivedSack();
  assert(read.read(bytes, first(bytes)));
  assert.equal(read.cumulativeTsn, 0xfffffffe);
  assert.equal(read.window, 0x10000);
  assert.deepEqual([read.gaps, read.duplicates], [2, 1]);
  assert.deepEqual([read.gapStart(0), read.gapEnd(0), read.gapStart(1)], [2, 3, 6]);
  cutEverywhere(bytes, (cut, at) => assert.equal(read.read(cut, at), false));
});

const CONTENT = {
  tag: 0x11223344,
  window: 0x00020000,
  outboundStreams: 16,
  inboundStreams: 32,
  initialTsn: 0x55667788,
};

Deno.test("INIT: exact bytes both ways, no extension announced (3.3.2)", () => {
  const bytes = chunk.makeChunk(chunk.INIT, 0, makeInitBody(CONTENT));
  same(bytes, "01 00 0014 11223344 00020000 0010 0020 55667788");
  const read = readInit(bytes, first(bytes));
  assert.deepEqual(read, {
    ...CONTENT,
    cookie: undefined,
    unrecognized: [],
    hasHostName: false,
  });
  cutEverywhere(bytes, (cut, at) => assert.equal(readInit(cut, at), undefined));
});

Deno.test("INIT ACK: cookie and unrecognized parameters, exact bytes both ways (3.3.3)", () => {
  const answer = { cookie: hex("c00c1e"), unrecognized: [{ type: 0x4abc, value: hex("01") }] };
  const bytes = chunk.makeChunk(chunk.INIT_ACK, 0, makeInitBody(CONTENT, answer));
  same(
    bytes,
    `02 00 0025 11223344 00020000 0010 0020 55667788
     0007 0007 c00c1e 00   0008 0009 4abc 0005 01 000000`,
  );
  assert.deepEqual(readInit(bytes, first(bytes))!.cookie, hex("c00c1e"));
  cutEverywhere(bytes, readInit);
});

Deno.test("Chromium's INIT is understood, and nothing of it reported", () => {
  // FORWARD TSN supported (RFC 3758), and supported extensions: RE-CONFIG, FORWARD TSN.
  const bytes = hex(
    "01 00 001e 11223344 00500000 ffff ffff 55667788  c000 0004  8008 0006 82c0 0000",
  );
  const read = readInit(bytes, first(bytes))!;
  assert.equal(read.window, 0x500000);
  assert.deepEqual(read.unrecognized, []);
});

Deno.test("unknown parameters go by their high bits (3.2.1)", () => {
  const fixed = "11223344 00020000 0010 0020 55667788";
  const cases: [type: string, reported: boolean, goesOn: boolean][] = [
    ["0abc", false, false],
    ["4abc", true, false],
    ["8abc", false, true],
    ["cabc", true, true],
  ];
  for (const [type, reported, goesOn] of cases) {
    const bytes = hex(`02 00 0020 ${fixed} ${type} 0004 0007 0006 c00c 0000`);
    bytes[3] = bytes.length - 2;
    const read = readInit(bytes, first(bytes))!;
    assert.equal(read.unrecognized.length, reported ? 1 : 0, type);
    assert.equal(read.cookie !== undefined, goesOn, type);
  }
});

Deno.test("parameters: zero and impossible lengths are refused, many are cut off", () => {
  assert.equal(readParameters(hex("0001 0000"), 0, 4), undefined);
  assert.equal(readParameters(hex("0001 0003"), 0, 4), undefined);
  assert.equal(readParameters(hex("0001 0005"), 0, 4), undefined);
  assert.equal(readParameters(hex("0001 00"), 0, 3), undefined);
  const many = makeParameters(Array.from({ length: 1000 }, () => ({ type: 1, value: hex("") })));
  assert.equal(readParameters(many, 0, many.length)!.length, 64);
});

Deno.test("ABORT and ERROR: exact bytes both ways (3.3.7, 3.3.10)", () => {
  same(error.makeAbort(error.USER_INITIATED), "06 00 0008 000c 0004");
  same(error.makeError([error.invalidStreamCause(9)]), "09 00 000c 0001 0008 0009 0000");
  same(error.makeError([error.staleCookieCause(1.5)]), "09 00 000c 0003 0008 000005dc");
  same(
    error.makeAbort(error.MISSING_PARAMETER, 0, error.missingCookieValue()),
    "06 00 000e 0002 000a 00000001 0007 0000",
  );
  const bytes = error.makeError([{ type: 3, value: hex("01020304") }]);
  assert.deepEqual(error.readCauses(bytes, first(bytes)), [{ type: 3, value: hex("01020304") }]);
  cutEverywhere(bytes, error.readCauses);
});

Deno.test("RE-CONFIG requests are denied by number, answers left alone (RFC 6525 4.4)", () => {
  // Outgoing SSN reset request 5, response 0, last TSN 9, stream 1.
  const request = hex("82 00 0016 000d 0012 00000005 00000000 00000009 0001 0000");
  same(denyReconfig(request, first(request))!, "82 00 0010 0010 000c 00000005 00000002");
  const response = hex("82 00 0010 0010 000c 00000005 00000001");
  assert.equal(denyReconfig(response, first(response)), undefined);
  cutEverywhere(request, denyReconfig);
});

Deno.test("a walk always ends and never leaves the packet, whatever the bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
    const walk = new chunk.ChunkWalk();
    walk.start(bytes, 0);
    for (let before = -1; walk.next(); before = walk.at) {
      assert(walk.at > before && walk.end <= bytes.length && walk.end - walk.at >= 4);
      readData(bytes, walk);
      readInit(bytes, walk);
      new ReceivedSack().read(bytes, walk);
      error.readCauses(bytes, walk);
      denyReconfig(bytes, walk);
    }
  }));
});

Deno.test("a chunk of length zero to three ends the walk (3.2)", () => {
  for (const length of ["0000", "0001", "0003"]) {
    const walk = new chunk.ChunkWalk();
    walk.start(hex(`00 00 ${length} 00000000`), 0);
    assert(!walk.next());
  }
});

Deno.test("the writer leaves room before and behind, and never gives a byte twice", () => {
  const writer = new PacketWriter({ headroom: 21, tailroom: 16 });
  const made = [];
  for (let i = 0; i < 300; i++) {
    writer.open(1200, i);
    writer.add(data(i, new Uint8Array(i + 1)));
    made.push(writer.finish());
  }
  for (const [i, { buffer, offset, length }] of made.entries()) {
    assert.deepEqual([offset, buffer.length], [21, 21 + length + 16]);
    buffer.fill(0xff, 0, offset); // what a DTLS record does
    buffer.fill(0xff, offset + length);
    assert.deepEqual(
      buffer.slice(offset, offset + length),
      packetOf(i, data(i, new Uint8Array(i + 1))),
    );
  }
  for (const { buffer, offset, length } of made) readPacket(buffer.slice(offset, offset + length));
});
