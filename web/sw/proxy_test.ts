/// <reference lib="deno.ns" />
/** The whole path in one process: proxy, exchange, port, pump, mux, device double. Browsers are in `tests/e2e/`. */
import assert from "node:assert/strict";
import { BridgeDouble, ClientsDouble } from "../testing/bridge_double.ts";
import type { DoubleStream } from "../testing/device_double.ts";
import { DeviceRoutes } from "../testing/device_routes.ts";
import { PumpBench } from "../testing/pump_bench.ts";
import { MemoryStore } from "../testing/memory_store.ts";
import { Bridges } from "./bridges.ts";
import { HttpCache } from "./cache/http_cache.ts";
import { Cookies } from "./cookies.ts";
import { EventIds } from "./event_ids.ts";
import { KeepAlive } from "./keepalive.ts";
import { PageRequests } from "./page_requests.ts";
import { proxy } from "./proxy.ts";
import { route, routes } from "./routes.ts";

const LIMITS = { pong: 10, appear: 10, lookAgain: 5, trusted: 1000 };

class ProxyBench {
  readonly routes = new DeviceRoutes();
  readonly pump: PumpBench;
  readonly clients: ClientsDouble;
  readonly #context;
  pageLives = true;
  beats = 0;

  constructor(answer?: (stream: DoubleStream) => void, beat?: number) {
    this.pump = new PumpBench(answer ?? this.routes.route);
    const pass = (head: unknown, port: MessagePort) =>
      this.pump.bridge.postMessage({ type: "open", head }, [port]);
    this.clients = new ClientsDouble([new BridgeDouble("b", pass)]);
    const keepAlive = new KeepAlive(() => this.beats++, beat);
    this.#context = {
      bridges: new Bridges(this.clients, LIMITS),
      keepAlive,
      events: new EventIds(),
      cache: new HttpCache(new MemoryStore(), { keepAlive }),
      cookies: new Cookies({
        get: () => Promise.resolve(undefined),
        matchAll: () => Promise.resolve([]),
      }, { send: () => Promise.resolve(undefined) }),
      requests: new PageRequests({ get: () => Promise.resolve(undefined) }, {
        sent: { begin: () => Promise.resolve(true), end: () => {} },
      }),
      browser: { userAgent: "Test/1", languages: ["en"] },
      shellOrigin: "http://shell.localhost",
      lan: { known: "", soon: () => Promise.resolve() },
      page: "p1",
      injectedScript: () => Promise.resolve("ours();\n"),
      pageLives: () => Promise.resolve(this.pageLives),
    };
  }

  /** Fetches as a page would; `kind` are the fields of a Request that Deno does not have. */
  fetch(path: string, init: RequestInit = {}, kind: object = {}): Promise<Response> {
    const request = new Request(`http://x.localhost${path}`, init);
    const fields = {
      ...{ mode: "cors", destination: "", cache: "default", referrer: "", keepalive: false },
      ...kind,
    };
    for (const [name, value] of Object.entries(fields)) {
      Object.defineProperty(request, name, { value });
    }
    return proxy(request, this.#context);
  }

  [Symbol.dispose](): void {
    this.pump[Symbol.dispose]();
  }
}

const NAVIGATION = { mode: "navigate", destination: "iframe" };

Deno.test("proxy answers a request with the device's answer", async () => {
  using bench = new ProxyBench();
  const response = await bench.fetch("/style.css");
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/css");
  assert.equal(await response.text(), "h1 { color: rgb(1, 2, 3) }");
});

Deno.test("proxy puts the script into pages that are navigated to, and nowhere else", async () => {
  using bench = new ProxyBench();
  const page = await bench.fetch("/second", {}, NAVIGATION);
  assert.match(
    await page.text(),
    /^<!doctype html><script src="\/\.porthole\/inject\.js" nonce="[\w-]{22}" data-cookies="[\w%.-]*"><\/script><title>/,
  );
  assert.equal(page.headers.get("content-length"), null);
  const fetched = await bench.fetch("/second");
  assert.match(await fetched.text(), /^<!doctype html><title>/);
  assert.notEqual(fetched.headers.get("content-length"), null);
});

