/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { type Bytes, utf8 } from "../../../src/lib/bytes.ts";
import type { Header } from "../../../src/protocol/http.ts";
import { MemoryStore } from "../../testing/memory_store.ts";
import type { Outcome } from "../outcome.ts";
import type { StreamHead } from "../port_messages.ts";
import { CACHE_LIMITS, type CacheLimits } from "./entries.ts";
import { HttpCache } from "./http_cache.ts";

interface Reply {
  readonly status?: number;
  readonly headers?: readonly Header[];
  readonly body?: string;
  readonly holder?: string | undefined;
  /** Breaks off behind the body. */
  readonly cut?: boolean;
}

/** A worker with a cache, and a service that answers as `reply` says. */
class Bench {
  readonly store: MemoryStore;
  readonly asked: StreamHead[] = [];
  reply: (head: StreamHead) => Reply = () => ({});
  now = Date.UTC(2026, 10, 20);
  session: string | undefined = "s1";
  held = 0;
  cache: HttpCache;
  readonly #limits: CacheLimits;

  constructor({ store = new MemoryStore(), limits = CACHE_LIMITS } = {}) {
    this.store = store;
    this.#limits = limits;
    this.cache = this.#start();
  }

  /** The browser stopped the worker, and starts it again. */
  restart(): void {
    this.cache = this.#start();
  }

  async answer(path: string, init: RequestInit = {}, kind: object = {}): Promise<Outcome> {
    const request = new Request(`https://x.example${path}`, init);
    const fields = { mode: "cors", destination: "script", cache: "default", ...kind };
    for (const [name, value] of Object.entries(fields)) {
      Object.defineProperty(request, name, { value });
    }
    const headers = [...request.headers];
    return await this.cache.answer({
      request,
      head: { kind: "http", method: request.method, path, headers },
      session: this.session ?? "none",
      ask: (head) => this.#ask(head),
      live: () => Promise.resolve(this.session),
    });
  }

  /** The answer's status and body, as text. */
  async text(path: string, init: RequestInit = {}, kind: object = {}): Promise<string> {
    const outcome = await this.answer(path, init, kind);
    if (outcome.type !== "answered") return outcome.type;
    return `${outcome.head.status} ${await new Response(outcome.body).text()}`;
  }

  #start(): HttpCache {
    const hold = () => {
      this.held++;
      return () => void this.held--;
    };
    return new HttpCache(this.store, {
      keepAlive: { hold },
      limits: this.#limits,
      clock: () => this.now,
    });
  }

  #ask(head: StreamHead): Promise<Outcome> {
    this.asked.push(head);
    if (this.session === undefined) {
      return Promise.resolve({ type: "failed", failure: "session_closed" });
    }
    const reply = { status: 200, headers: [], body: "", holder: "anna", ...this.reply(head) };
    let rest = reply.body === "" ? [] : [utf8(reply.body)];
    const body = new ReadableStream<Bytes>({
      pull(controller) {
        const [part] = rest;
        rest = [];
        if (part !== undefined) controller.enqueue(part);
        else if (reply.cut === true) controller.error(new TypeError("cut"));
        else controller.close();
      },
    });
    const { status, headers, holder } = reply;
    return Promise.resolve({
      type: "answered",
      head: { status, headers },
      body,
      holder,
      question: undefined,
    });
  }
}

const FRESH: readonly Header[] = [["Cache-Control", "max-age=60"]];
const TAGGED: readonly Header[] = [["ETag", '"1"']];

/** 200 with an ETag, or 304 to who has it. */
function tagged(tag: string, body: string): (head: StreamHead) => Reply {
  const headers: Header[] = [["ETag", tag]];
  return (head) =>
    head.headers.some(([name, value]) => name === "if-none-match" && value === tag)
      ? { status: 304, headers }
      : { headers, body };
}

