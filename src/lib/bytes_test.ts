import assert from "node:assert/strict";
import fc from "fast-check";
import {
  concat,
  equalBytes,
  fromBase32,
  fromBase64Url,
  fromHex,
  toBase32,
  toBase64Url,
  toHex,
  utf8,
} from "./bytes.ts";

Deno.test("base32 writes the vectors of RFC 4648 10 in lower case without padding", () => {
  const vectors = [["", ""], ["f", "my"], ["fo", "mzxq"], ["foo", "mzxw6"], ["foob", "mzxw6yq"]];
  for (const [text, expected] of [...vectors, ["fooba", "mzxw6ytb"], ["foobar", "mzxw6ytboi"]]) {
    assert.equal(toBase32(utf8(text!)), expected);
  }
});

Deno.test("base64url writes the vectors of RFC 4648 10 without padding", () => {
  const vectors = [["", ""], ["f", "Zg"], ["fo", "Zm8"], ["foo", "Zm9v"], ["foob", "Zm9vYg"]];
  for (const [text, expected] of vectors) assert.equal(toBase64Url(utf8(text!)), expected);
  assert.equal(toBase64Url(Uint8Array.of(0xfb, 0xff)), "-_8");
});

for (
  const [name, write, read] of [
    ["base32", toBase32, fromBase32],
    ["base64url", toBase64Url, fromBase64Url],
    ["hexadecimal", toHex, fromHex],
  ] as const
) {
  Deno.test(`${name} gives back every byte string`, () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      assert.ok(equalBytes(read(write(bytes)), bytes));
    }));
  });

  Deno.test(`${name} has one text for each byte string and refuses all others`, () => {
    fc.assert(fc.property(fc.string({ maxLength: 12 }), (text) => {
      try {
        assert.equal(write(read(text)), name === "hexadecimal" ? text.toLowerCase() : text);
      } catch (error) {
        assert.ok(error instanceof SyntaxError, String(error));
      }
    }));
  });
}

Deno.test("byte strings of different length or content are not equal", () => {
  assert.ok(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)));
  assert.ok(!equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3)));
  assert.ok(!equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1)));
  assert.deepEqual(
    concat(Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(2, 3)),
    Uint8Array.of(1, 2, 3),
  );
});
