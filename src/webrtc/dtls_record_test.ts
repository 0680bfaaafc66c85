import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createCipheriv, randomBytes } from "node:crypto";
import fc from "fast-check";
import {
  CONTENT,
  RECORD_HEADROOM,
  RECORD_TAILROOM,
  RecordOpener,
  records,
  RecordSealer,
  ReplayWindow,
} from "./dtls_record.ts";

function record(type: number, epoch: number, body: readonly number[] = [1, 2, 3]): Buffer {
  return Buffer.from([type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 1, 2, 0, body.length, ...body]);
}

Deno.test("a datagram is cut into its whole records at any length", () => {
  const whole = Buffer.concat([record(22, 0), record(23, 1, []), record(21, 1)]);
  const ends = [16, 29, 45];
  for (let length = 0; length <= whole.length; length++) {
    const found = records(whole.subarray(0, length));
    assert.equal(found.length, ends.filter((end) => end <= length).length);
  }
  const [first, second, third] = records(whole);
  assert.deepEqual([first!.type, first!.epoch, first!.sequenceNumber], [22, 0, 0x102]);
  assert.deepEqual([...third!.fragment], [1, 2, 3]);
  assert.equal(second!.fragment.length, 0);
});

Deno.test("a record of another version ends the datagram", () => {
  const tls = record(22, 0);
  tls[1] = 3;
  assert.equal(records(Buffer.concat([record(22, 0), tls, record(22, 0)])).length, 1);
});

Deno.test("any bytes are cut without a throw", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
    const length = records(bytes).reduce((sum, { bytes }) => sum + bytes.length, 0);
    assert.ok(length <= bytes.length);
  }));
});

const KEYS = { key: Buffer.alloc(16, 1), salt: Buffer.from([2, 3, 4, 5]) };

/** A packet with room around it, as SCTP gives it. */
function packet(content: Uint8Array) {
  const buffer = new Uint8Array(RECORD_HEADROOM + content.length + RECORD_TAILROOM);
  buffer.set(content, RECORD_HEADROOM);
  return { buffer, offset: RECORD_HEADROOM, length: content.length };
}

/** A record as RFC 5288 and RFC 6347 describe it, made without the code under test. */
function expected(type: number, number: number, content: Uint8Array): Buffer {
  const explicit = Buffer.alloc(8);
  explicit.writeUInt16BE(1);
  explicit.writeUIntBE(number, 2, 6);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(content.length);
  const nonce = Buffer.concat([KEYS.salt, explicit]);
  const cipher = createCipheriv("aes-128-gcm", KEYS.key, nonce);
  cipher.setAAD(Buffer.concat([explicit, Buffer.of(type, 0xfe, 0xfd), length]));
  const sealed = Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()]);
  length.writeUInt16BE(8 + sealed.length);
  return Buffer.concat([Buffer.of(type, 0xfe, 0xfd), explicit, length, explicit, sealed]);
}

Deno.test("records are sealed in place, byte for byte as the RFCs have them, each with its number", () => {
  const sealer = new RecordSealer(KEYS, 2 ** 32 - 2);
  const opener = new RecordOpener(KEYS);
  for (let i = 0; i < 5; i++) {
    const content = randomBytes(1 + i * 300);
    const own = packet(content);
    const sealed = sealer.seal(CONTENT.DATA, own)!;
    assert.equal(sealed.buffer, own.buffer.buffer);
    assert.deepEqual(Buffer.from(sealed), expected(23, 2 ** 32 - 2 + i, content));
    assert.deepEqual(opener.open(records(sealed)[0]!), content);
  }
});

Deno.test("a packet in the middle of a large buffer leaves its neighbours alone", () => {
  const buffer = new Uint8Array(500).fill(7);
  const sealed = new RecordSealer(KEYS)
    .seal(CONTENT.DATA, { buffer, offset: 200, length: 100 })!;
  assert.equal(sealed.byteOffset, 200 - RECORD_HEADROOM);
  assert.equal(sealed.length, RECORD_HEADROOM + 100 + RECORD_TAILROOM);
  assert.ok(buffer.subarray(0, 200 - RECORD_HEADROOM).every((byte) => byte === 7));
  assert.ok(buffer.subarray(300 + RECORD_TAILROOM).every((byte) => byte === 7));
});

Deno.test("numbers end before they come again", () => {
  const sealer = new RecordSealer(KEYS, 2 ** 48 - 1);
  assert.ok(sealer.seal(CONTENT.DATA, packet(Buffer.of(1))) !== undefined);
  assert.equal(sealer.seal(CONTENT.DATA, packet(Buffer.of(1))), undefined);
});

Deno.test("a record with any byte changed, or cut anywhere, is not opened, and the good one is", () => {
  const sealed = expected(23, 5, Buffer.from("content"));
  const opener = new RecordOpener(KEYS);
  for (let at = 0; at < sealed.length; at++) {
    const bent = Buffer.from(sealed);
    bent[at]! ^= 1;
    for (const one of records(bent)) {
      if (one.epoch === 1) assert.equal(opener.open(one), undefined, `byte ${at}`);
    }
  }
  for (let length = 0; length < 32; length++) {
    const cut = record(23, 1, new Array(length).fill(1));
    assert.equal(opener.open(records(cut)[0]!), undefined);
  }
  assert.deepEqual(opener.open(records(sealed)[0]!), Buffer.from("content"));
  assert.equal(opener.open(records(sealed)[0]!), "replayed");
});

Deno.test("records in any order within the window are opened once, older ones never", () => {
  const window = new ReplayWindow();
  for (const number of [1000, 998, 2000, 1600, 1999]) {
    assert.ok(window.isFresh(number));
    window.add(number);
    assert.ok(!window.isFresh(number));
  }
  assert.ok(window.isFresh(1489)); // 2000 - 511
  assert.ok(!window.isFresh(1488));
  assert.ok(!window.isFresh(0));
  window.add(10_000_000);
  assert.ok(window.isFresh(9_999_999));
  assert.ok(!window.isFresh(2000));
});

Deno.test("the window tells the same as a set, whatever comes", () => {
  fc.assert(fc.property(fc.array(fc.nat(2000), { maxLength: 300 }), (numbers) => {
    const window = new ReplayWindow();
    const seen = new Set<number>();
    let newest = -1;
    for (const number of numbers) {
      assert.equal(window.isFresh(number), number > newest - 512 && !seen.has(number));
      if (!window.isFresh(number)) continue;
      window.add(number);
      seen.add(number);
      newest = Math.max(newest, number);
    }
  }));
});
