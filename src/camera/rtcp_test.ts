import { equal } from "node:assert/strict";
import { fromHex, toHex } from "../lib/bytes.ts";
import { Reception } from "./rtcp.ts";
import type { RtpPacket } from "./rtp.ts";

function packet(sequence: number, timestamp = 0): RtpPacket {
  return {
    payloadType: 96,
    marker: false,
    sequence,
    timestamp,
    ssrc: 0xabcd,
    payload: new Uint8Array(),
  };
}

Deno.test("a report names what was lost and when the camera's own report came", () => {
  const reception = new Reception(packet(65_535));
  for (const sequence of [65_535, 0, 2]) reception.take(0, packet(sequence));
  reception.takeControl(
    1000,
    fromHex("80c80006" + "0000abcd" + "0000111122223333" + "00".repeat(12)),
  );
  const report = toHex(reception.receiverReport(1500, 7));
  const block = "0000abcd" + "40000001" + "00010002" + "00000000" + "11112222" + "00008000";
  const names = "81ca0004" + "00000007" + "0108706f7274686f6c65" + "0000";
  equal(report, "81c90007" + "00000007" + block + names);
});

Deno.test("reports of others and cut ones are ignored", () => {
  const reception = new Reception(packet(1));
  reception.take(0, packet(1));
  const other = fromHex("80c80006" + "0000abce" + "0000111122223333" + "00".repeat(12));
  for (let length = 0; length <= other.length; length++) {
    reception.takeControl(5, other.subarray(0, length));
  }
  equal(toHex(reception.receiverReport(9, 7)).slice(48, 64), "0".repeat(16));
});
