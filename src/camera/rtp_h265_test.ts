import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { concat, fromHex, toHex } from "../lib/bytes.ts";
import { Depacketizer } from "./depacketizer.ts";
import { H265_FORMAT } from "./rtp_h265.ts";
import { CameraError } from "./source.ts";

const VPS = fromHex("40010c01");
const SPS = fromHex("42010101");
const IDR = fromHex("2601afcafe");
const SLICE = fromHex("0201d00d");

function feed(...payloads: (Uint8Array | undefined)[]) {
  const depacketizer = new Depacketizer(H265_FORMAT);
  return payloads.flatMap((payload, sequence) =>
    payload === undefined ? [] : depacketizer.push({
      ...{ payloadType: 96, ssrc: 1, sequence, payload },
      ...{ marker: true, timestamp: sequence * 3000 },
    })
  );
}

Deno.test("whole units, aggregates and fragments of H.265 make pictures", () => {
  const lengths = (nal: Uint8Array) => concat(Uint8Array.of(0, nal.length), nal);
  const aggregate = concat(fromHex("6001"), lengths(VPS), lengths(SPS), lengths(IDR));
  const [key, next] = feed(aggregate, SLICE);
  deepEqual([key!.keyFrame, next!.keyFrame], [true, false]);
  deepEqual(key!.nals, [VPS, SPS, IDR]);
  const depacketizer = new Depacketizer(H265_FORMAT);
  const pieces = ["6201" + "93" + "af", "6201" + "13" + "ca", "6201" + "53" + "fe"].map(fromHex);
  const units = pieces.flatMap((payload, sequence) =>
    depacketizer.push({
      ...{ payloadType: 96, ssrc: 1, sequence, payload },
      ...{ marker: sequence === 2, timestamp: 0 },
    })
  );
  deepEqual(units.flatMap(({ nals }) => nals.map(toHex)), ["2601afcafe"]);
});

Deno.test("after a lost packet of H.265 nothing comes up to the next whole key frame", () => {
  equal(feed(IDR, undefined, SLICE, SLICE).length, 1);
  equal(feed(IDR, undefined, SLICE, IDR, SLICE).length, 3);
});

Deno.test("other packets of H.265 are refused by name, cut ones cost their picture", () => {
  throws(() => feed(fromHex("640100")), { code: "unsupported", message: /type 50/ });
  equal(feed(fromHex("60"), IDR).length, 1);
  equal(feed(fromHex("620193"), IDR).length, 1);
  equal(feed(fromHex("6001000902"), IDR).length, 1);
});

Deno.test("random payloads of H.265 never throw anything but a refusal", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 20 }), (payloads) => {
      try {
        ok(feed(...payloads).every(({ nals }) => nals.every((nal) => nal.length > 0)));
      } catch (error) {
        ok(error instanceof CameraError);
      }
    }),
  );
});
