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
  const cookies = new PageCookies({
    path: () => location.pathname,
    post: (message) => post(ownWorker(), message),
  }, decode(initial ?? undefined));
  replaceDocumentCookie(cookies);
  replaceCookieStore(cookies);
  markRequests(cookies);
  container.addEventListener("message", (event) => take(event, cookies));
  container.startMessages();
  addEventListener("pageshow", (event) => {
    if (event instanceof PageTransitionEvent && event.persisted) cookies.refresh();
  });
  return cookies;
}

function post(worker: Promise<ServiceWorker | null>, message: CookieMessage): void {
  worker.then((worker) => worker?.postMessage(message)).catch(() => {}); // the page lives on with its copy
}

/** Ours, and nobody else's: the page has no service worker, so it expects none to speak. */
function take(event: MessageEvent, cookies: PageCookies): void {
  const { data } = event;
  if (!isRecord(data) || data.porthole !== "cookies") return;
  event.stopImmediatePropagation();
  const { state, written } = data;
  if (typeof state === "string" && typeof written === "number") cookies.news({ state, written });
  event.ports[0]?.postMessage("read");
}

function decode(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
