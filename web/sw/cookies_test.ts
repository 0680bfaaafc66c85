/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { encodeCookieState, NO_TAG, parseCookieState } from "../../src/protocol/cookie_state.ts";
import { type CookieWrite, parseCookieWrites } from "../../src/protocol/cookie_writes.ts";
import { type CookieClient, Cookies } from "./cookies.ts";
import { isRecord } from "./port_messages.ts";

function stateOf(tag: string, ...names: readonly string[]): string {
  const cookies = names.map((name) => ({
    ...{ name, value: "1", path: "/", secure: false },
    life: undefined,
  }));
  return encodeCookieState({ tag, cookies, hidden: [] });
}

/** A page that hears news; `reads` is whether it says so. */
class PageDouble implements CookieClient {
  readonly type = "window";
  readonly heard: { tag: string | undefined; written: unknown }[] = [];
  reads = true;
  /** What it says of its own writes when it is asked; undefined: nothing. */
  unconfirmed: number | undefined = 0;
  asked = 0;

  constructor(readonly id: string) {}

  postMessage(message: unknown, transfer: Transferable[] = []): void {
    assert.ok(isRecord(message));
    if (message.porthole === "cookies-ask") return this.#answer(transfer[0]);
    this.heard.push({ tag: parseCookieState(message.state)?.tag, written: message.written });
    const port = transfer[0];
    if (port instanceof MessagePort && this.reads) port.postMessage("read");
    if (port instanceof MessagePort) port.close();
  }

  #answer(port: Transferable | undefined): void {
    assert.ok(port instanceof MessagePort);
    this.asked++;
    if (this.unconfirmed !== undefined) port.postMessage(this.unconfirmed);
    port.close();
  }
}

/** Cookies with two pages, and an agent that answers when the test says so. */
class Bench {
  readonly pages = [new PageDouble("a"), new PageDouble("b")];
  readonly sent: CookieWrite[][] = [];
  readonly #answers: ((state: string | undefined) => void)[] = [];
  readonly cookies: Cookies;

