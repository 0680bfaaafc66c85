import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { SYSTEM_CLOCK } from "./clock.ts";
import { ExecSource } from "./exec.ts";
import { OUTPUT_LIMIT_MS, TERM_LIMIT_MS } from "./program.ts";
import { FakeClock } from "./fake_clock_test.ts";
import { type AccessUnit, CameraError } from "./source.ts";

const CLIP = fileURLToPath(new URL("./test_clip.h264", import.meta.url));

async function failure(command: readonly string[]): Promise<CameraError> {
  const run = new ExecSource(command).run({ unit() {} }, new AbortController().signal);
  const error = await run.then(() => undefined, (reason) => reason);
  ok(error instanceof CameraError);
  return error;
}

Deno.test("what a program writes comes as access units, the last one excepted", async () => {
  const units: AccessUnit[] = [];
  const source = new ExecSource(["cat", CLIP]);
  const run = source.run({ unit: (unit) => units.push(unit) }, new AbortController().signal);
  await rejects(run, { code: "ended" });
  equal(units.length, 119);
  deepEqual(units.flatMap((unit, i) => unit.keyFrame ? [i] : []), [0, 30, 60, 90]);
});

Deno.test("a program that fails is broken, with its last words but no password", async () => {
  const words = "echo first >&2; echo 'rtsp://u:hunter2@cam/: no route' >&2; exit 3";
  const error = await failure(["sh", "-c", words]);
  equal(error.code, "broken");
  match(error.message, /ended with 3: …@cam\/: no route$/);
});

Deno.test("a program that does not exist is named as such", async () => {
  const error = await failure(["/nonexistent/porthole-camera"]);
  equal(error.code, "broken");
  match(error.message, /no such program/);
});

Deno.test("a program that writes anything but H.264 is ended at the limit", async () => {
  const error = await failure([
    "sh",
    "-c",
    "printf '\\000\\000\\001'; exec tr '\\000' x < /dev/zero",
  ]);
  match(error.message, /no start code/);
});

/** Starts a program that says `ready` as a picture, and gives its run. */
function start(script: string, clock = SYSTEM_CLOCK) {
  const stop = new AbortController();
  const seen = Promise.withResolvers<void>();
  const source = new ExecSource([
    "sh",
    "-c",
    `${script}; cat '${CLIP}'; while :; do sleep 0.05; done`,
  ], clock);
  const run = source.run({ unit: () => seen.resolve() }, stop.signal);
  return { run, stop, seen: seen.promise };
}

Deno.test("abort ends the program", async () => {
  const { run, stop, seen } = start(":");
  await seen;
  stop.abort();
  await run;
});

Deno.test("a program that does not listen is killed after its time", async () => {
  const clock = new FakeClock();
  const { run, stop, seen } = start("trap '' TERM", clock);
  await seen;
  stop.abort();
  await clock.pass(TERM_LIMIT_MS - 1);
  equal(clock.waiting, 1, "it has its time");
  await clock.pass(1);
  await run;
});

Deno.test("what a program has started ends with it", async () => {
  const lock = await Deno.makeTempFile();
  const { run, stop, seen } = start(`flock '${lock}' sleep 1000 & sleep 0.2`);
  await seen;
  stop.abort();
  await run;
  // Resolves as soon as nobody holds the lock any more.
  const free = await new Deno.Command("flock", { args: ["-w", "30", lock, "true"] }).output();
  ok(free.success);
  await Deno.remove(lock);
});

Deno.test("a program that goes silent is broken", async () => {
  const clock = new FakeClock();
  const { run, seen } = start(":", clock);
  await seen;
  const ended = rejects(run, { code: "broken", message: /wrote nothing/ });
  await clock.pass(OUTPUT_LIMIT_MS);
  await ended;
});
