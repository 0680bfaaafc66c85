import assert from "node:assert/strict";
import { withStops } from "./run_stops.ts";

Deno.test("what was started is stopped backwards, and only once", async () => {
  const told: string[] = [];
  const started = await withStops((stops) => {
    for (const name of ["a", "b"]) stops.push(() => told.push(name));
    return Promise.resolve({ id: 7 });
  });
  assert.equal(started.id, 7);
  await started.close();
  await started.close();
  assert.deepEqual(told, ["b", "a"]);
});

Deno.test("a start that fails stops what it had started, and passes its error on", async () => {
  const told: string[] = [];
  const failing = withStops((stops) => {
    stops.push(() => told.push("a"));
    return Promise.reject(new Error("no port"));
  });
  await assert.rejects(failing, /no port/);
  assert.deepEqual(told, ["a"]);
});