Deno.test("HttpCache gives a fresh answer without asking, with its age", async () => {
  const bench = new Bench();
  bench.reply = () => ({ headers: [...FRESH, ["Content-Type", "text/css"]], body: "one" });
  assert.equal(await bench.text("/a"), "200 one");
  bench.now += 5000;
  const outcome = await bench.answer("/a");
  assert.ok(outcome.type === "answered");
  assert.deepEqual(outcome.head.headers, [
    ["cache-control", "max-age=60"],
    ["content-type", "text/css"],
    ["age", "5"],
  ]);
  assert.equal(await new Response(outcome.body).text(), "one");
  assert.equal(bench.asked.length, 1);
  assert.equal(bench.held, 0, "the worker may stop");
});

Deno.test("HttpCache asks with the validator and takes a 304 for the stored answer, also after a restart", async () => {
  const bench = new Bench();
  bench.reply = tagged('"1"', "one");
  assert.equal(await bench.text("/a"), "200 one");
  assert.equal(await bench.text("/a"), "200 one");
  bench.restart();
  assert.equal(await bench.text("/a"), "200 one");
  bench.reply = tagged('"2"', "two");
  assert.equal(await bench.text("/a"), "200 two");
  assert.equal(await bench.text("/a"), "200 two");
  const tags = bench.asked.map(({ headers }) => headers.map(([, value]) => value).join());
  assert.deepEqual(tags, ["", '"1"', '"1"', '"1"', '"2"']);
  assert.equal(bench.store.heads.size, 1);
});

Deno.test("a 304 makes the answer fresh again", async () => {
  const bench = new Bench();
  bench.reply = ({ headers }) =>
    headers.length > 0 ? { status: 304, headers: FRESH } : { headers: TAGGED, body: "one" };
  for (let count = 0; count < 4; count++) assert.equal(await bench.text("/a"), "200 one");
  assert.equal(bench.asked.length, 2);
});

Deno.test("a 304 for another answer than the stored one is not believed", async () => {
  const bench = new Bench();
  bench.reply = ({ headers }) =>
    headers.length > 0
      ? { status: 304, headers: [["etag", '"other"']] }
      : { headers: TAGGED, body: "one" };
  await bench.text("/a");
  assert.equal(await bench.text("/a"), "200 one");
  assert.equal(bench.asked.length, 3);
});

Deno.test("another person in the same browser gets nothing of what was stored, and it is removed", async () => {
  const bench = new Bench();
  bench.reply = (head) => ({ ...tagged('"1"', "anna's")(head), headers: [...TAGGED, ...FRESH] });
  await bench.text("/a");
  assert.equal(await bench.text("/a"), "200 anna's");
  assert.equal(bench.asked.length, 1);
  bench.session = "s2";
  bench.reply = (head) => ({ ...tagged('"1"', "ben's")(head), headers: TAGGED, holder: "ben" });
  assert.equal(await bench.text("/a"), "200 ben's");
  assert.equal(bench.asked.length, 3, "the 304 was ben's");
  assert.deepEqual([...bench.store.heads.values()].map(({ holder }) => holder), ["ben"]);
});

Deno.test("a session whose holder is not known is answered by the service first", async () => {
  const bench = new Bench();
  bench.reply = () => ({ headers: FRESH, body: "one" });
  await bench.text("/a");
  await bench.text("/b");
  bench.session = "s2";
  await bench.text("/a");
  assert.equal(bench.asked.length, 3);
  assert.equal(await bench.text("/b"), "200 one");
  assert.equal(bench.asked.length, 3);
});

Deno.test("without a live session nothing is served", async () => {
  const bench = new Bench();
  bench.reply = () => ({ headers: FRESH, body: "one" });
  await bench.text("/a");
  bench.session = undefined;
  assert.equal(await bench.text("/a"), "failed");
  assert.equal(await bench.text("/a", {}, { cache: "force-cache" }), "failed");
  assert.equal(await bench.text("/a", {}, { cache: "only-if-cached" }), "uncached");
});

