/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { resolveObjectURL } from "node:buffer";

const made: { readonly url: string; readonly options: unknown }[] = [];

class Native {
  constructor(url: string, options?: unknown) {
    made.push({ url, options });
  }
}

Object.assign(globalThis, { Worker: Native, SharedWorker: undefined });
const { blobOf, wrapWorkers } = await import("./workers.ts");
wrapWorkers("https://x.example");

/** What the browser is told to run for this address. */
async function run(url: string, options?: WorkerOptions): Promise<string> {
  new Worker(url, options);
  const told = made.at(-1)!.url; // the constructor above
  assert.equal(made.at(-1)?.options, options);
  return await resolveObjectURL(told)?.text() ?? told;
}

Deno.test("a worker from a blob or from data has our script on its first line", async () => {
  const blob = URL.createObjectURL(new Blob(["own()\n"]));
  assert.match(
    await run(blob),
    /^importScripts\(.*https:\/\/x\.example\/\.porthole\/inject\.js.*\);own\(\)\n$/,
  );
  const first = made.at(-1)?.url;
  await run(blob, { type: "module" });
  assert.notEqual(made.at(-1)?.url, first);
  await run(blob);
  assert.equal(made.at(-1)?.url, first, "shared workers are found by their address");
  assert.match(await run("data:text/javascript,own(%22%C3%BC%22)"), /own\("ü"\)$/);
  assert.match(await run(`data:;base64,${btoa("own()")}`), /own\(\)$/);
  URL.revokeObjectURL(blob);
});

Deno.test("a module has it as an import", async () => {
  const blob = URL.createObjectURL(new Blob(["own()"]));
  const script = await run(blob, { type: "module" });
  assert.equal(script, `import "https://x.example/.porthole/inject.js";own()`);
  URL.revokeObjectURL(blob);
});

Deno.test("a worker from a server, or from an address that was given up, is the browser's", async () => {
  const blob = URL.createObjectURL(new Blob(["own()"]));
  assert.ok(blobOf(blob) instanceof Blob);
  URL.revokeObjectURL(blob);
  assert.equal(blobOf(blob), undefined);
  for (const url of ["/worker.js", blob, "data:nonsense"]) assert.equal(await run(url), url);
});

Deno.test("a page finds its own kind of worker in place", () => {
  class Own extends Worker {}
  assert.ok(new Own("/worker.js") instanceof Own);
  assert.equal(new Worker("/worker.js").constructor, Worker);
});