  constructor(settleLimit = 60_000) {
    this.cookies = new Cookies({
      get: (id) => Promise.resolve(this.pages.find((page) => page.id === id)),
      matchAll: () => Promise.resolve(this.pages),
    }, {
      send: (writes) => {
        this.sent.push(parseCookieWrites(writes)!);
        return new Promise((resolve) => this.#answers.push(resolve));
      },
      settleLimit,
      readLimit: 5,
    });
  }

  write(number: number, line: string, page = "a"): Promise<void> {
    const message = { porthole: "cookie-write", number, path: "/", date: 1, line };
    return this.cookies.message(page, message);
  }

  /** The agent answers the oldest question. */
  answer(state: string | undefined): void {
    this.#answers.shift()!(state);
  }
}

/** Whether a promise has settled by now, all that waits for nothing done. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(() => settled = true);
  await new Promise((resolve) => setTimeout(resolve));
  return settled;
}

Deno.test("the state of an answer goes to every page, and an older one to none", async () => {
  const bench = new Bench();
  assert.equal(bench.cookies.tag, NO_TAG);
  assert.equal(bench.cookies.text, undefined);
  await bench.cookies.take(stateOf("aa.2", "x"), "");
  assert.equal(bench.cookies.tag, "aa.2");
  await bench.cookies.take(stateOf("aa.1"), "");
  await bench.cookies.take("nonsense", "");
  assert.equal(bench.cookies.tag, "aa.2");
  await bench.cookies.take(stateOf("bb.1"), "");
  assert.equal(bench.cookies.tag, "bb.1", "another run of the agent");
  for (const page of bench.pages) {
    assert.deepEqual(page.heard.map(({ tag }) => tag), ["aa.2", "bb.1"]);
  }
});

Deno.test("an agent with nothing to say means that there is nothing", async () => {
  const { cookies } = new Bench();
  await cookies.take(undefined, "");
  assert.equal(cookies.text, encodeCookieState({ tag: NO_TAG, cookies: [], hidden: [] }));
});

Deno.test("an answer waits for the page that asked, not for one that reads nothing", async () => {
  const bench = new Bench();
  bench.pages[0]!.reads = false;
  await bench.cookies.take(stateOf("aa.1"), "a"); // ends by its limit
  bench.pages[0]!.reads = true;
  await bench.cookies.take(stateOf("aa.2"), "a");
  assert.equal(bench.pages[0]!.heard.length, 2);
});

Deno.test("writes go to the agent in their order, one lot at a time", async () => {
  const bench = new Bench();
  const writes = [bench.write(1, "a=1"), bench.write(2, "a=2"), bench.write(1, "b=1", "b")];
  assert.deepEqual(bench.sent.map((lot) => lot.map(({ line }) => line)), [["a=1"]]);
  bench.answer(stateOf("aa.1", "a"));
  await isSettled(Promise.resolve());
  assert.deepEqual(bench.sent[1]?.map(({ line }) => line), ["a=2", "b=1"]);
  bench.answer(stateOf("aa.3", "a", "b"));
  await Promise.all(writes);
  assert.deepEqual(bench.pages[0]!.heard, [{ tag: "aa.1", written: 1 }, {
    tag: "aa.3",
    written: 2,
  }]);
  assert.deepEqual(bench.pages[1]!.heard.at(-1), { tag: "aa.3", written: 1 });
});

Deno.test("a request waits for the writes before it, and not for later ones", async () => {
  const bench = new Bench();
  assert.ok(await isSettled(bench.cookies.settled("a", 0)));
  const first = bench.write(1, "a=1");
  const waiting = bench.cookies.settled("b", 0);
  assert.equal(await isSettled(waiting), false);
  const second = bench.write(2, "a=2");
  bench.answer(stateOf("aa.1", "a"));
  await waiting;
  assert.equal(await isSettled(second), false);
  bench.answer(stateOf("aa.2", "a"));
  await Promise.all([first, second]);
});

Deno.test("a request waits for the write that it names, which may come after it", async () => {
  const bench = new Bench();
  const waiting = bench.cookies.settled("a", 7);
  assert.equal(await isSettled(waiting), false);
  const write = bench.write(7, "a=1");
  bench.answer(stateOf("aa.1", "a"));
  await waiting;
  await write;
  assert.ok(await isSettled(bench.cookies.settled("a", 6)));
});

Deno.test("a navigation waits for what pages wrote, though it came first", async () => {
  const bench = new Bench();
  const [page, other] = bench.pages as [PageDouble, PageDouble];
  page.unconfirmed = 3;
  for (const { id } of bench.pages) await bench.cookies.message(id, { porthole: "cookies-here" });
  const waiting = bench.cookies.settledBeforeNavigation();
  assert.equal(await isSettled(waiting), false);
  const write = bench.write(3, "a=1");
  bench.answer(stateOf("aa.1", "a"));
  await Promise.all([waiting, write]);
  assert.deepEqual([page.asked, other.asked], [1, 1]);
});

Deno.test("a navigation waits for no page without our script, and only once for a silent one", async () => {
  const bench = new Bench();
  const [page, other] = bench.pages as [PageDouble, PageDouble];
  await bench.cookies.settledBeforeNavigation();
  page.unconfirmed = undefined;
  await bench.cookies.message(page.id, { porthole: "cookies-here" });
  await bench.cookies.message("gone", { porthole: "cookies-here" });
  await bench.cookies.settledBeforeNavigation();
  await bench.cookies.settledBeforeNavigation();
  assert.deepEqual([page.asked, other.asked], [1, 0]);
});

Deno.test("a request does not wait for ever", async () => {
  await new Bench(5).cookies.settled("a", 1);
});

Deno.test("a write that no agent takes is over too, and the next is sent", async () => {
  const bench = new Bench();
  const write = bench.write(1, "a=1");
  bench.answer(undefined);
  await write;
  await bench.cookies.settled("a", 1);
  const next = bench.write(2, "a=2");
  bench.answer(stateOf("aa.1", "a"));
  await next;
  assert.deepEqual(bench.pages[0]!.heard, [{ tag: "aa.1", written: 2 }]);
});

Deno.test("a page that asks is told, from the agent if need be", async () => {
  const bench = new Bench();
  const read = bench.cookies.message("b", { porthole: "cookies-read" });
  assert.deepEqual(bench.sent, [[]]);
  bench.answer(stateOf("aa.1", "x"));
  await read;
  assert.deepEqual(bench.pages[1]!.heard, [{ tag: "aa.1", written: 0 }]);
  assert.deepEqual(bench.pages[0]!.heard, []);
  await bench.cookies.message("b", { porthole: "cookies-read" });
  assert.equal(bench.sent.length, 1);
});

Deno.test("messages that no page of ours sends change nothing", async () => {
  const bench = new Bench();
  const good = { porthole: "cookie-write", number: 1, path: "/", date: 1, line: "a=1" };
  const bad = [{ number: 0 }, { number: NaN }, { number: "1" }, { path: "x" }, { line: 1 }, {
    date: "now",
  }];
  for (const fields of [...bad, { line: "a".repeat(10_000) }, { porthole: "other" }]) {
    await bench.cookies.message("a", { ...good, ...fields });
  }
  assert.deepEqual(bench.sent, []);
});

Deno.test("a flood of writes is bounded, and nobody waits for what was dropped", async () => {
  const bench = new Bench();
  const writes: Promise<void>[] = [];
  for (let number = 1; number <= 3000; number++) writes.push(bench.write(number, `a=${number}`));
  while (!await isSettled(Promise.all(writes))) bench.answer(undefined);
  assert.ok(bench.sent.flat().length < 1200);
  assert.equal(bench.sent.at(-1)?.at(-1)?.line, "a=3000");
  assert.ok(await isSettled(bench.cookies.settled("a", 3000)));
});

Deno.test("lives go on while the worker holds a state", async () => {
  const { cookies } = new Bench();
  const living = { name: "a", value: "1", path: "/", life: 100_000, secure: false };
  const over = { ...living, name: "b", life: 0 };
  await cookies.take(
    encodeCookieState({ tag: "aa.1", cookies: [living, over], hidden: [living, over] }),
    "",
  );
  const { cookies: held, hidden } = parseCookieState(cookies.text) ?? {};
  assert.deepEqual(held?.map(({ name }) => name), ["a"]);
  assert.deepEqual(hidden?.map(({ name }) => name), ["a"]);
  assert.ok(held![0]!.life! <= 100_000);
});
