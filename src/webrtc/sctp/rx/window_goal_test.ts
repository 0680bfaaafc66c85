import assert from "node:assert/strict";
import { MIN_GOAL_BYTES, WindowGoal } from "./window_goal.ts";

const RTT = 50;

Deno.test("a sender that doubles each round trip is never held back", () => {
  const goal = new WindowGoal();
  let flight = 12_000;
  for (let now = 0; flight < 1e6; now += RTT, flight *= 2) {
    assert(goal.bytes >= flight, `${flight} bytes at ${now} ms`);
    goal.note(now, flight, RTT);
  }
});

Deno.test("who gets little done is told what its socket holds", () => {
  const goal = new WindowGoal();
  goal.note(0, 1e6, RTT);
  assert(goal.bytes > 1e6);
  for (let now = RTT; now <= 4 * RTT; now += RTT) goal.note(now, 1000, RTT);
  assert.equal(goal.bytes, MIN_GOAL_BYTES);
});

Deno.test("a pause between two lumps changes nothing", () => {
  const goal = new WindowGoal();
  goal.note(0, 1e6, RTT);
  goal.note(10_000, 1000, RTT);
  assert.equal(goal.bytes, 2e6);
});
