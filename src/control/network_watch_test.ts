import assert from "node:assert/strict";
import { NetworkWatch, ownAddresses } from "./network_watch.ts";

Deno.test("the network watch tells of each change of addresses, and of nothing else", async () => {
  const script = [["a"], ["a"], ["a", "b"], ["b", "a"], ["a"], ["c"], ["c"]];
  let [looks, changes] = [0, 0];
  const { promise: done, resolve: finish } = Promise.withResolvers<void>();
  const at: number[] = [];
  const watch = new NetworkWatch(() => {
    changes++;
    at.push(looks - 1);
  }, () => {
    if (looks === script.length - 1) finish();
    return new Set(script[Math.min(looks++, script.length - 1)]);
  });
  watch.start(1);
  await done;
  watch.stop();
  assert.equal(changes, 3);
  assert.deepEqual(at, [2, 4, 5]);
});

Deno.test("the loopback is no address that changes", () => {
  assert.ok(!ownAddresses().has("127.0.0.1"));
});
