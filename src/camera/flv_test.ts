import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { concat, fromHex, utf8 } from "../lib/bytes.ts";
import { FlvReader } from "./flv.ts";
import { CameraError } from "./source.ts";

const HEAD = concat(utf8("FLV"), fromHex("010100000009"), fromHex("00000000"));

function tag(type: number, ms: number, body: string): Uint8Array {
  const bytes = fromHex(body);
  const head = new Uint8Array(11);
  head[0] = type;
  head.set([bytes.length >> 16, bytes.length >> 8, bytes.length], 1);
  head.set([ms >> 16, ms >> 8, ms, ms >>> 24], 4);
  return concat(head, bytes, new Uint8Array(4));
}

const SETS = tag(
  9,
  0,
  "1700000000" + "0142c01fffe1" + "0004" + "6742c01f" + "01" + "0002" + "68ce",
);
const KEY = tag(9, 40, "1701000000" + "00000003" + "658811" + "00000002" + "0600");
const STREAM = concat(
  HEAD,
  tag(18, 0, "0200"),
  SETS,
  KEY,
  tag(9, 2 ** 31, "2701000000" + "00000002" + "419a"),
);

Deno.test("parameter sets and pictures come as access units with ffmpeg's times", () => {
  const units = new FlvReader().push(0, STREAM);
  deepEqual(units, [
    { nals: [fromHex("6742c01f"), fromHex("68ce")], timestamp: 0, keyFrame: false },
    { nals: [fromHex("658811"), fromHex("0600")], timestamp: 3600, keyFrame: true },
    { nals: [fromHex("419a")], timestamp: (2 ** 31 * 90) % 2 ** 32, keyFrame: false },
  ]);
});

Deno.test("a stream cut at every byte gives the same", () => {
  const whole = new FlvReader().push(0, STREAM);
  for (let cut = 0; cut <= STREAM.length; cut++) {
    const reader = new FlvReader();
    deepEqual(
      [...reader.push(0, STREAM.slice(0, cut)), ...reader.push(0, STREAM.slice(cut))],
      whole,
    );
  }
});

Deno.test("what is not FLV, a cut configuration and lengths that do not fit are broken", () => {
  const bad = [
    utf8("MP4 is another thing"),
    concat(HEAD, tag(9, 0, "1700000000" + "0142c01fffe1" + "0009" + "6742")),
    concat(HEAD, tag(9, 0, "1701000000" + "000000ff" + "65")),
    concat(HEAD, tag(9, 0, "1701000000" + "00000000")),
    concat(HEAD, Uint8Array.of(9, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0)),
  ];
  for (const bytes of bad) throws(() => new FlvReader().push(0, bytes), { code: "broken" });
});

Deno.test("random tags give units or a named refusal", () => {
  const body = fc.uint8Array({ maxLength: 40 });
  fc.assert(fc.property(fc.array(body, { maxLength: 5 }), (bodies) => {
    const hex = (bytes: Uint8Array) =>
      [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
    try {
      const units = new FlvReader().push(
        0,
        concat(HEAD, ...bodies.map((one) => tag(9, 0, hex(one)))),
      );
      ok(units.every((unit) => unit.nals.every((nal) => nal.length > 0)));
    } catch (error) {
      equal(error instanceof CameraError, true);
    }
  }));
});
