import assert from "node:assert/strict";
import { LOOK_MS, PATH_SILENCE_MS, Supervisor } from "./supervisor.ts";

/** Looks until it is given up; gives when that was, and how many pings went out. */
function watch(
  supervisor: Supervisor,
  { from = 0, to, heardAt }: { from?: number; to: number; heardAt: (now: number) => number },
): { lostAt: number | undefined; pings: number } {
  let [pings, lastId] = [0, 0];
  for (let now = from; now <= to; now += LOOK_MS) {
    const step = supervisor.look(now, heardAt(now));
    if (step === "lost") return { lostAt: now, pings };
    if (step === "wait") continue;
    assert.notEqual(step.ping, lastId);
    lastId = step.ping;
    pings++;
  }
  return { lostAt: undefined, pings };
}

Deno.test("a path that answers is left alone, with a ping a second", () => {
  const { lostAt, pings } = watch(new Supervisor(), { to: 59_500, heardAt: (now) => now - 900 });
  assert.equal(lostAt, undefined);
  assert.equal(pings, 60);
});

Deno.test("a dead path is seen within three seconds, whenever it died", () => {
  for (let diedAt = 10_000; diedAt < 11_000; diedAt += 50) {
    const { lostAt } = watch(new Supervisor(), {
      to: 60_000,
      heardAt: (now) => Math.min(now, diedAt),
    });
    assert.ok(lostAt !== undefined && lostAt - diedAt <= PATH_SILENCE_MS + LOOK_MS);
    assert.ok(lostAt - diedAt <= 3000);
  }
});

Deno.test("a path that never said anything is given up as well", () => {
  const { lostAt } = watch(new Supervisor(), { from: 5000, to: 60_000, heardAt: () => -Infinity });
  assert.equal(lostAt, 5000 + PATH_SILENCE_MS);
});

Deno.test("a process that slept gives the path its time again", () => {
  const supervisor = new Supervisor();
  watch(supervisor, { to: 5000, heardAt: (now) => now });
  const { lostAt } = watch(supervisor, { from: 65_000, to: 90_000, heardAt: () => 5000 });
  assert.equal(lostAt, 65_000 + PATH_SILENCE_MS);
});
