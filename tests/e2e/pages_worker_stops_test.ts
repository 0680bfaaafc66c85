/**
 * Mixed traffic of a page while its service worker is stopped again and again: bodies that are under way fail as errors and
 * are never cut without a word, what is asked for later is answered without a reload, a POST reaches the device at most
 * once, and the page's WebSocket does not notice. A few stops here; half an hour in `make test-slow`. Only Chromium lets a
 * test stop a worker.
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browserMissing, PagesBench } from "./pages_bench.ts";
import { type Answerer, page } from "./pages_service.ts";

const SLOW = Deno.env.get("PORTHOLE_SLOW") === "1";
/** How long it goes on, and the time from one stop to the next, in ms. */
const RUN = SLOW ? { forMs: 30 * 60_000, everyMs: 20_000 } : { forMs: 20_000, everyMs: 4000 };

const TRICKLE = { parts: 40, partBytes: 1000, everyMs: 50 };
const SMALL_BYTES = 3000;
/** The answer of a POST comes after a while, so that stops hit some on the way. */
const POST_MS = 300;

const SCRIPT = `
const log = { small: 0, failed: [], whole: 0, broken: 0, short: 0, posted: 0, unposted: [], events: 0,
  echoes: 0, sockets: 0, closes: 0 };
globalThis.log = log;
let running = true;
globalThis.finish = () => running = false;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const loop = async (work) => { while (running) await work(); };
let number = 0;
const small = async () => {
  const began = Date.now();
  try {
    const answer = await fetch("/small?" + ++number, { cache: "no-store" });
    const text = await answer.text();
    if (answer.status !== 200 || text.length !== ${SMALL_BYTES}) throw new Error(answer.status + " " + text.slice(0, 80));
    log.small++;
  } catch (error) {
    log.failed.push({ began, ended: Date.now(), why: String(error) });
  }
  await pause(100);
};
const trickle = async () => {
  try {
    const text = await (await fetch("/trickle?" + ++number, { cache: "no-store" })).text();
    if (text.length === ${TRICKLE.parts * TRICKLE.partBytes}) log.whole++;
    else log.short++;
  } catch {
    log.broken++;
  }
};
const post = async () => {
  const began = Date.now();
  const own = ++number;
  try {
    const answer = await fetch("/post?" + own, { method: "POST", body: "x".repeat(2000) });
    const text = await answer.text();
    if (answer.status === 200 && text === "taken " + own) log.posted++;
    else log.unposted.push({ began, ended: Date.now(), why: answer.status + " " + text });
  } catch (error) {
    log.unposted.push({ began, ended: Date.now(), why: String(error) });
  }
  await pause(50);
};
const socket = new WebSocket(location.origin.replace("http", "ws") + "/socket");
log.sockets++;
socket.onclose = () => log.closes++;
const echo = async () => {
  const echoed = new Promise((resolve) => socket.onmessage = ({ data }) => resolve(data));
  socket.send(String(log.echoes));
  if (await echoed !== String(log.echoes)) throw new Error("another echo");
  log.echoes++;
  await pause(100);
};
const source = new EventSource("/events");
source.onmessage = () => log.events++;
socket.onopen = async () => {
  await report("running");
  await Promise.all([small, small, trickle, trickle, post, post, echo].map(loop));
  source.close();
  await report("over", log);
};
`;

interface Failure {
  readonly began: number;
  readonly ended: number;
  readonly why: string;
}

interface Log {
  readonly small: number;
  readonly failed: readonly Failure[];
  readonly whole: number;
  readonly broken: number;
  readonly short: number;
  readonly posted: number;
  readonly unposted: readonly Failure[];
  readonly events: number;
  readonly echoes: number;
  readonly closes: number;
}

const trickle: Answerer = (request, response) => {
  request.resume();
  response.writeHead(200, { "content-type": "text/plain", "cache-control": "no-store" });
  let sent = 0;
  const timer = setInterval(() => {
    response.write("t".repeat(TRICKLE.partBytes));
    if (++sent === TRICKLE.parts) response.end();
    if (sent >= TRICKLE.parts) clearInterval(timer);
  }, TRICKLE.everyMs);
  response.on("close", () => clearInterval(timer));
};

const events: Answerer = (request, response) => {
  request.resume();
  response.writeHead(200, { "content-type": "text/event-stream" });
  const timer = setInterval(() => response.write("data: tick\n\n"), 100);
  response.on("close", () => clearInterval(timer));
};

/** Counts how often each POST came. */
function poster(came: Map<string, number>): Answerer {
  return (request, response) => {
    const number = (request.url ?? "").split("?")[1] ?? "";
    request.on("error", () => {});
    request.resume();
    request.on("end", () => {
      came.set(number, (came.get(number) ?? 0) + 1);
      setTimeout(() => response.end(`taken ${number}`), POST_MS);
    });
  };
}

async function stopWorker(tab: Page): Promise<void> {
  const devtools = await tab.context().newCDPSession(tab);
  await devtools.send("ServiceWorker.enable");
  await devtools.send("ServiceWorker.stopAllWorkers");
  await devtools.detach();
}

const lack = await browserMissing("chromium", "stopped service workers");
Deno.test({
  name: "a service worker that is stopped again and again costs a page only what was under way",
  ignore: lack !== undefined,
  sanitizeOps: false, // playwright's own pipe and process
  sanitizeResources: false,
  async fn() {
    const came = new Map<string, number>();
    const pages = {
      "/mixed": page(`<script type="module">${SCRIPT}</script>`),
      "/small": "s".repeat(SMALL_BYTES),
      "/trickle": trickle,
      "/events": events,
      "/post": poster(came),
    };
    await using bench = await PagesBench.start("chromium", { pages });
    const tab = bench.tab as Page;
    await bench.tunnel("/mixed");
    await bench.service.report("running");
    const stops: { began: number; ended: number }[] = [];
    const end = Date.now() + RUN.forMs;
    while (Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, RUN.everyMs));
      const began = Date.now();
      await stopWorker(tab);
      stops.push({ began, ended: Date.now() });
    }
    const frame = tab.frames().find((one) =>
      one.url().endsWith("/mixed") && one !== tab.mainFrame()
    );
    await frame?.evaluate("finish()");
    const log = await bench.service.report<Log>("over");
    const hitByStop = ({ began, ended }: Failure) =>
      stops.some((stop) => began <= stop.ended && ended >= stop.began);
    const { small, whole, broken, posted, echoes } = log;
    const failed = log.failed.length;
    const unposted = log.unposted.length;
    const counted = { stops: stops.length, small, failed, whole, broken, posted, unposted, echoes };
    Deno.stderr.writeSync(new TextEncoder().encode(`${JSON.stringify(counted)}\n`));
    assert.equal(log.short, 0, "a body was cut without a word");
    assert.equal(log.closes, 0, "the WebSocket was closed");
    assert.ok(log.whole > 0 && log.small > 0 && log.posted > 0 && log.echoes > 0 && log.events > 0);
    assert.ok(log.broken > 0, "no stop hit a body: this run shows nothing");
    assert.deepEqual(log.failed.filter((one) => !hitByStop(one)), []);
    assert.deepEqual(log.unposted.filter((one) => !hitByStop(one)), []);
    assert.deepEqual(log.unposted.filter(({ why }) => !/^502 |^TypeError/.test(why)), []);
    assert.deepEqual([...came].filter(([, times]) => times > 1), [], "a POST came twice");
    assert.deepEqual(bench.edge.strays, []);
  },
});
