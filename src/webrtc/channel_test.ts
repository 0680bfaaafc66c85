import assert from "node:assert/strict";
import { DataChannel, MAX_AHEAD_BYTES, MIN_AHEAD_BYTES } from "./channel.ts";

/** A channel on a path of this many bytes per ms, and what it is told. */
function open(bandwidth: number) {
  const path = { bandwidth, waiting: 0, lows: 0, paused: [] as string[] };
  const channel = new DataChannel(1, {
    label: "bulk",
    outlet: {
      send: (_id, bytes) => path.waiting += bytes.length,
      bufferedAmount: () => path.waiting,
      bandwidth: () => path.bandwidth,
      pause: (id) => path.paused.push(`pause ${id}`),
      resume: (id) => path.paused.push(`resume ${id}`),
      early: () => [],
    },
  });
  channel.listen({ open() {}, message() {}, low: () => path.lows++, close() {} });
  channel.open();
  /** Sends until there is no room. */
  const fill = () => {
    while (channel.room > 0) channel.send(new Uint8Array(8192));
    return path.waiting;
  };
  const leave = (bytes: number) => {
    path.waiting -= Math.min(bytes, path.waiting);
    channel.tellLow();
  };
  return { path, channel, fill, leave };
}

Deno.test("a channel takes some milliseconds of its path ahead, within bounds", () => {
  assert.equal(open(0).fill(), MIN_AHEAD_BYTES, "nothing is known yet");
  assert.equal(open(1250).fill(), MIN_AHEAD_BYTES, "10 Mbit/s");
  const fast = open(12_500).fill();
  assert(fast > 12_500 * 4 && fast < 12_500 * 10, `100 Mbit/s: ${fast}`);
  assert.equal(open(1e6).fill(), MAX_AHEAD_BYTES);
});

Deno.test("who has filled it is told once when half of it has left", () => {
  const { path, fill, leave } = open(12_500);
  const filled = fill();
  leave(filled / 4);
  assert.equal(path.lows, 0);
  leave(filled / 4 + 4096);
  assert.equal(path.lows, 1);
  leave(4096);
  assert.equal(path.lows, 1);
  fill();
  leave(filled);
  assert.equal(path.lows, 2);
});

Deno.test("whoever finds no room is told, however the path changes", () => {
  for (const before of [0, 1250, 12_500, 1e6]) {
    for (const after of [0, 1250, 12_500, 1e6]) {
      const { path, fill, leave } = open(before);
      fill();
      path.bandwidth = after;
      leave(path.waiting);
      assert.equal(path.lows, 1, `${before} to ${after} bytes per ms`);
    }
  }
});

Deno.test("a path that becomes slow while little waits does not leave its owner waiting for ever", () => {
  const { path, channel, leave } = open(1e6);
  for (let sent = 0; sent < 4; sent++) channel.send(new Uint8Array(8192));
  path.bandwidth = 1250;
  assert(channel.room < 0);
  leave(32_768);
  assert.equal(path.lows, 1);
});

Deno.test("an owner can hold its own stream back", () => {
  const { path, channel } = open(0);
  channel.pause();
  channel.resume();
  assert.deepEqual(path.paused, ["pause 1", "resume 1"]);
});
