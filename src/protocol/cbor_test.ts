import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, concat, utf8 } from "../lib/bytes.ts";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import { ProtocolError } from "./errors.ts";

function textItem(text: string): Bytes {
  return concat(new Uint8Array([0x60 + text.length]), utf8(text));
}

Deno.test("CBOR values come back as they were written", () => {
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(null, true, false, 0, 23, 24, 255, 256, 65_536, 2 ** 32 - 1, -1, 1.5),
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }),
      fc.array(tie("value"), { maxLength: 30 }),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), tie("value"), { noNullPrototype: true }),
    ),
  })).value;
  fc.assert(fc.property(value, (written) => {
    const read = decodeCbor(encodeCbor(written));
    assert.equal(shape(read), shape(written));
  }));
});

/** JSON with bytes in it: a decoder may give another kind of byte array than was written. */
function shape(value: unknown): string {
  const bytes = (_key: string, item: unknown) => item instanceof Uint8Array ? [...item] : item;
  return JSON.stringify(value, bytes);
}

const REFUSED: { name: string; bytes: Bytes }[] = [
  {
    name: "a generic object (tag 27)",
    bytes: concat(
      new Uint8Array([0xd8, 27, 0x83]),
      textItem("RegExp"),
      textItem("(a+)+$"),
      textItem(""),
    ),
  },
  { name: "a number of many bytes (tag 2)", bytes: new Uint8Array([0xc2, 0x42, 1, 2]) },
  {
    name: "packed values (tag 51)",
    bytes: new Uint8Array([0xd8, 51, 0x84, 0x81, 1, 0x80, 0x80, 1]),
  },
  { name: "a tag inside an array", bytes: new Uint8Array([0x82, 1, 0xc1, 0]) },
  { name: "a tag inside a map", bytes: new Uint8Array([0xa1, 0x61, 0x61, 0xc0, 0x60]) },
  { name: "text without a length", bytes: new Uint8Array([0x7f, 0x61, 0x61, 0xff]) },
  { name: "an array without a length", bytes: new Uint8Array([0x9f, 1, 0xff]) },
];

for (const { name, bytes } of REFUSED) {
  Deno.test(`CBOR decoder refuses ${name}`, () => {
    assert.throws(() => decodeCbor(bytes), (error) => {
      return error instanceof ProtocolError &&
        /a tag, or a length without an end/.test(error.message);
    });
  });
}

Deno.test("CBOR decoder takes tag bytes inside text and bytes for what they are", () => {
  const bytes = new Uint8Array(70_000).fill(0xc2);
  assert.deepEqual(new Uint8Array(decodeCbor(encodeCbor(bytes)) as Uint8Array), bytes);
});

Deno.test("CBOR decoder gives a value or a ProtocolError for any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    try {
      decodeCbor(bytes);
    } catch (error) {
      assert.ok(error instanceof ProtocolError);
    }
  }));
});
