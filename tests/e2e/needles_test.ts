import assert from "node:assert/strict";
import { concat, toBase64Url, toHex, utf8 } from "../../src/lib/bytes.ts";
import { byteNeedle, found, textNeedle } from "./needles.ts";

const SECRET = Uint8Array.from({ length: 32 }, (_, index) => index * 37 + 250);

Deno.test("a needle of bytes is found in whatever form they are written", () => {
  const needle = byteNeedle("key", SECRET, toHex(SECRET));
  const around = (count: number) => concat(new Uint8Array(count), SECRET, utf8("rest"));
  const written = [
    toHex(SECRET),
    toHex(SECRET).toUpperCase(),
    JSON.stringify([...SECRET]),
    String(SECRET),
    ...[0, 1, 2, 3, 4].map((count) => toBase64Url(around(count))),
    ...[0, 1, 2].map((count) => btoa(String.fromCharCode(...around(count)))),
  ];
  for (const text of written) {
    assert.equal(found(`{"event":"x","field":"${text}"}`, [needle]).length, 1, text);
  }
  assert.deepEqual(found(toHex(around(3).map((byte) => byte ^ 1)), [needle]), []);
});

Deno.test("a short needle is found as a word and not inside of another", () => {
  const needle = textNeedle("fragment", "aB3d", "a=ice-ufrag:aB3d");
  for (const text of ["ufrag aB3d", '{"u":"aB3d"}', "x:aB3d\\r\\n"]) {
    assert.equal(found(text, [needle]).length, 1, text);
  }
  assert.deepEqual(found("xxaB3dxx", [needle]), []);
});

Deno.test("a needle that is not in its place is refused", () => {
  assert.throws(() => textNeedle("password", "hidden", "nothing here"), /not even where it should/);
  assert.throws(() => textNeedle("password", "", "anything"), /too short/);
});