Deno.test("a session that ends between plan and answer gets nothing", async () => {
  const bench = new Bench();
  bench.reply = () => ({ headers: FRESH, body: "one" });
  await bench.text("/a");
  const body = bench.store.body.bind(bench.store);
  bench.store.body = (id) => {
    bench.session = undefined;
    return body(id);
  };
  const live = bench.cache.answer.bind(bench.cache);
  bench.cache.answer = (question) =>
    live({ ...question, live: async () => await Promise.resolve().then(() => bench.session) });
  assert.equal(await bench.text("/a"), "failed");
});

Deno.test("an agent that names no holder has nothing stored", async () => {
  const bench = new Bench();
  bench.reply = () => ({ headers: FRESH, body: "one", holder: undefined });
  await bench.text("/a");
  await bench.text("/a");
  assert.equal(bench.asked.length, 2);
  assert.equal(bench.store.heads.size, 0);
});

Deno.test("a body that is cut, or that its page gives up, is not stored", async () => {
  const bench = new Bench();
  bench.reply = () => ({ headers: FRESH, body: "par", cut: true });
  await assert.rejects(bench.text("/a"), /cut/);
  const outcome = await bench.answer("/b");
  assert.ok(outcome.type === "answered");
  await outcome.body.cancel();
  assert.equal(bench.store.heads.size, 0);
  assert.equal(bench.held, 0);
});

Deno.test("a POST makes the stored answer doubtful, and one that is on its way", async () => {
  const bench = new Bench();
  bench.reply = ({ method }) => ({
    headers: method === "POST" ? [["location", "/b"]] : FRESH,
    body: "x",
  });
  for (const path of ["/a", "/b", "/c"]) await bench.text(path);
  const underWay = await bench.answer("/d");
  await bench.text("/a", { method: "POST" });
  await bench.text("/d", { method: "POST" });
  assert.ok(underWay.type === "answered");
  assert.equal(await new Response(underWay.body).text(), "x");
  assert.deepEqual([...bench.store.heads.values()].map(({ path }) => path), ["/c"]);
});

Deno.test("a POST that fails changes nothing, and Clear-Site-Data clears all", async () => {
  const bench = new Bench();
  bench.reply = ({ method }) => ({
    status: method === "POST" ? 500 : 200,
    headers: FRESH,
    body: "x",
  });
  await bench.text("/a");
  await bench.text("/a", { method: "POST" });
  assert.equal(bench.store.heads.size, 1);
  bench.reply = () => ({ headers: [["Clear-Site-Data", '"cache"']] });
  await bench.text("/logout");
  assert.equal(bench.store.heads.size, 0);
});

Deno.test("a newer answer that may not be stored takes the older one away, but not a failure of the moment", async () => {
  const bench = new Bench();
  bench.reply = () => ({ headers: TAGGED, body: "one" });
  await bench.text("/a");
  bench.reply = () => ({ status: 503 });
  assert.equal(await bench.text("/a"), "503 ");
  assert.equal(bench.store.heads.size, 1);
  bench.reply = () => ({ headers: [["cache-control", "no-store"]], body: "two" });
  assert.equal(await bench.text("/a"), "200 two");
  assert.equal(bench.store.heads.size, 0);
});

Deno.test("the cache stays within its bounds, on disk as well, and a body that is too long goes through", async () => {
  const limits = { total: 10_000, body: 3_000, entries: 3, variants: 2 };
  const bench = new Bench({ limits });
  bench.reply = ({ path }) => ({
    headers: FRESH,
    body: "x".repeat(path === "/long" ? 3_001 : 2_000),
  });
  for (const path of ["/1", "/2", "/3", "/4", "/long"]) await bench.text(path);
  assert.deepEqual([...bench.store.heads.values()].map(({ path }) => path), ["/2", "/3", "/4"]);
  assert.deepEqual([...bench.store.bodies.keys()], [...bench.store.heads.keys()]);
  assert.equal((await bench.text("/long")).length, 3_005);
});

