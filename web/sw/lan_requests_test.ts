/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { LanRequests } from "./lan_requests.ts";

const OWN = "https://label.example";

class Bench {
  asked = 0;
  readonly seen: Request[] = [];
  readonly requests: LanRequests;

  constructor(answer: string | undefined) {
    const ask = () => {
      this.asked++;
      return Promise.resolve(answer);
    };
    this.requests = new LanRequests({ own: OWN, ask });
  }

  answer(url: string, init: RequestInit = {}, mode = "cors"): Promise<Response> | undefined {
    const request = new Request(url, init);
    for (const [name, value] of Object.entries({ mode, referrer: "", credentials: "omit" })) {
      Object.defineProperty(request, name, { value });
    }
    return this.requests.answer(request, (own) => {
      this.seen.push(own);
      return Promise.resolve(new Response("tunnelled"));
    });
  }
}

Deno.test("a request to the service's own address is answered as one to its content origin", async () => {
  const bench = new Bench("http://192.168.1.5:8080");
  const init = { method: "PUT", body: "body", headers: { "x-own": "1" } };
  const answer = await bench.answer("http://192.168.1.5:8080/a?b", init);
  assert.equal(await answer?.text(), "tunnelled");
  const [own] = bench.seen;
  assert.deepEqual([own?.url, own?.method, own?.headers.get("x-own")], [`${OWN}/a?b`, "PUT", "1"]);
  assert.equal(await own?.text(), "body");
  await bench.answer("http://192.168.1.5:8080/");
  assert.equal(bench.asked, 1, "the agent is asked once");
  bench.requests.forget();
  await bench.requests.soon();
  assert.equal(bench.asked, 2);
});

Deno.test("nobody is asked of what cannot be on a LAN, and navigations go their way", () => {
  const bench = new Bench("http://192.168.1.5");
  assert.equal(bench.answer("https://cdn.example.com/x.js"), undefined);
  assert.equal(bench.answer("http://192.168.1.5/", {}, "navigate"), undefined);
  assert.equal(bench.asked, 0);
});

Deno.test("once the address is known, others on the LAN go their way at once", async () => {
  const bench = new Bench("http://192.168.1.5");
  assert.equal(await bench.requests.origin(), "http://192.168.1.5");
  assert.equal(bench.answer("http://192.168.1.6/"), undefined);
  assert.ok(bench.answer("http://192.168.1.5/"));
});

Deno.test("an agent that does not say is asked again; one that has no address is not", async () => {
  const silent = new Bench(undefined);
  assert.equal(await silent.requests.origin(), "");
  await silent.requests.origin();
  assert.equal(silent.asked, 2);
  const none = new Bench("");
  await none.requests.origin();
  await none.requests.origin();
  assert.equal(none.asked, 1);
  assert.equal(none.requests.known, "");
});
