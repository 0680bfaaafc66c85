/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { OwnFiles } from "./own_files.ts";

const URL_OF = (path: string) => new URL(path, "https://x.example");

/** A cache that holds what it is given. */
function cache(kept?: string) {
  const match = () => Promise.resolve(kept === undefined ? undefined : new Response(kept));
  const open = () => Promise.reject(new DOMException("refused", "SecurityError"));
  return { match, open };
}

Deno.test("OwnFiles answers for its two scripts and nothing else", async () => {
  const files = new OwnFiles(cache("script"));
  const ask = (path: string) => files.answer(new Request(URL_OF(path)), URL_OF(path));
  assert.equal(await (await ask("/.porthole/inject.js"))?.text(), "script");
  assert.equal(await (await ask("/.porthole/doorway.js"))?.text(), "script");
  assert.equal(ask("/.porthole/bridge.js"), undefined);
  assert.equal(ask("/.porthole/sw.js"), undefined);
});

Deno.test("OwnFiles that may not store anything says nothing", async () => {
  await new OwnFiles(cache()).refresh();
});
