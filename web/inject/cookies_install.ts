/** Connects the cookies of this page to its service worker, its `document`, its `cookieStore` and its requests. */
import { COOKIES_ATTRIBUTE } from "../sw/inject_html.ts";
import { type CookieMessage, isRecord } from "../sw/port_messages.ts";
import { PageCookies, replaceDocumentCookie } from "./cookies.ts";
import { markRequests } from "./cookies_requests.ts";
import { replaceCookieStore } from "./cookies_store.ts";

/**
 * Call once, while our script runs: its tag has the state. `ownWorker` gives the service worker; without one nothing
 * that is written leaves the page. Gives the cookies, for frames that this page fills itself (`replaceDocumentCookie`).
 */
export function installCookies(
  container: ServiceWorkerContainer,
  ownWorker: () => Promise<ServiceWorker | null>,
): PageCookies {
  const tag = document.currentScript;
  const initial = tag?.getAttribute(COOKIES_ATTRIBUTE);
  tag?.removeAttribute(COOKIES_ATTRIBUTE);
  const send = (message: CookieMessage) => post(container, { ownWorker, message });
  const page = { path: () => ownPath(), host: new URL(self.origin).hostname, post: send };
  const cookies = new PageCookies(page, decode(initial ?? undefined));
  replaceDocumentCookie(cookies);
  replaceCookieStore(cookies);
  markRequests(cookies);
  container.addEventListener("message", (event) => take(event, cookies));
  container.startMessages();
  send({ porthole: "cookies-here" });
  addEventListener("pageshow", (event) => {
    if (event instanceof PageTransitionEvent && event.persisted) cookies.refresh();
  });
  return cookies;
}

/** Before anybody hides it from the page. There is none in a worker, where this file is loaded too. */
const controller = Object.getOwnPropertyDescriptor(
  globalThis.ServiceWorkerContainer?.prototype ?? {},
  "controller",
)?.get;

/** At once where that can be: what the page does next must not overtake it. */
function post(
  container: ServiceWorkerContainer,
  { ownWorker, message }: {
    ownWorker: () => Promise<ServiceWorker | null>;
    message: CookieMessage;
  },
): void {
  const worker: ServiceWorker | null = controller?.call(container);
  if (worker) return worker.postMessage(message);
  ownWorker().then((worker) => worker?.postMessage(message)).catch(() => {}); // the page lives on with its copy
}

/** Ours, and nobody else's: the page has no service worker, so it expects none to speak. */
function take(event: MessageEvent, cookies: PageCookies): void {
  const { data } = event;
  if (!isRecord(data)) return;
  const answer = data.porthole === "cookies-ask"
    ? cookies.unconfirmed
    : data.porthole === "cookies" && takeNews(data, cookies);
  if (answer === false) return;
  event.stopImmediatePropagation();
  event.ports[0]?.postMessage(answer);
}

function takeNews({ state, written }: Record<string, unknown>, cookies: PageCookies): true {
  if (typeof state === "string" && typeof written === "number") cookies.news({ state, written });
  return true;
}

/** about:srcdoc has no path: it has the cookies of the page around it. */
function ownPath(): string {
  return location.protocol === "about:" ? new URL(document.baseURI).pathname : location.pathname;
}

function decode(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
