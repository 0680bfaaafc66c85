import assert from "node:assert/strict";
import fc from "fast-check";
import { fromHex, toHex } from "../lib/bytes.ts";
import {
  CborError,
  type CborValue,
  decodeCbor,
  encodeCbor,
  readBytes,
  readList,
  readMap,
  readText,
  readUint,
} from "./strict_cbor.ts";
import { HOSTILE_CBOR } from "./test_hostile_cbor.ts";

const decode = (hex: string) => decodeCbor(fromHex(hex), 8192);

Deno.test("cbor writes and reads the exact bytes of RFC 8949 appendix A", () => {
  const vectors: [string, CborValue][] = [
    ["00", 0],
    ["17", 23],
    ["1818", 24],
    ["18ff", 255],
    ["190100", 256],
    ["1a000f4240", 1000000],
    ["1b000000e8d4a51000", 1000000000000],
    ["1b001fffffffffffff", Number.MAX_SAFE_INTEGER],
    ["20", -1],
    ["32", -19],
    ["3863", -100],
    ["3903e7", -1000],
    ["f4", false],
    ["f5", true],
    ["40", new Uint8Array()],
    ["4401020304", new Uint8Array([1, 2, 3, 4])],
    ["60", ""],
    ["62c3bc", "ü"],
    ["64f0908591", "\u{10151}"],
    ["80", []],
    ["8301820203820405", [1, [2, 3], [4, 5]]],
    ["a0", new Map()],
    ["a201020304", new Map([[1, 2], [3, 4]])],
  ];
  for (const [hex, value] of vectors) {
    assert.equal(toHex(encodeCbor(value)), hex);
    assert.deepEqual(decode(hex), value);
  }
});

Deno.test("cbor sorts the keys of maps by their bytes, however they were added", () => {
  const map = new Map([[256, 0], [24, 0], [10, 0], [0, 0], [23, 0]]);
  assert.equal(toHex(encodeCbor(map)), "a500000a00170018180019010000");
});

Deno.test("cbor refuses every hostile input as a CborError", () => {
  for (const [name, hex] of Object.entries(HOSTILE_CBOR)) {
    assert.throws(() => decodeCbor(fromHex(hex), 9000), CborError, name);
  }
});

Deno.test("cbor refuses what is longer than its reader allows", () => {
  assert.deepEqual(decodeCbor(fromHex("820102"), 3), [1, 2]);
  assert.throws(() => decodeCbor(fromHex("820102"), 2), /too long/);
});

Deno.test("cbor refuses every value cut at every byte", () => {
  const whole = encodeCbor(
    new Map<number, CborValue>([[1, "text"], [2, [1, true]], [300, new Uint8Array(30)]]),
  );
  for (let i = 0; i < whole.length; i++) {
    assert.throws(() => decodeCbor(whole.slice(0, i), 100), CborError);
  }
});

Deno.test("cbor does not write what it would not read", () => {
  const bad: unknown[] = [
    1.5,
    -0,
    NaN,
    2 ** 53,
    null,
    undefined,
    10n,
    {},
    new Date(),
    new Map([["1", 1]]),
    new Map([[-1, 1]]),
    new Map([[1.5, 1]]),
    Array(65).fill(0),
    [[[[[[[0]]]]]]],
    [undefined],
  ];
  for (const value of bad) {
    assert.throws(() => encodeCbor(value as CborValue), CborError, String(value));
  }
});

const values: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.maxSafeInteger().filter((n) => !Object.is(n, -0)),
    fc.boolean(),
    fc.string({ unit: "grapheme" }).filter((text) => text.isWellFormed()),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => new Uint8Array(bytes)),
    fc.array(tie("value"), { maxLength: 6 }),
    fc.array(fc.tuple(fc.nat(), tie("value")), { maxLength: 6 }).map((pairs) => new Map(pairs)),
  ),
})).value;

Deno.test("cbor gives back every value and has one encoding for it", () => {
  fc.assert(fc.property(values, (value) => {
    const bytes = encodeCbor(value);
    const again = decodeCbor(bytes, bytes.length);
    assert.deepEqual(encodeCbor(again), bytes);
  }));
});

Deno.test("cbor reads random and damaged bytes either as what they encode or not at all", () => {
  const damaged = fc.tuple(values, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
    const bytes = encodeCbor(value);
    bytes[at % bytes.length] = byte;
    return bytes;
  });
  const inputs = fc.oneof(fc.uint8Array({ maxLength: 64 }).map((b) => new Uint8Array(b)), damaged);
  fc.assert(
    fc.property(inputs, (bytes) => {
      let value: CborValue;
      try {
        value = decodeCbor(bytes, 8192);
      } catch (error) {
        assert.ok(error instanceof CborError);
        return;
      }
      assert.deepEqual(encodeCbor(value), bytes);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("cbor readers refuse other types, lengths, ranges and keys", () => {
  const map = new Map<number, CborValue>([[0, 1], [1, "text"], [2, new Uint8Array(4)], [3, [1]]]);
  const reader = readMap(map, { required: [0, 1, 2], optional: [3, 4] });
  assert.equal(reader.uint(0, 1), 1);
  assert.equal(reader.text(1, 4), "text");
  assert.equal(reader.bytes(2, 4).length, 4);
  assert.equal(reader.bytesUpTo(2, 9).length, 4);
  assert.deepEqual(reader.list(3, 1), [1]);
  assert.equal(reader.has(4), false);
  const bad = [
    () => readMap(map, { required: [0, 1, 2] }),
    () => readMap(map, { required: [0, 1, 2, 3, 4] }),
    () => readMap([], { required: [] }),
    () => readMap(undefined, { required: [] }),
    () => reader.uint(0, 0),
    () => reader.uint(1, 9),
    () => readUint(-1, 9),
    () => reader.text(1, 3),
    () => reader.text(0, 9),
    () => readText("üü", 3),
    () => reader.bytes(2, 3),
    () => reader.bytesUpTo(2, 3),
    () => reader.bytes(1, 4),
    () => readBytes([1, 2, 3, 4], { length: 4 }),
    () => reader.list(3, 0),
    () => readList(new Map(), 4),
    () => reader.expect(0, 2),
    () => reader.expect(4, 0),
  ];
  for (const read of bad) assert.throws(read, CborError);
});
