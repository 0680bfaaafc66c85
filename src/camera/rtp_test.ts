import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { fromHex, toHex } from "../lib/bytes.ts";
import { parseRtp, sequenceDistance } from "./rtp.ts";

const PLAIN = "80e0000a00000064000000ff" + "6588";

Deno.test("a plain packet is read", () => {
  deepEqual(parseRtp(fromHex(PLAIN)), {
    payloadType: 96,
    marker: true,
    sequence: 10,
    timestamp: 100,
    ssrc: 255,
    payload: fromHex("6588"),
  });
});

Deno.test("contributing sources, an extension and padding are skipped", () => {
  const packet = "b1e0000a00000064000000ff" + "00000001" + "bede0001" + "00000000" + "6588" +
    "000003";
  equal(toHex(parseRtp(fromHex(packet))!.payload), "6588");
});

Deno.test("a packet cut anywhere in its head is none", () => {
  const packet = fromHex("91e0000a00000064000000ff" + "00000001" + "bede0001" + "00000000");
  for (let length = 0; length < packet.length; length++) {
    equal(parseRtp(packet.subarray(0, length)), undefined);
  }
  equal(parseRtp(packet)?.payload.length, 0);
});

Deno.test("impossible padding and foreign versions are refused", () => {
  equal(parseRtp(fromHex("a0e0000a00000064000000ff" + "6500")), undefined);
  equal(parseRtp(fromHex("a0e0000a00000064000000ff" + "6503")), undefined);
  equal(parseRtp(fromHex("40e0000a00000064000000ff" + "6588")), undefined);
});

Deno.test("random bytes never throw", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
    const packet = parseRtp(bytes);
    return packet === undefined || packet.payload.length <= bytes.length - 12;
  }));
});

Deno.test("sequence numbers are compared on the circle", () => {
  equal(sequenceDistance(0, 65_535), 1);
  equal(sequenceDistance(65_535, 0), -1);
  equal(sequenceDistance(40_000, 10_000), 30_000);
});
