import assert from "node:assert/strict";
import fc from "fast-check";
import { crc32cUpdate, packetChecksum } from "./crc32c.ts";
import { isPacket, seal } from "./common_header.ts";

function crc32c(bytes: Uint8Array): number {
  return ~crc32cUpdate(-1, bytes, { from: 0, to: bytes.length }) >>> 0;
}

/** One bit after the other, by the definition. */
function slowly(bytes: Uint8Array): number {
  let register = -1;
  for (const byte of bytes) {
    register ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      register = (register & 1) !== 0 ? (register >>> 1) ^ 0x82f63b78 : register >>> 1;
    }
  }
  return ~register >>> 0;
}

Deno.test("crc32c gives the sums of RFC 3720 B.4", () => {
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c);
  assert.equal(crc32c(new TextEncoder().encode("123456789")), 0xe3069283);
});

Deno.test("crc32c agrees with its definition for any bytes and lengths", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    assert.equal(crc32c(bytes), slowly(bytes));
  }));
});

Deno.test("a packet's own checksum field counts as zero (RFC 9260 6.8)", () => {
  fc.assert(fc.property(
    fc.uint8Array({ minLength: 12, maxLength: 100 }),
    fc.nat(20),
    (bytes, headroom) => {
      const zeroed = bytes.slice();
      zeroed.fill(0, 8, 12);
      const padded = new Uint8Array(headroom + bytes.length + 5).fill(0xaa);
      padded.set(bytes, headroom);
      const sum = packetChecksum(padded, headroom, headroom + bytes.length);
      assert.equal(sum, slowly(zeroed));
    },
  ));
});

Deno.test("a packet with any one byte changed is none of ours", () => {
  const packet = new Uint8Array(40).fill(7);
  packet.set([0x13, 0x88, 0x13, 0x88]);
  seal(packet, 0, packet.length);
  assert(isPacket(packet));
  for (let i = 0; i < packet.length; i++) {
    const harmed = packet.slice();
    harmed[i]! ^= 1;
    assert(!isPacket(harmed), `byte ${i}`);
  }
  for (let length = 0; length < packet.length; length++) {
    assert(!isPacket(packet.subarray(0, length)), `cut at ${length}`);
  }
});