Deno.test("proxy sends a body up and brings the echo back", async () => {
  using bench = new ProxyBench();
  const body = "z".repeat(2_500_000);
  const response = await bench.fetch("/echo", { method: "POST", body });
  assert.equal(await response.text(), body);
});

Deno.test("proxy undoes a content coding", async () => {
  using bench = new ProxyBench();
  const response = await bench.fetch("/gzip");
  assert.equal(response.headers.get("content-encoding"), null);
  assert.equal((await response.text()).length, 11_000);
});

Deno.test("proxy makes a cut body an error, also below a content coding", async () => {
  using bench = new ProxyBench();
  await assert.rejects((await bench.fetch("/cut")).text(), /upstream_broken/);
  using packed = new ProxyBench((stream) => {
    stream.respond(200, [["content-encoding", "gzip"]]);
    stream.write(new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]));
    setTimeout(() => stream.reset("upstream_broken"));
  });
  await assert.rejects((await packed.fetch("/")).text());
});

Deno.test("proxy resets the stream of a reader that gives up", async () => {
  using bench = new ProxyBench();
  const response = await bench.fetch("/endless");
  await response.body?.cancel();
  await bench.fetch("/empty"); // what comes after the reset shows that it came
  assert.deepEqual(bench.pump.device.resets, ["/endless"]);
});

Deno.test("proxy resets the stream of an upload that breaks off, and answers", async () => {
  using bench = new ProxyBench();
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new Error("the person pressed Stop")),
  });
  const broken = bench.fetch("/echo", { method: "POST", body });
  await assert.rejects(broken, /Stop/); // while its length was looked for: nothing has left
  let chunks = 0;
  const late = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (chunks++ < 30) controller.enqueue(new Uint8Array(100_000));
      else controller.error(new Error("the person pressed Stop"));
    },
  });
  const response = await bench.fetch("/echo", { method: "POST", body: late });
  assert.equal(response.headers.get("x-porthole-error"), "cancelled");
  await bench.fetch("/empty");
  assert.deepEqual(bench.pump.device.resets, ["/echo"]);
});

Deno.test("proxy says which service failed and why", async () => {
  using bench = new ProxyBench();
  const plain = await bench.fetch("/dead");
  assert.equal(plain.status, 502);
  assert.match(await plain.text(), /^Title b: Nothing answers/);
  const page = await bench.fetch("/dead", {}, NAVIGATION);
  assert.match(await page.text(), /<h1>Title b is not available<\/h1>/);
});

Deno.test("proxy without a bridge answers 503 and never goes to the network", async () => {
  using bench = new ProxyBench();
  bench.clients.list.length = 0;
  const response = await bench.fetch("/", {}, NAVIGATION);
  assert.equal(response.status, 503);
  assert.match(await response.text(), /http-equiv="refresh"/);
});

Deno.test("proxy asks again when the session ended before the answer, but only what is safe", async () => {
  let opened = 0;
  using bench = new ProxyBench((stream) => {
    opened++;
    if (opened <= 2) return bench.pump.session.receive({ type: "close" });
    stream.respond(200);
    stream.end();
  });
  const lost = await bench.fetch("/", { method: "POST", body: "once" });
  assert.equal(lost.headers.get("x-porthole-error"), "session_closed");
  bench.pump.reconnect();
  bench.clients.list[0]!.onPing = () => bench.pump.reconnect(); // the bench has one bridge
  assert.equal((await bench.fetch("/")).status, 200);
  assert.equal(opened, 3);
});

Deno.test("proxy takes no answer that cannot be one", async () => {
  using bench = new ProxyBench((stream) => {
    if (stream.head.path === "/brotli") stream.respond(200, [["content-encoding", "br"]]);
    else if (stream.head.path === "/101") stream.respond(101);
    else if (stream.head.path === "/999") stream.respond(999);
    else stream.end();
  });
  const failure = async (path: string) => {
    const response = await bench.fetch(path);
    await response.body?.cancel();
    return response.headers.get("x-porthole-error");
  };
  assert.equal(await failure("/brotli"), "unknown_coding");
  assert.equal(await failure("/101"), "upstream_broken");
  assert.equal(await failure("/999"), "upstream_broken");
});

