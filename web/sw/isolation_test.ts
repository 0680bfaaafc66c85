/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { Isolation } from "./isolation.ts";

const POLICY = "document-isolation-policy";

/** A browser's caches with one entry at most. */
function memory(kept = new Map<string, Response>()) {
  const put = (path: string, answer: Response) => Promise.resolve(void kept.set(path, answer));
  return {
    match: (path: string) => Promise.resolve(kept.get(path)),
    open: () => Promise.resolve({ put } as unknown as Cache),
  };
}

function asked(path: string, init?: RequestInit): Request {
  return new Request(new URL(path, "https://x.example"), init);
}

const PAGE = { destination: "iframe" } as const;

Deno.test("pages are isolated once one of them asked, by the next worker too", async () => {
  const caches = memory();
  const isolation = new Isolation(caches);
  const untouched = new Response("page");
  assert.equal(await isolation.apply(PAGE, untouched), untouched);
  const answer = await isolation.answer(asked("/.porthole/isolate", { method: "POST" }), "page-1");
  assert.equal(answer?.status, 204);
  for (const each of [isolation, new Isolation(caches)]) {
    const page = new Response("page", { status: 404, headers: { "x-a": "1" } });
    const isolated = await each.apply(PAGE, page);
    assert.equal(isolated.headers.get(POLICY), "isolate-and-credentialless");
    assert.deepEqual([isolated.status, isolated.headers.get("x-a")], [404, "1"]);
    assert.equal(await isolated.text(), "page");
  }
});

Deno.test("what is no page and no worker stays as it is", async () => {
  const isolation = new Isolation(memory());
  await isolation.answer(asked("/.porthole/isolate", { method: "POST" }), "page-1");
  const picture = new Response("picture");
  assert.equal(await isolation.apply({ destination: "image" }, picture), picture);
  const redirect = Response.redirect("https://x.example/b");
  assert.equal(
    (await isolation.apply(PAGE, redirect)).headers.get("location"),
    "https://x.example/b",
  );
});

Deno.test("only a POST asks, and other paths are not answered", () => {
  const isolation = new Isolation(memory());
  assert.equal(isolation.answer(asked("/.porthole/isolate"), "page-1"), undefined);
  assert.equal(isolation.answer(asked("/.porthole/inject.js"), "page-1"), undefined);
});

Deno.test("a page's scripts wait for its worker, whichever is first", async () => {
  const isolation = new Isolation(memory());
  isolation.ready("early");
  const early = await isolation.answer(asked("/.porthole/inject.js?ready"), "early");
  assert.equal(await early?.text(), "");
  const late = isolation.answer(asked("/.porthole/inject.js?ready"), "late");
  isolation.ready("other");
  isolation.ready("late");
  assert.equal((await late)?.headers.get("content-type"), "text/javascript");
});
