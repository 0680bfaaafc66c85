import assert from "node:assert/strict";
import { HEARTBEAT } from "../packet/chunk.ts";
import { BASE_PACKET_BYTES, Heartbeats } from "./heartbeats.ts";

const WAIT = 200;

function make() {
  let seed = 1;
  return new Heartbeats(0, () => seed++);
}

/** Lets time pass; a path with this limit answers each heartbeat that fits. */
function run(heartbeats: Heartbeats, until: number, pathBytes: number) {
  const sizes: number[] = [];
  let now = 0;
  for (let at = heartbeats.deadline; at <= until; at = heartbeats.deadline) {
    now = at;
    const chunks = heartbeats.tick(now, WAIT);
    if (chunks === "dead") return { sizes, deadAt: now };
    for (const chunk of chunks) {
      assert.equal(chunk[0], HEARTBEAT);
      sizes.push(chunk.length + 12);
      if (chunk.length + 12 > pathBytes) continue;
      heartbeats.takeAck(now + 50, chunk, { at: 4, end: chunk.length });
      heartbeats.noteActivity(now + 50);
    }
  }
  return { sizes, deadAt: undefined };
}

Deno.test("the largest size that the path answers is used (RFC 8899)", () => {
  const wide = make();
  assert.deepEqual(run(wide, 10_000, 1500).sizes, [1400]);
  assert.equal(wide.packetBytes, 1400);
  const narrow = make();
  assert.deepEqual(run(narrow, 20_000, 1350).sizes, [1400, 1400, 1400, 1300]);
  assert.equal(narrow.packetBytes, 1300);
});

Deno.test("a path that carries no more is asked again after ten minutes", () => {
  const heartbeats = make();
  run(heartbeats, 20_000, 1200);
  assert.equal(heartbeats.packetBytes, BASE_PACKET_BYTES);
  const { sizes } = run(heartbeats, 650_000, 1500);
  assert.equal(sizes.filter((size) => size === 1400).length, 1);
  assert.equal(heartbeats.packetBytes, 1400);
});

Deno.test("a path that goes dead is taken for one that has become smaller", () => {
  const heartbeats = make();
  run(heartbeats, 10_000, 1500);
  heartbeats.distrustSize(10_000);
  assert.equal(heartbeats.packetBytes, BASE_PACKET_BYTES);
});

Deno.test("an idle peer is asked after 30 s, and is gone when it does not answer (RFC 9260 8.3)", () => {
  const { sizes, deadAt } = run(make(), 600_000, 0);
  assert.equal(sizes.filter((size) => size === 28).length, 5);
  assert(deadAt! > 30_000 && deadAt! < 60_000);
});

Deno.test("an answer that nobody asked for proves nothing", () => {
  const heartbeats = make();
  const [probe] = heartbeats.tick(0, WAIT) as Uint8Array[];
  const forged = probe!.slice();
  forged[8]! ^= 1;
  heartbeats.takeAck(1, forged, { at: 4, end: forged.length });
  heartbeats.takeAck(1, forged, { at: 4, end: 10 });
  assert.equal(heartbeats.packetBytes, BASE_PACKET_BYTES);
});
