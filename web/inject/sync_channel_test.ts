/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { makeMemory, takeAll } from "./sync_channel.ts";

const LIMIT_MS = 30_000;

/** What a worker hands over while this thread waits for it. */
async function handed(code: string): Promise<{ memory: SharedArrayBuffer; worker: Worker }> {
  const source = `import { hand, handFailure } from "${new URL(
    "./sync_channel.ts",
    import.meta.url,
  )}";
    onmessage = ({ data }) => { ${code} };
    postMessage("ready");`;
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  const worker = new Worker(url, { type: "module" });
  await new Promise((resolve) => worker.onmessage = resolve); // it cannot start while this thread waits
  const memory = makeMemory();
  worker.postMessage(memory);
  return { memory, worker };
}

Deno.test("a thread that waits gets all that the other hands over, piece by piece", async () => {
  const { memory, worker } = await handed(`
    hand(data, new TextEncoder().encode("head"));
    hand(data, new Uint8Array(0));
    hand(data, new Uint8Array(1_000_000).map((_byte, index) => index % 251));`);
  const end = performance.now() + LIMIT_MS;
  assert.equal(new TextDecoder().decode(takeAll(memory, end)), "head");
  assert.equal(takeAll(memory, end)?.length, 0);
  const body = takeAll(memory, end);
  assert.equal(body?.length, 1_000_000);
  assert.ok(body.every((byte, index) => byte === index % 251));
  worker.terminate();
});

Deno.test("a thread that waits hears that there is no answer, and waits no longer than it may", async () => {
  const { memory, worker } = await handed("handFailure(data);");
  assert.equal(takeAll(memory, performance.now() + LIMIT_MS), undefined);
  worker.terminate();
  assert.equal(takeAll(makeMemory(), performance.now() + 10), undefined);
});

Deno.test("a thread that was given up, or that failed, serves the next one", async () => {
  const { memory, worker } = await handed(`
    try { hand(data, new TextEncoder().encode("late")); } catch { handFailure(data); }`);
  const other = makeMemory();
  const given = makeMemory();
  assert.equal(takeAll(given, performance.now() - 1), undefined);
  worker.postMessage(given); // its page waits no more
  worker.postMessage(other);
  const end = performance.now() + LIMIT_MS;
  for (const awaited of [memory, other]) {
    assert.equal(new TextDecoder().decode(takeAll(awaited, end)), "late");
  }
  worker.terminate();
});
