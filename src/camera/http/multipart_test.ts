import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { concat, fromHex, utf8 } from "../../lib/bytes.ts";
import { CameraError } from "../source.ts";
import { asJpeg, boundaryOf, MAX_PICTURE_BYTES, MultipartReader } from "./multipart.ts";

const JPEG = fromHex("ffd8ffe000104a464946ffd9");

function part(head: string): Uint8Array {
  return concat(utf8(`--b\r\n${head}\r\n\r\n`), JPEG, utf8("\r\n"));
}

const COUNTED = part(`Content-Type: image/jpeg\r\nContent-Length: ${JPEG.length}`);
const UNCOUNTED = part("Content-type: image/jpeg");

Deno.test("boundaries are read as cameras write them", () => {
  equal(boundaryOf('multipart/x-mixed-replace; boundary="--my boundary"'), "my boundary");
  equal(boundaryOf("multipart/x-mixed-replace;boundary=b;x=y"), "b");
  equal(boundaryOf("multipart/x-mixed-replace"), undefined);
  equal(boundaryOf("image/jpeg"), undefined);
});

Deno.test("pictures come whole, with and without their length, cut at every byte", () => {
  const stream = concat(COUNTED, UNCOUNTED, COUNTED, UNCOUNTED, utf8("--b--"));
  for (let cut = 0; cut <= stream.length; cut++) {
    const reader = new MultipartReader("b");
    const pictures = [...reader.push(stream.slice(0, cut)), ...reader.push(stream.slice(cut))];
    deepEqual(pictures.map((one) => asJpeg(one)), [JPEG, JPEG, JPEG, JPEG]);
  }
});

Deno.test("a long stream byte by byte gives every picture in its time", () => {
  const large = concat(fromHex("ffd8ff"), new Uint8Array(200_000), fromHex("ffd9"));
  const reader = new MultipartReader("b");
  let pictures = 0;
  for (const one of [part("X: y"), concat(utf8("--b\r\n\r\n"), large, utf8("\r\n")), COUNTED]) {
    for (const byte of one) pictures += reader.push(Uint8Array.of(byte)).length;
  }
  equal(pictures, 3);
});

Deno.test("a counted picture is there with its last byte", () => {
  const reader = new MultipartReader("b");
  deepEqual(reader.push(COUNTED.slice(0, -3)), []);
  equal(reader.push(COUNTED.slice(-3, -2)).length, 1);
});

Deno.test("pictures and heads above the limit are broken, rubbish in front costs nothing", () => {
  const long = utf8(`--b\r\nContent-Length: ${MAX_PICTURE_BYTES + 1}\r\n\r\n`);
  throws(() => new MultipartReader("b").push(long), { code: "broken" });
  const head = concat(utf8("--b\r\n"), new Uint8Array(9000).fill(0x61));
  throws(() => new MultipartReader("b").push(head), { code: "broken" });
  const endless = new MultipartReader("b");
  endless.push(utf8("--b\r\n\r\n"));
  throws(() => {
    for (let sent = 0; sent <= MAX_PICTURE_BYTES; sent += 1 << 20) {
      endless.push(new Uint8Array(1 << 20));
    }
  }, { code: "broken" });
  const patient = new MultipartReader("b");
  for (let sent = 0; sent < 20; sent++) deepEqual(patient.push(new Uint8Array(1 << 20)), []);
});

Deno.test("what has no end or no start is no JPEG", () => {
  equal(asJpeg(JPEG.slice(0, -1)), undefined);
  equal(asJpeg(JPEG.slice(1)), undefined);
  deepEqual(asJpeg(concat(JPEG, fromHex("0d0a00"))), JPEG);
});

Deno.test("random pieces give pictures or a named refusal", () => {
  const piece = fc.oneof(
    fc.constantFrom(utf8("--b\r\n"), utf8("\r\n\r\n"), utf8("Content-Length: 3\r\n"), JPEG),
    fc.uint8Array({ maxLength: 20 }),
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
    const reader = new MultipartReader("b");
    try {
      for (const one of pieces) ok(reader.push(one).every((picture) => picture.length > 0));
    } catch (error) {
      ok(error instanceof CameraError);
    }
  }));
});
