/**
 * Synchronous XMLHttpRequests of a page. Chromium shows them to no service worker, so a worker of ours sends them while the
 * page's thread waits on shared memory. That needs a page that is cross-origin isolated: the first such request of a service
 * fails, the service worker remembers it (web/sw/isolation.ts), and the page loads again, isolated. A browser that cannot
 * isolate a page in a frame (Document-Isolation-Policy) refuses these requests, with words that say why.
 */
import { INJECT_PATH } from "../sw/inject_html.ts";
import { ISOLATE_PATH, type ToWorker } from "../sw/port_messages.ts";
import { IS_FIREFOX } from "./engine.ts";
import { hideAnswer, showAnswer } from "./sync_answer.ts";
import {
  makeMemory,
  SYNC_WORKER_NAME,
  type SyncBody,
  type SyncHead,
  type SyncRequest,
  takeAll,
} from "./sync_channel.ts";
import { outermost } from "./targets.ts";
import { trustedScriptUrl } from "./trusted.ts";

/** How long a page's thread may be kept, in ms. */
const LIMIT_MS = 60_000;
const WHY = "porthole cannot carry a synchronous XMLHttpRequest of a page in this browser. " +
  "The page works in Firefox, or if its author sends the request asynchronously.";
const AGAIN = "porthole loads this page again: it sends synchronous XMLHttpRequests.";

interface Call {
  readonly method: string;
  readonly url: URL;
  readonly headers: [string, string][];
  type: string;
}

/** Call once in a page, before its scripts. `asked`: whether the service worker has asked for isolation. */
export function carrySyncRequests(
  { asked, ownWorker }: { asked: boolean; ownWorker: () => Promise<ServiceWorker | null> },
): void {
  if (IS_FIREFOX) return;
  const worker = crossOriginIsolated ? startWorker(ownWorker) : undefined;
  if (asked && worker === undefined) tellReady(ownWorker); // a browser that isolates no page: it must not wait for nothing
  const again = asked || worker !== undefined ? undefined : loadAgain();
  wrap((request, { call, body }) => {
    const answer = worker && ask(worker, call, body);
    if (answer !== undefined) return showAnswer(request, { ...answer, type: call.type });
    if (worker === undefined) {
      const what = again === undefined ? WHY : AGAIN;
      // deno-lint-ignore no-console -- the page's own catch may keep the error to itself
      console.error(`${what} It was for "${call.url.pathname}".`);
    }
    again?.();
    throw new DOMException(worker ? "There is no answer." : WHY, "NetworkError");
  });
}

type Send = (request: XMLHttpRequest, sent: { call: Call; body: unknown }) => void;

function wrap(send: Send): void {
  const { prototype } = XMLHttpRequest;
  const calls = new WeakMap<XMLHttpRequest, Call>();
  const { open, setRequestHeader, overrideMimeType, send: nativeSend } = prototype;
  prototype.open = new Proxy(open, {
    apply(target, self: XMLHttpRequest, values: unknown[]) {
      hideAnswer(self);
      calls.delete(self);
      const result = Reflect.apply(target, self, values);
      const call = syncCall(values);
      if (call !== undefined) calls.set(self, call);
      return result;
    },
  });
  prototype.setRequestHeader = new Proxy(setRequestHeader, {
    apply(target, self: XMLHttpRequest, values: [string, string]) {
      Reflect.apply(target, self, values); // throws for what is no header
      calls.get(self)?.headers.push([String(values[0]), String(values[1])]);
    },
  });
  prototype.overrideMimeType = new Proxy(overrideMimeType, {
    apply(target, self: XMLHttpRequest, values: [string]) {
      Reflect.apply(target, self, values);
      const call = calls.get(self);
      if (call !== undefined) call.type = String(values[0]);
    },
  });
  prototype.send = new Proxy(nativeSend, {
    apply(target, self: XMLHttpRequest, values: unknown[]) {
      const call = calls.get(self);
      calls.delete(self); // sent once
      if (call === undefined) return Reflect.apply(target, self, values);
      send(self, { call, body: values[0] });
    },
  });
}

/** A synchronous request of our own origin, as `open` was told of it. */
function syncCall([method, address, isAsync = true]: unknown[]): Call | undefined {
  const url = URL.parse(String(address), document.baseURI);
  if (isAsync || url?.origin !== globalThis.origin || url.protocol === "blob:") return undefined;
  return { method: String(method), url, headers: [], type: "" };
}

function ask(worker: Worker, { method, url, headers }: Call, body: unknown) {
  const memory = makeMemory();
  const bodiless = /^(?:get|head)$/i.test(method);
  const message: SyncRequest = {
    ...{ method, url: url.href, headers, memory },
    referrer: document.URL.startsWith(origin) ? document.URL : "",
    body: bodiless ? null : toBody(body, headers),
  };
  worker.postMessage(message);
  const end = performance.now() + LIMIT_MS;
  const head = takeAll(memory, end);
  const bytes = head && takeAll(memory, end);
  if (head === undefined || bytes === undefined) return undefined;
  return { head: JSON.parse(new TextDecoder().decode(head)) as SyncHead, body: bytes };
}

/** What XMLHttpRequest takes (3.5.6), as what a worker can be sent. */
function toBody(body: unknown, headers: [string, string][]): SyncBody {
  const name = (type: string) => {
    if (!headers.some(([key]) => /^content-type$/i.test(key))) headers.push(["Content-Type", type]);
  };
  if (body === null || body === undefined) return null;
  if (body instanceof Blob || body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
    return body as Blob | BufferSource;
  }
  if (body instanceof FormData) return { form: [...body] };
  if (body instanceof URLSearchParams) name("application/x-www-form-urlencoded;charset=UTF-8");
  if (!(body instanceof Document)) return String(body);
  name(`${body.contentType};charset=UTF-8`);
  return new XMLSerializer().serializeToString(body);
}

/** The service worker holds the page's own scripts back until our worker runs: it cannot start while the page waits for it. */
function startWorker(ownWorker: () => Promise<ServiceWorker | null>): Worker {
  const worker = new Worker(trustedScriptUrl(origin + INJECT_PATH), { name: SYNC_WORKER_NAME });
  worker.addEventListener("message", () => tellReady(ownWorker), { once: true });
  return worker;
}

function tellReady(ownWorker: () => Promise<ServiceWorker | null>): void {
  ownWorker().then((own) => own?.postMessage({ porthole: "sync-ready" } satisfies ToWorker))
    .catch(() => {}); // then the page waits for the limit of it
}

/** Tells the service worker and loads the outermost page of this origin again: frames that reach each other must be alike. */
function loadAgain(): () => void {
  const native = fetch.bind(globalThis);
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    native(origin + ISOLATE_PATH, { method: "POST" }).then(({ ok }) => ok && reload(outermost()))
      .catch(() => {}); // nothing is remembered: the next one asks again
  };
}

/** By GET where an address without fragment allows it: a reload would send a form again. */
function reload({ location }: Window): void {
  if (location.hash === "") location.replace(location.href);
  else location.reload();
}
