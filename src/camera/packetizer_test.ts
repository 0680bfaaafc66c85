import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { concat, fromHex } from "../lib/bytes.ts";
import { Depacketizer } from "./depacketizer.ts";
import { MAX_PAYLOAD_BYTES, packetize } from "./packetizer.ts";

const SPS = fromHex("6742c01f");
const PPS = fromHex("68ce");

function depacketize(payloads: readonly Uint8Array[]): readonly Uint8Array[] | undefined {
  const depacketizer = new Depacketizer();
  const units = payloads.flatMap((payload, i) =>
    depacketizer.push({
      payloadType: 96,
      marker: i === payloads.length - 1,
      sequence: (65_530 + i) & 0xffff,
      timestamp: 7,
      ssrc: 1,
      payload,
    })
  );
  return units[0]?.nals;
}

Deno.test("parameter sets travel in one STAP-A", () => {
  const idr = fromHex("658888");
  const expected = [fromHex("78" + "0004" + "6742c01f" + "0002" + "68ce"), idr];
  deepEqual(packetize([SPS, PPS, idr]), expected);
});

Deno.test("a parameter set alone travels as it is", () => {
  deepEqual(packetize([PPS]), [PPS]);
});

Deno.test("a unit of the largest size stays whole, one byte more is cut in two", () => {
  const nal = new Uint8Array(MAX_PAYLOAD_BYTES + 1).fill(0x61);
  equal(packetize([nal.subarray(1)]).length, 1);
  const [first, second, ...rest] = packetize([nal]);
  equal(rest.length, 0);
  deepEqual([first![0], first![1]], [0x7c, 0x81]);
  deepEqual([second![0], second![1]], [0x7c, 0x41]);
});

Deno.test("whatever is cut comes out of the depacketizer as it was, in payloads below the limit", () => {
  const body = fc.uint8Array({ maxLength: 5000 });
  fc.assert(fc.property(fc.array(body, { maxLength: 4 }), body, (others, picture) => {
    const idr = concat(Uint8Array.of(0x65, 0x80), picture);
    const nals = [SPS, PPS, ...others.map((one) => concat(Uint8Array.of(0x06), one)), idr];
    const payloads = packetize(nals);
    ok(payloads.every((payload) => payload.length > 0 && payload.length <= MAX_PAYLOAD_BYTES));
    deepEqual(depacketize(payloads), nals);
  }));
});
