import assert from "node:assert/strict";
import {
  LOOK_MS,
  PATH_LIMIT_MS,
  PATH_SILENCE_MS,
  PROBE_SILENCE_MS,
  Supervisor,
} from "./supervisor.ts";

interface Watched {
  /** When the path first counted as lost. */
  readonly silentAt: number | undefined;
  readonly lostAt: number | undefined;
  readonly pings: number;
}

/** Looks until it is given up. */
function watch(
  supervisor: Supervisor,
  { from = 0, to, heardAt }: { from?: number; to: number; heardAt: (now: number) => number },
): Watched {
  let [pings, lastId] = [0, 0];
  let silentAt: number | undefined;
  for (let now = from; now <= to; now += LOOK_MS) {
    const step = supervisor.look(now, heardAt(now));
    if (step === "lost") return { silentAt, lostAt: now, pings };
    if (supervisor.silentMs > 0) silentAt ??= now;
    if (step === "wait") continue;
    assert.notEqual(step.ping, lastId);
    lastId = step.ping;
    pings++;
  }
  return { silentAt, lostAt: undefined, pings };
}

Deno.test("a path that answers is left alone, with a ping a second", () => {
  const { silentAt, lostAt, pings } = watch(new Supervisor(), {
    to: 59_500,
    heardAt: (now) => now - 900,
  });
  assert.equal(lostAt, undefined);
  assert.equal(silentAt, undefined);
  assert.equal(pings, 60);
});

Deno.test("a dead path is seen within three seconds, whenever it died, and given up after thirty", () => {
  for (let diedAt = 10_000; diedAt < 11_000; diedAt += 50) {
    const { silentAt, lostAt } = watch(new Supervisor(), {
      to: 60_000,
      heardAt: (now) => Math.min(now, diedAt),
    });
    assert.ok(silentAt !== undefined && silentAt - diedAt <= PATH_SILENCE_MS + LOOK_MS);
    assert.ok(silentAt - diedAt <= 3000);
    assert.ok(lostAt !== undefined && lostAt - diedAt >= PATH_LIMIT_MS);
    assert.ok(lostAt - diedAt <= PATH_LIMIT_MS + LOOK_MS);
  }
});

Deno.test("a path that comes back in time is not lost any more, and has its thirty seconds again", () => {
  const supervisor = new Supervisor();
  const away = watch(supervisor, { to: 29_000, heardAt: () => 0 });
  assert.equal(away.lostAt, undefined);
  assert.equal(away.silentAt, PATH_SILENCE_MS);
  assert.equal(supervisor.isSilent, true);
  supervisor.look(29_500, 29_400);
  assert.equal(supervisor.silentMs, 0);
  assert.equal(supervisor.isSilent, false);
  const { lostAt } = watch(supervisor, { from: 30_000, to: 90_000, heardAt: () => 29_400 });
  assert.equal(lostAt, 29_500 + PATH_LIMIT_MS);
});

Deno.test("silence is worth a question before it means that the path is lost", () => {
  const supervisor = new Supervisor();
  supervisor.look(0, 0);
  for (let now = LOOK_MS; now < PATH_SILENCE_MS; now += LOOK_MS) {
    supervisor.look(now, 0);
    assert.equal(supervisor.isSilent, now >= PROBE_SILENCE_MS);
    assert.equal(supervisor.silentMs, 0);
  }
});

Deno.test("a path that never said anything is given up as well", () => {
  const { lostAt } = watch(new Supervisor(), { from: 5000, to: 60_000, heardAt: () => -Infinity });
  assert.equal(lostAt, 5000 + PATH_LIMIT_MS);
});

Deno.test("a process that slept gives the path its time again", () => {
  const supervisor = new Supervisor();
  watch(supervisor, { to: 5000, heardAt: (now) => now });
  const { silentAt, lostAt } = watch(supervisor, {
    from: 65_000,
    to: 120_000,
    heardAt: () => 5000,
  });
  assert.equal(silentAt, 65_000 + PATH_SILENCE_MS);
  assert.equal(lostAt, 65_000 + PATH_LIMIT_MS);
});
