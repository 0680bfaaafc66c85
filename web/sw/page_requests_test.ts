/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { NUMBER_HEADER, PageRequests } from "./page_requests.ts";

function bench() {
  const told: unknown[] = [];
  const clock = { now: 0 };
  const client = { postMessage: (message: unknown) => void told.push(message) };
  const clients = { get: (id: string) => Promise.resolve(id === "gone" ? undefined : client) };
  const written = new Set<string>();
  const sent = {
    begin: (key: string) => Promise.resolve(!written.has(key) && !!written.add(key)),
    end: (key: string) => void written.delete(key),
  };
  const requests = new PageRequests(clients, { sent, clock: () => clock.now });
  const watch = (page: string, number: number, method = "GET") =>
    requests.watch(page, { method, headers: new Headers({ [NUMBER_HEADER]: String(number) }) });
  return { requests, told, clock, watch };
}

Deno.test("a page gives its own request up, and no other page's", () => {
  const { requests, watch } = bench();
  const [own, other, next] = [watch("a", 1), watch("b", 1), watch("a", 2)];
  requests.message("a", { porthole: "give-up", number: 1 });
  assert.deepEqual([own, other, next].map(({ signal }) => signal.aborted), [true, false, false]);
});

Deno.test("a word about a request that comes before the request counts, and is forgotten in the end", () => {
  const { requests, watch } = bench();
  requests.message("a", { porthole: "give-up", number: 7 });
  assert.ok(watch("a", 7).signal.aborted);
  assert.ok(!watch("a", 7).signal.aborted);
  for (let number = 1; number <= 257; number++) {
    requests.message("b", { porthole: "give-up", number });
  }
  assert.ok(!watch("b", 1).signal.aborted);
  assert.ok(watch("b", 2).signal.aborted);
});

Deno.test("words that are none are ignored, and what has no number is watched by nobody", async () => {
  const { requests, watch } = bench();
  const watched = watch("a", 1);
  for (const number of [0, -1, 1.5, NaN, "1", null, undefined]) {
    requests.message("a", { porthole: "give-up", number });
  }
  requests.message("a", { porthole: "sent", number: 1 });
  assert.ok(!watched.signal.aborted);
  const none = requests.watch("a", { method: "POST", headers: new Headers() });
  assert.ok(await none.mayLeave());
  none.sent(1, true);
  none.release();
});

Deno.test("what may change something leaves once, whichever worker is asked", async () => {
  const { watch } = bench();
  const first = watch("a", 1, "POST");
  assert.ok(await first.mayLeave());
  assert.ok(!await watch("a", 1, "POST").mayLeave()); // as a new worker would ask
  assert.ok(await watch("b", 1, "POST").mayLeave());
  assert.ok(await watch("a", 2).mayLeave());
  assert.ok(await watch("a", 2).mayLeave());
  first.release();
  assert.ok(await watch("a", 1, "POST").mayLeave());
});

Deno.test("what was answered cannot be given up any more", () => {
  const { requests, watch } = bench();
  const watched = watch("a", 1);
  watched.release();
  requests.message("a", { porthole: "give-up", number: 1 });
  assert.ok(!watched.signal.aborted);
});

Deno.test("a page hears of its upload each 50 ms, and of the end", async () => {
  const { told, clock, watch } = bench();
  const watched = watch("a", 3);
  for (const [now, bytes] of [[0, 10], [49, 20], [50, 30], [99, 40]] as const) {
    clock.now = now;
    watched.sent(bytes, false);
  }
  watched.sent(50, true);
  watch("gone", 1).sent(1, true);
  await Promise.resolve();
  const news = (bytes: number, done = false) => ({ porthole: "sent", number: 3, bytes, done });
  assert.deepEqual(told, [news(10), news(30), news(50, true)]);
});
