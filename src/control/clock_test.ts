import assert from "node:assert/strict";
import { MAX_TTL_SECONDS } from "../trust/grant.ts";
import { MAX_TIME } from "../trust/token.ts";
import {
  DeviceClock,
  KEEP_EVERY_SECONDS,
  LATEST,
  MAX_AHEAD_SECONDS,
  MAX_ATTESTED_SECONDS,
} from "./clock.ts";

const NOW = Date.UTC(2027, 5, 1) / 1000;
const YEAR = 365 * 24 * 3600;

/** Clocks of a machine, and what it keeps on disk. */
class Machine {
  monotonic = 77_000;
  system = NOW;
  synchronised = false;
  looks = 0;
  writes = 0;
  floor = 0;

  clock(options: { mode?: "auto" | "system"; builtAt?: number } = {}): DeviceClock {
    return new DeviceClock({
      mode: "auto",
      records: {
        timeFloor: () => this.floor,
        raiseTimeFloor: (to) => {
          this.writes++;
          this.floor = Math.max(this.floor, to);
        },
      },
      monotonic: () => this.monotonic,
      system: () => this.system * 1000,
      isSynchronised: () => {
        this.looks++;
        return this.synchronised;
      },
      ...options,
    });
  }

  pass(seconds: number): void {
    this.monotonic += seconds * 1000;
    this.system += seconds;
  }
}

Deno.test("clock takes the system's time once a time service keeps it right, and looks every 10 s", () => {
  const machine = new Machine();
  const clock = machine.clock();
  assert.equal(clock.knowledge(), "unknown");
  assert.equal(clock.now(), NOW);
  machine.synchronised = true;
  machine.pass(9);
  assert.equal(clock.knowledge(), "unknown");
  machine.pass(1);
  assert.equal(clock.knowledge(), "synchronised");
  assert.equal(clock.now(), NOW + 10);
  assert.equal(clock.lowerBound(), NOW + 10);
  assert.equal(machine.looks, 2);
});

Deno.test("clock believes the system at once where the configuration says so", () => {
  const machine = new Machine();
  assert.equal(machine.clock({ mode: "system" }).knowledge(), "synchronised");
  assert.equal(machine.looks, 0);
});

Deno.test("clock never goes below build time and what was kept, and runs on from there", () => {
  const machine = new Machine();
  machine.system = 0;
  const built = machine.clock({ builtAt: NOW - YEAR });
  assert.equal(built.now(), NOW - YEAR);
  machine.floor = NOW;
  const kept = machine.clock({ builtAt: NOW - YEAR });
  assert.equal(kept.now(), NOW);
  machine.pass(24 * 3600);
  assert.equal(kept.now(), NOW + 24 * 3600 - 44, "a little slower, so that it stays a lower bound");
  assert.equal(kept.knowledge(), "unknown");
});

Deno.test("clock does not believe a system that is back in 2000 or in 2099, whoever vouches for it", () => {
  for (const year of [2000, 2099]) {
    for (const mode of ["auto", "system"] as const) {
      const machine = new Machine();
      Object.assign(machine, { floor: NOW, synchronised: true });
      machine.system = Date.UTC(year, 0, 1) / 1000;
      const clock = machine.clock({ mode });
      assert.equal(clock.knowledge(), "unknown", `${year} ${mode}`);
      assert.equal(clock.lowerBound(), NOW);
      clock.keep("now");
      assert.equal(machine.floor, NOW);
    }
  }
});

Deno.test("clock takes the time from an owner when it has none, and no other then", () => {
  const machine = new Machine();
  machine.system = Date.UTC(2099, 0, 1) / 1000;
  machine.floor = NOW - YEAR;
  const clock = machine.clock();
  clock.attest(NOW);
  assert.equal(clock.knowledge(), "attested");
  assert.equal(clock.now(), NOW, "not what the system says");
  assert.equal(machine.floor, NOW, "and it is kept at once");
  machine.pass(60);
  assert.equal(clock.now(), NOW + 60);
  clock.attest(NOW + 30);
  assert.equal(clock.now(), NOW + 60, "an owner who is a little behind takes nothing back");
  clock.attest(NOW + 120);
  assert.equal(clock.now(), NOW + 120);
});