Deno.test("storage that is refused, or whose body is gone, is no cache", async () => {
  const bench = new Bench();
  bench.store.broken = true;
  bench.reply = () => ({ headers: FRESH, body: "one" });
  for (let count = 0; count < 3; count++) assert.equal(await bench.text("/a"), "200 one");
  assert.equal(bench.asked.length, 3);
  bench.store.broken = false;
  await bench.text("/a");
  bench.store.bodies.clear();
  assert.equal(await bench.text("/a"), "200 one");
  assert.equal(await bench.text("/a"), "200 one");
  assert.equal(bench.asked.length, 5);
});

/** A worker that starts on what another one stored. */
async function restarted(): Promise<Bench> {
  const before = new Bench();
  before.reply = () => ({ headers: FRESH, body: "old" });
  for (const path of ["/a", "/b"]) await before.text(path);
  const bench = new Bench({ store: before.store });
  bench.reply = () => ({ headers: FRESH, body: "new" });
  return bench;
}

Deno.test("a worker that just started looks up what it is asked for, and reads the rest later", async () => {
  const bench = await restarted();
  await bench.text("/other");
  assert.equal(await bench.text("/a"), "200 old");
  await bench.cache.open(0);
  assert.equal(await bench.text("/b"), "200 old");
  assert.equal(bench.asked.length, 1);
});

Deno.test("what was invalidated before the index was read does not come back with it", async () => {
  const bench = await restarted();
  await bench.text("/a", { method: "POST" });
  assert.equal(await bench.text("/a"), "200 new");
  await bench.cache.open(0);
  assert.equal(await bench.text("/a"), "200 new");
  assert.equal(await bench.text("/b"), "200 old");
  const cleared = await restarted();
  cleared.reply = () => ({ headers: [["clear-site-data", '"*"']] });
  await cleared.text("/logout", { method: "POST" });
  await cleared.cache.open(0);
  assert.equal(cleared.store.heads.size, 0);
});

Deno.test("what was stored before the index was read is not replaced by what is older", async () => {
  const bench = await restarted();
  bench.now += 1000;
  assert.equal(await bench.text("/a", {}, { cache: "reload" }), "200 new");
  await bench.cache.open(0);
  assert.equal(await bench.text("/a"), "200 new");
  assert.equal(bench.store.heads.size, 2);
});

Deno.test("a store that does not answer holds a request up for a moment only", async () => {
  const bench = await restarted();
  bench.store.find = () => new Promise(() => {});
  assert.equal(await bench.text("/a"), "200 new");
});

Deno.test("the answers of a person who is gone go when the index is read", async () => {
  const bench = await restarted();
  bench.reply = () => ({ headers: FRESH, body: "ben's", holder: "ben" });
  await bench.text("/c");
  await bench.cache.open(0);
  assert.deepEqual([...bench.store.heads.values()].map(({ holder }) => holder), ["ben"]);
});

Deno.test("no-store, ranges and a page's own conditions go through and leave nothing", async () => {
  const bench = new Bench();
  bench.reply = () => ({ headers: [...FRESH, ...TAGGED], body: "x" });
  await bench.text("/a", {}, { cache: "no-store" });
  await bench.text("/a", { headers: { range: "bytes=0-1" } });
  await bench.text("/a", { headers: { "if-none-match": '"1"' } });
  await bench.text("/a", { method: "HEAD" });
  assert.equal(bench.store.heads.size, 0);
  await bench.text("/a");
  assert.equal((await bench.answer("/a", { method: "HEAD" })).type, "answered");
  assert.equal(bench.asked.length, 5);
});

Deno.test("only-if-cached of Cache-Control gets a 504", async () => {
  const bench = new Bench();
  const headers = { "cache-control": "only-if-cached" };
  assert.equal(await bench.text("/a", { headers }), "504 ");
});
