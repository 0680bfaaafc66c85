import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { crc32c } from "werift";
import { isSoundPacket } from "./sctp_guard.ts";

const sum = (bytes: Uint8Array) => crc32c(Buffer.from(bytes));
const isSound = (packet: Uint8Array) => isSoundPacket(packet, sum);

/** A packet of these chunks with a right checksum. */
function packet(...chunks: readonly (readonly number[])[]): Uint8Array {
  const header = [0x13, 0x88, 0x13, 0x88, 1, 2, 3, 4, 0, 0, 0, 0];
  const whole = Uint8Array.from([header, ...chunks].flat());
  new DataView(whole.buffer).setUint32(8, sum(whole), true);
  return whole;
}

const zeros = (count: number) => new Array<number>(count).fill(0);
const DATA = [0, 3, 0, 17, ...zeros(12), 7, 0, 0, 0];
const SACK = [3, 0, 0, 16, ...zeros(12)];
const INIT = [1, 0, 0, 28, ...zeros(16), 0xc0, 0, 0, 4, 0x80, 8, 0, 4];
const COOKIE_ACK = [11, 0, 0, 4];

const SOUND: Record<string, Uint8Array> = {
  "one byte of data": packet(DATA),
  "data and a SACK": packet(SACK, DATA),
  "data that ends without padding": packet(DATA.slice(0, 17)),
  "a SACK with two blocks and a duplicate": packet(
    [3, 0, 0, 28, ...zeros(8), 0, 2, 0, 1, 0, 2, 0, 3, 0, 5, 0, 5, 0, 0, 0, 9],
  ),
  "INIT with parameters": packet(INIT),
  "a heartbeat": packet([4, 0, 0, 10, 0, 1, 0, 6, 1, 2, 0, 0]),
  "ABORT without a cause": packet([6, 0, 0, 4]),
  "a stream reset": packet([130, 0, 0, 22, 0, 13, 0, 18, ...zeros(12), 0, 1, 0, 0]),
};

for (const [name, bytes] of Object.entries(SOUND)) {
  Deno.test(`${name} passes, and no longer with one byte less or one bit changed`, () => {
    assert.ok(isSound(bytes));
    for (let length = 0; length < bytes.length; length++) {
      assert.ok(!isSound(bytes.slice(0, length)));
    }
    for (let i = 0; i < bytes.length; i++) {
      const changed = bytes.slice();
      changed[i]! ^= 0x10;
      assert.ok(!isSound(changed), `byte ${i}`);
    }
  });
}

const UNSOUND: Record<string, Uint8Array> = {
  "no chunk": packet(),
  "an unknown chunk": packet([77, 0, 0, 4]),
  "an unknown chunk behind data": packet(DATA, [193, 0, 0, 4]),
  "I-DATA": packet([64, 3, 0, 21, ...zeros(20)]),
  "FORWARD-TSN": packet([192, 0, 0, 8, ...zeros(4)]),
  "a chunk of length 0": packet([0, 3, 0, 0]),
  "a chunk of length 3": packet([11, 0, 0, 3]),
  "a chunk longer than the packet": packet([11, 0, 0, 8]),
  "data without a byte": packet([0, 3, 0, 16, ...zeros(12)]),
  "a SACK that counts more blocks than it has": packet([3, 0, 0, 16, ...zeros(8), 0, 1, 0, 0]),
  "a SACK with a block that ends before it starts": packet(
    [3, 0, 0, 20, ...zeros(8), 0, 1, 0, 0, 0, 9, 0, 1],
  ),
  "a SACK with overlapping blocks": packet(
    [3, 0, 0, 24, ...zeros(8), 0, 2, 0, 0, 0, 1, 255, 255, 0, 1, 255, 255],
  ),
  "INIT with company": packet(INIT, COOKIE_ACK),
  "INIT behind another": packet(COOKIE_ACK, INIT),
  "INIT with a parameter of length 0": packet([1, 0, 0, 24, ...zeros(16), 0xc0, 0, 0, 0]),
  "a heartbeat with a parameter beyond it": packet([4, 0, 0, 8, 0, 1, 0, 5]),
  "a stream reset that is cut": packet([130, 0, 0, 16, 0, 13, 0, 12, ...zeros(8)]),
  "an oversize packet": packet([4, 0, 0x27, 0x10, 0, 1, 0x27, 0x0c, ...zeros(9992)]),
};

for (const [name, bytes] of Object.entries(UNSOUND)) {
  Deno.test(`a packet with ${name} is dropped`, () => assert.ok(!isSound(bytes)));
}

Deno.test("the packet itself is left as it was", () => {
  const shared = Buffer.from(packet(DATA));
  const before = Buffer.from(shared);
  assert.ok(isSound(shared));
  assert.deepEqual(shared, before);
});

Deno.test("any bytes end in a verdict", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
    assert.equal(typeof isSound(packet([...bytes])), "boolean");
    assert.equal(typeof isSound(bytes), "boolean");
  }));
});