Deno.test("proxy gives no body where there may be none, and keeps its headers", async () => {
  using bench = new ProxyBench((stream) => {
    stream.respond(stream.head.method === "HEAD" ? 200 : 304, [["content-length", "5"], [
      "etag",
      "1",
    ]]);
    stream.end();
  });
  const head = await bench.fetch("/", { method: "HEAD" });
  assert.equal(head.body, null);
  assert.equal(head.headers.get("content-length"), "5");
  const unchanged = await bench.fetch("/");
  assert.equal(unchanged.status, 304);
  assert.equal(unchanged.body, null);
});

Deno.test("proxy makes a body an error when the frame that carried it is gone", async () => {
  using bench = new ProxyBench(undefined, 5);
  const response = await bench.fetch("/endless");
  bench.clients.list.length = 0;
  await assert.rejects(response.text(), /session_closed/);
});

Deno.test("proxy lets go of an upload that nobody reads once the answer is complete", async () => {
  using bench = new ProxyBench((stream) => {
    stream.respond(413);
    stream.end();
  }, 5);
  let given = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (given++ < 20) return controller.enqueue(new Uint8Array(100_000));
      return new Promise(() => {}); // a page that never ends its body
    },
  });
  const response = await bench.fetch("/", { method: "POST", body });
  assert.equal(response.status, 413);
  await response.body?.cancel();
  await until(() => bench.pump.device.resets.length > 0);
  assert.deepEqual(bench.pump.device.resets, ["/"]);
});

async function until(question: () => boolean): Promise<void> {
  while (!question()) await new Promise((resolve) => setTimeout(resolve, 1));
}

Deno.test("a request that was not answered when its page went away is given up at the device", async () => {
  using bench = new ProxyBench(() => {}, 5); // a service that never answers
  const answer = bench.fetch("/stalls");
  bench.pageLives = false;
  await until(() => bench.pump.device.resets.length > 0);
  assert.deepEqual(bench.pump.device.resets, ["/stalls"]);
  assert.equal((await answer).status, 503);
});

Deno.test("a request that is meant to outlive its page does", async () => {
  const held = Promise.withResolvers<DoubleStream>();
  using bench = new ProxyBench((stream) => held.resolve(stream), 1);
  const answer = bench.fetch("/beacon", {}, { keepalive: true });
  const stream = await held.promise;
  bench.pageLives = false;
  await until(() => bench.beats > 3);
  assert.deepEqual(bench.pump.device.resets, []);
  stream.respond(204, []);
  stream.end();
  assert.equal((await answer).status, 204);
});

Deno.test("routes leave other origins and our own files to the network", async () => {
  const device = () => Promise.resolve(new Response("device"));
  const own = (_request: Request, { url }: { url: URL }) =>
    url.pathname.endsWith("inject.js") ? Promise.resolve(new Response("own")) : undefined;
  const foreign = ({ headers, method }: Request) =>
    headers.has("foreign") ? Promise.resolve(new Response(`no ${method}`)) : undefined;
  const abroad = () => undefined;
  const handlers = routes({ origin: "https://x.example", abroad, own, foreign, device });
  const ask = (url: string) => route(handlers, new Request(url), "p1");
  assert.equal(ask("https://y.example/"), "network");
  assert.equal(ask("http://x.example/"), "network");
  assert.equal(ask("https://x.example/.porthole/sw.js"), "network");
  const script = ask("https://x.example/.porthole/inject.js");
  assert.equal(await (await script as Response).text(), "own");
  for (
    const url of [
      "https://x.example/",
      "https://x.example/.porthole",
      "https://x.example/%2eporthole/",
    ]
  ) {
    const answer = ask(url);
    assert.notEqual(answer, "network", url);
    assert.equal(await (await answer as Response).text(), "device");
  }
  const stranger = (path: string, method: string) => {
    const visit = new Request(`https://x.example${path}`, { method, headers: { foreign: "" } });
    return route(handlers, visit, "");
  };
  for (const [path, method] of [["/", "GET"], ["/", "POST"], ["/.porthole/any", "POST"]] as const) {
    assert.equal(await (await stranger(path, method) as Response).text(), `no ${method}`, path);
  }
  assert.equal(stranger("/.porthole/bridge.html", "GET"), "network");
});