Deno.test("clock passes over an owner's time that is impossible, and any where the time is known", () => {
  const machine = new Machine();
  machine.floor = NOW;
  const clock = machine.clock();
  clock.attest(Date.UTC(2025, 11, 31) / 1000);
  clock.attest(NOW + MAX_AHEAD_SECONDS + 1);
  assert.equal(clock.knowledge(), "unknown");
  machine.synchronised = true;
  machine.pass(10);
  clock.attest(NOW + YEAR);
  assert.equal(clock.knowledge(), "synchronised");
  assert.equal(clock.now(), NOW + 10);
});

Deno.test("clock knows nothing after a restart but what was kept", () => {
  const machine = new Machine();
  machine.floor = NOW - YEAR;
  machine.clock().attest(NOW + 100);
  const clock = machine.clock();
  assert.equal(clock.knowledge(), "unknown");
  assert.equal(clock.lowerBound(), NOW + 100);
});

Deno.test("clock writes once an hour, or when it is asked to", () => {
  const machine = new Machine();
  machine.synchronised = true;
  const clock = machine.clock();
  clock.keep();
  assert.equal(machine.writes, 1);
  machine.pass(KEEP_EVERY_SECONDS - 1);
  clock.keep();
  assert.equal(machine.writes, 1);
  clock.keep("now");
  assert.equal(machine.writes, 2);
  assert.equal(machine.floor, machine.system);
  clock.keep("now");
  assert.equal(machine.writes, 2, "nothing is new");
});

Deno.test("clock keeps no more of what owners say than 400 days, however many say it", () => {
  const machine = new Machine();
  machine.floor = NOW;
  const clock = machine.clock();
  for (let years = 1; years <= 20; years++) clock.attest(NOW + years * YEAR);
  clock.keep("now");
  assert.equal(machine.floor, NOW + MAX_ATTESTED_SECONDS);
  assert.equal(clock.lowerBound(), NOW + MAX_ATTESTED_SECONDS);
  machine.pass(2000);
  clock.attest(NOW + 9 * YEAR);
  assert.equal(clock.lowerBound(), NOW + MAX_ATTESTED_SECONDS + 1999, "and what passes meanwhile");
});

Deno.test("clock believes a later owner who says that the one before was years ahead", () => {
  const machine = new Machine();
  machine.floor = NOW;
  const clock = machine.clock();
  clock.attest(NOW + 9 * YEAR);
  assert.equal(clock.now(), NOW + 9 * YEAR);
  clock.attest(NOW + 2 * YEAR);
  assert.equal(clock.now(), NOW + 2 * YEAR);
  clock.attest(NOW);
  assert.equal(clock.now(), NOW + 2 * YEAR, "but not one who is behind what is certain");
});

Deno.test("clock that is ahead by mistake lets a right one be known, and goes on with its bound", () => {
  const machine = new Machine();
  machine.floor = NOW + YEAR;
  const attested = machine.clock();
  attested.attest(NOW);
  assert.equal(attested.knowledge(), "attested");
  assert.equal(attested.now(), NOW + YEAR);
  machine.synchronised = true;
  const synchronised = machine.clock();
  assert.equal(synchronised.knowledge(), "synchronised");
  assert.equal(synchronised.now(), NOW + YEAR);
  synchronised.attest(NOW + 2 * YEAR);
  assert.equal(synchronised.now(), NOW + YEAR, "no owner is asked any more");
});

Deno.test("clock ends early enough for grants that are made at the end", () => {
  assert.ok(LATEST + MAX_TTL_SECONDS < MAX_TIME);
  const machine = new Machine();
  machine.floor = LATEST - 60;
  const clock = machine.clock();
  clock.attest(MAX_TIME);
  machine.pass(300);
  assert.equal(clock.now(), LATEST);
  clock.keep("now");
  assert.equal(machine.floor, LATEST);
  machine.system = MAX_TIME + YEAR;
  assert.equal(machine.clock().now(), LATEST, "though the system says more");
});
