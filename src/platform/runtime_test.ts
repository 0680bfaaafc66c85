import assert from "node:assert/strict";
import process from "node:process";
import { currentRuntime, demandAbleRuntime, listenForStop } from "./runtime.ts";

Deno.test("the runtime is named with its own version", () => {
  assert.deepEqual(currentRuntime(), {
    name: "deno",
    version: Deno.version.deno,
    arch: process.arch,
    sqlite: true,
  });
});

Deno.test("a runtime without SQLite is refused with the remedy", () => {
  demandAbleRuntime();
  const old = { name: "node", version: "20.11.0", arch: "arm", sqlite: false } as const;
  assert.throws(() => demandAbleRuntime(old), {
    message: /^Cannot run on node 20\.11\.0: it has no node:sqlite; .*22\.13/,
  });
});

/** Deno ends its own wait for the next signal a moment after the last listener went, outside any test's control. */
const OWN_SIGNALS = { sanitizeOps: false };

Deno.test("SIGTERM asks for the end once, and listening ends with it", OWN_SIGNALS, async () => {
  using stop = listenForStop();
  assert.equal(stop.signal.aborted, false);
  const awake = setInterval(() => {}, 1000); // waiting for a signal alone keeps no process alive
  const aborted = new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
  process.kill(process.pid, "SIGTERM");
  await aborted;
  clearInterval(awake);
  assert.equal(stop.signal.reason, "SIGTERM");
  assert.equal(process.listenerCount("SIGTERM"), 0);
});

Deno.test("a stop request that is closed leaves no listener behind", OWN_SIGNALS, () => {
  listenForStop().close();
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP"]) assert.equal(process.listenerCount(name), 0);
});
