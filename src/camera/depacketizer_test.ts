import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { fromHex } from "../lib/bytes.ts";
import { Depacketizer } from "./depacketizer.ts";
import type { RtpPacket } from "./rtp.ts";
import type { AccessUnit } from "./source.ts";

const IDR = "658811";
const SLICE = "619a22";

interface Sent {
  readonly sequence: number;
  readonly payload: string;
  readonly timestamp?: number;
  readonly marker?: boolean;
}

function packet({ sequence, payload, timestamp = 0, marker = false }: Sent): RtpPacket {
  return { payloadType: 96, marker, sequence, timestamp, ssrc: 1, payload: fromHex(payload) };
}

function receive(sent: readonly Sent[]): AccessUnit[] {
  const depacketizer = new Depacketizer();
  return sent.flatMap((one) => depacketizer.push(packet(one)));
}

function shown(units: readonly AccessUnit[]): number[] {
  return units.map((unit) => unit.timestamp);
}

Deno.test("a marker completes a picture", () => {
  const [unit, ...rest] = receive([{ sequence: 9, payload: IDR, timestamp: 5, marker: true }]);
  deepEqual(unit, { nals: [fromHex(IDR)], timestamp: 5, keyFrame: true });
  equal(rest.length, 0);
});

Deno.test("a new timestamp completes a picture whose marker is missing", () => {
  const units = receive([
    { sequence: 1, payload: IDR, timestamp: 5 },
    { sequence: 2, payload: SLICE, timestamp: 6 },
  ]);
  deepEqual(shown(units), [5]);
});

Deno.test("parameter sets under a marker of their own belong to the picture that follows", () => {
  const units = receive([
    { sequence: 1, payload: "6742c01f", timestamp: 4, marker: true },
    { sequence: 2, payload: "68ce", timestamp: 4, marker: true },
    { sequence: 3, payload: IDR, timestamp: 5, marker: true },
  ]);
  deepEqual(units.map((unit) => unit.nals.length), [3]);
});

Deno.test("pictures before the first key frame are dropped", () => {
  const units = receive([
    { sequence: 1, payload: SLICE, timestamp: 1, marker: true },
    { sequence: 2, payload: IDR, timestamp: 2, marker: true },
    { sequence: 3, payload: SLICE, timestamp: 3, marker: true },
  ]);
  deepEqual(shown(units), [2, 3]);
});

Deno.test("after a lost packet nothing comes up to the next whole key frame", () => {
  const units = receive([
    { sequence: 65_534, payload: IDR, timestamp: 1, marker: true },
    { sequence: 65_535, payload: SLICE, timestamp: 2, marker: true },
    { sequence: 1, payload: SLICE, timestamp: 4, marker: true }, // 0 is lost
    { sequence: 2, payload: SLICE, timestamp: 5, marker: true },
    { sequence: 4, payload: "651122", timestamp: 6, marker: true }, // 3, its first slice, is lost
    { sequence: 5, payload: IDR, timestamp: 7, marker: true },
    { sequence: 6, payload: SLICE, timestamp: 8, marker: true },
  ]);
  deepEqual(shown(units), [1, 2, 7, 8]);
});

Deno.test("a lost fragment costs its picture and no other key frame", () => {
  const units = receive([
    { sequence: 1, payload: "7c8588aa", timestamp: 1 },
    { sequence: 3, payload: "7c45cc", timestamp: 1, marker: true },
    { sequence: 4, payload: IDR, timestamp: 2, marker: true },
  ]);
  deepEqual(shown(units), [2]);
});

Deno.test("fragments are joined under their own type", () => {
  const [unit] = receive([
    { sequence: 1, payload: "7c8588aa", timestamp: 1 },
    { sequence: 2, payload: "7c05bb", timestamp: 1 },
    { sequence: 3, payload: "7c45cc", timestamp: 1, marker: true },
  ]);
  deepEqual(unit?.nals, [fromHex("6588aabbcc")]);
});

Deno.test("a broken aggregate, fragment or reserved type costs the picture, then it goes on", () => {
  for (
    const payload of ["78000865", "7800", "780000", "7c", "7c85", "7c4588", "7c0588", "1e00", "00"]
  ) {
    const units = receive([
      { sequence: 1, payload, timestamp: 1 },
      { sequence: 2, payload: IDR, timestamp: 1, marker: true },
      { sequence: 3, payload: IDR, timestamp: 2, marker: true },
    ]);
    deepEqual(shown(units), [2], payload);
  }
});

Deno.test("the interleaved mode is refused by name", () => {
  const names = [["19", "STAP-B"], ["1a", "MTAP16"], ["1b", "MTAP24"], ["1d", "FU-B"]] as const;
  for (const [payload, name] of names) {
    throws(() => receive([{ sequence: 1, payload }]), {
      code: "unsupported",
      message: RegExp(name),
    });
  }
});

Deno.test("a picture that never ends is let go at the limit", () => {
  const depacketizer = new Depacketizer();
  const payload = new Uint8Array(60_000).fill(1);
  payload.set([0x7c, 0x85]);
  for (let sequence = 0; sequence < 300; sequence++) {
    depacketizer.push({ ...packet({ sequence, payload: "" }), payload: payload.slice() });
    payload.set([0x7c, 0x05]);
  }
  equal(depacketizer.push(packet({ sequence: 300, payload: "7c4500", marker: true })).length, 0);
  equal(
    depacketizer.push(packet({ sequence: 301, payload: IDR, timestamp: 1, marker: true })).length,
    1,
  );
});

Deno.test("random payloads never throw anything but a refusal, and give whole units", () => {
  const payload = fc.uint8Array({ maxLength: 20 });
  const packets = fc.array(fc.record({ payload, marker: fc.boolean(), step: fc.nat(2) }));
  fc.assert(fc.property(packets, (sent) => {
    const depacketizer = new Depacketizer();
    let sequence = 0;
    for (const { payload, marker, step } of sent) {
      if ([25, 26, 27, 29].includes((payload[0] ?? 0) & 0x1f)) continue;
      sequence += step;
      const units = depacketizer.push({ ...packet({ sequence, payload: "" }), payload, marker });
      if (
        units.some((unit) => unit.nals.length === 0 || unit.nals.some((nal) => nal.length === 0))
      ) {
        return false;
      }
    }
    return true;
  }));
});
