import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import type { RtpHeader } from "werift";
import {
  HISTORY_MS,
  MAX_HISTORY_BYTES,
  MAX_HISTORY_PACKETS,
  ntpTime,
  type Report,
  RtpStream,
} from "./rtp_stream.ts";

const TYPES = { payloadType: 96, rtx: 97 };

function stream() {
  const sent: { header: RtpHeader; payload: Buffer }[] = [];
  const reports: Report[] = [];
  const wire = {
    rtp: (header: RtpHeader, payload: Buffer) => void sent.push({ header, payload }),
    rtcp: (report: Report) => void reports.push(report),
  };
  return { stream: new RtpStream({ ssrc: 1, rtxSsrc: 2, cname: "me", wire }), sent, reports };
}

function frame(count: number, timestamp = 0, bytes = 1000) {
  const payloads = Array.from({ length: count }, (_, i) => new Uint8Array(bytes).fill(i));
  return { payloads, timestamp, ends: true };
}

Deno.test("packets are numbered without gaps over the wrap, and the last of a frame is marked", () => {
  const { stream: rtp, sent } = stream();
  for (let i = 0; i < 7000; i++) rtp.send(i, frame(10, i * 3000), TYPES);
  sent.forEach(({ header }, index) => {
    const before = sent[index - 1]?.header.sequenceNumber;
    if (before !== undefined) assert.equal(header.sequenceNumber, (before + 1) & 0xffff);
    assert.equal(header.marker, index % 10 === 9);
  });
  assert.ok(sent[0]!.header.sequenceNumber < 0x8000);
  assert.equal(sent[0]!.header.ssrc, 1);
});

Deno.test("a packet of the last second is sent again with its number in front, an older one is not", () => {
  const { stream: rtp, sent } = stream();
  for (let i = 0; i < 200; i++) rtp.send(i * 10, frame(10), TYPES); // 1000 packets a second
  const old = sent.length - (HISTORY_MS / 10 + 2) * 10;
  const wanted = sent[sent.length - 1000]!;
  const lost = [wanted.header.sequenceNumber, sent[old]!.header.sequenceNumber];
  sent.length = 0;
  rtp.repeat(2000, lost, TYPES);
  assert.equal(sent.length, 1);
  const { header, payload } = sent[0]!;
  assert.deepEqual([header.ssrc, header.payloadType, header.marker], [2, 97, wanted.header.marker]);
  assert.equal(payload.readUInt16BE(), wanted.header.sequenceNumber);
  assert.deepEqual(payload.subarray(2), wanted.payload);
  rtp.repeat(2000, [wanted.header.sequenceNumber + 1], TYPES);
  assert.equal(sent[1]!.header.sequenceNumber, (header.sequenceNumber + 1) & 0xffff);
});

Deno.test("without a type for retransmission the packet is sent as it was", () => {
  const { stream: rtp, sent } = stream();
  rtp.send(0, frame(1), TYPES);
  rtp.repeat(1, [sent[0]!.header.sequenceNumber], { payloadType: 96 });
  assert.deepEqual(sent[1], sent[0]);
});

Deno.test("asking again and again brings no flood", () => {
  const { stream: rtp, sent } = stream();
  rtp.send(0, frame(1), TYPES);
  const lost = new Array(100).fill(sent[0]!.header.sequenceNumber);
  rtp.repeat(1, lost, TYPES);
  assert.equal(sent.length, 2);
  for (let now = 0; now < 1000; now += 25) rtp.repeat(now, lost, TYPES);
  assert.ok(sent.length <= 11);
});

Deno.test("the history has a bound in packets and in bytes", () => {
  const many = stream();
  many.stream.send(0, frame(MAX_HISTORY_PACKETS + 10, 0, 1), TYPES);
  assert.equal(many.stream.historyPackets, MAX_HISTORY_PACKETS);
  const large = stream();
  large.stream.send(0, frame(100, 0, MAX_HISTORY_BYTES / 50), TYPES);
  assert.equal(large.stream.historyPackets, 50);
  large.stream.send(10_000, frame(1), TYPES);
  assert.equal(large.stream.historyPackets, 1);
});

Deno.test("a report says what has been sent, and which timestamp now is", () => {
  const { stream: rtp, reports } = stream();
  rtp.report(0, 0);
  assert.equal(reports.length, 0);
  rtp.send(100, frame(3, 0xffffffff), TYPES);
  rtp.report(110, 1_600_000_000_250);
  const [report, description] = reports[0]!;
  const { senderInfo } = report;
  assert.equal(report.ssrc, 1);
  assert.equal(senderInfo.rtpTimestamp, 899); // 10 ms later, over the wrap
  assert.deepEqual([senderInfo.packetCount, senderInfo.octetCount], [3, 3000]);
  assert.equal(senderInfo.ntpTimestamp, ntpTime(1_600_000_000_250));
  assert.equal(description.chunks[0]!.items[0]!.text, "me");
  assert.ok(report.serialize().length > 0 && description.serialize().length > 0);
});

Deno.test("NTP time has its fraction in parts of 2^32", () => {
  assert.equal(ntpTime(0), 2_208_988_800n << 32n);
  assert.equal(ntpTime(500), (2_208_988_800n << 32n) | 0x80000000n);
  assert.equal(ntpTime(1250), (2_208_988_801n << 32n) | 0x40000000n);
  assert.equal(ntpTime(999.999) & 0xffffffffn, 0xffffef39n);
});

Deno.test("packets ask for no delay where both ends know how, those sent again too", () => {
  const { stream: rtp, sent } = stream();
  const types = { ...TYPES, playoutDelay: 5 };
  rtp.send(0, frame(1), types);
  rtp.repeat(1, [sent[0]!.header.sequenceNumber], types);
  for (const { header } of sent) {
    const bytes = header.serialize(header.serializeSize);
    assert.equal(bytes.subarray(12).toString("hex"), "bede000152" + "00000a");
  }
  rtp.send(2, frame(1), TYPES);
  assert.equal(sent.at(-1)!.header.extension, false);
});
