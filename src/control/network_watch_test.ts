import assert from "node:assert/strict";
import { NetworkWatch } from "./network_watch.ts";

Deno.test("the network watch tells of each change of addresses, and of nothing else", async () => {
  const script = [["a"], ["a"], ["a", "b"], ["b", "a"], ["a"], ["c"], ["c"]];
  let looks = 0;
  const told: string[][] = [];
  const { promise: done, resolve: finish } = Promise.withResolvers<void>();
  const at: number[] = [];
  const watch = new NetworkWatch((addresses) => {
    told.push([...addresses]);
    at.push(looks - 1);
  }, () => {
    if (looks === script.length - 1) finish();
    return new Set(script[Math.min(looks++, script.length - 1)]);
  });
  watch.start(1);
  await done;
  watch.stop();
  assert.deepEqual(told, [["a", "b"], ["a"], ["c"]]);
  assert.deepEqual(at, [2, 4, 5]);
});
