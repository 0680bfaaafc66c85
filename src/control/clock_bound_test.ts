import assert from "node:assert/strict";
import { DeviceClock } from "./clock.ts";

const NOW = Date.UTC(2027, 5, 1) / 1000;

Deno.test("clock's lower bound does not follow a system that is set back a little", () => {
  let system = NOW;
  const clock = new DeviceClock({
    mode: "system",
    records: { timeFloor: () => 0, raiseTimeFloor() {} },
    monotonic: () => 1000,
    system: () => system * 1000,
  });
  assert.equal(clock.knowledge(), "synchronised");
  assert.equal(clock.lowerBound(), NOW);
  system -= 200;
  assert.equal(clock.knowledge(), "synchronised");
  assert.equal(clock.lowerBound(), NOW);
  assert.equal(clock.now(), NOW);
});
