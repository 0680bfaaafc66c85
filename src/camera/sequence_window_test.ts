import { deepEqual } from "node:assert/strict";
import type { RtpPacket } from "./rtp.ts";
import { REORDER_MS, REORDER_PACKETS, SequenceWindow } from "./sequence_window.ts";

function packet(sequence: number): RtpPacket {
  return {
    payloadType: 96,
    marker: false,
    sequence: sequence & 0xffff,
    timestamp: 0,
    ssrc: 1,
    payload: new Uint8Array(1),
  };
}

function receive(
  window: SequenceWindow,
  arrivals: readonly (readonly [number, number])[],
): number[] {
  return arrivals.flatMap(([now, sequence]) => window.push(now, packet(sequence)))
    .map((one) => one.sequence);
}

Deno.test("packets overtaken around the wrap come out in order, once", () => {
  const window = new SequenceWindow(REORDER_PACKETS);
  const arrivals = [65_534, 0, 65_535, 65_535, 2, 1, 0, 3].map((sequence) =>
    [0, sequence] as const
  );
  deepEqual(receive(window, arrivals), [65_534, 65_535, 0, 1, 2, 3]);
});

Deno.test("a missing packet is given up after its time", () => {
  const window = new SequenceWindow(REORDER_PACKETS);
  deepEqual(receive(window, [[0, 1], [1, 3], [1 + REORDER_MS, 4]]), [1]);
  deepEqual(receive(window, [[2 + REORDER_MS, 5]]), [3, 4, 5]);
});

Deno.test("no more packets wait than the window holds", () => {
  const window = new SequenceWindow(2);
  deepEqual(receive(window, [[0, 1], [0, 3], [0, 5], [0, 6]]), [1, 3]);
  deepEqual(receive(window, [[0, 7]]), [5, 6, 7]);
});

Deno.test("without a window nothing waits", () => {
  const window = new SequenceWindow(0);
  deepEqual(receive(window, [[0, 1], [0, 3], [0, 2], [0, 4]]), [1, 3, 4]);
});

Deno.test("a sender that starts afresh is followed after some packets", () => {
  const window = new SequenceWindow(REORDER_PACKETS);
  const afresh = Array.from({ length: 20 }, (_, i) => [0, 100 + i] as const);
  deepEqual(receive(window, [[0, 5000], ...afresh]), [5000, 115, 116, 117, 118, 119]);
});
