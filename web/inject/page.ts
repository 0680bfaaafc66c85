/** What is changed in a device's page before its own scripts run. Everything else of the page stays as it is. */
import type { FromPump, StreamHead, ToWorker } from "../sw/port_messages.ts";
import { SHELL_ORIGIN } from "../sw/shell_origin.ts";
import { installCookies } from "./cookies_install.ts";
import { bridgeOwnTab } from "./detached.ts";
import { tunnelDownloads } from "./downloads.ts";
import { markEventSources } from "./event_sources.ts";
import { reportFrameRefusal } from "./frame_refusal.ts";
import { watchFrames } from "./frames.ts";
import { ownAddress } from "./lan.ts";
import { reportNavigation } from "./navigation.ts";
import { joinAround, leaveRealm, type Realm } from "./realm.ts";
import { sendReferrersToItself } from "./referrer.ts";
import { numberRequests } from "./requests.ts";
import { hideServiceWorker } from "./service_workers.ts";
import { refuseSyncRequests } from "./sync_requests.ts";
import { createWebSocketClass, hideWebSocketStream } from "./websocket.ts";
import { wrapWorkers } from "./workers.ts";

const live = new Set<{ abandon(): void }>();

/** A document that may not see service workers (sandboxed by its own policy) has no way to us either. */
function serviceWorkers(): ServiceWorkerContainer | undefined {
  try {
    return navigator.serviceWorker;
  } catch {
    return undefined;
  }
}

function replaceWebSocket(ownWorker: () => Promise<ServiceWorker | null>): void {
  const value = createWebSocketClass({
    native: WebSocket,
    location: { origin: self.origin, host: new URL(self.origin).host }, // about:srcdoc has neither
    baseUrl: () => document.baseURI,
    isLan: (url) => ownAddress(url) !== undefined,
    userAgent: navigator.userAgent,
    open: (head, port) => openStream(ownWorker(), { head, port }),
    live,
  });
  Object.defineProperty(globalThis, "WebSocket", { value, configurable: true, writable: true });
  hideWebSocketStream();
}

function openStream(
  worker: Promise<ServiceWorker | null>,
  stream: { head: StreamHead; port: MessagePort },
): void {
  const { head, port } = stream;
  worker.then((worker) => {
    if (worker === null) throw new TypeError("Cannot open a WebSocket: no service worker");
    worker.postMessage({ porthole: "open", head } satisfies ToWorker, [port]);
  }).catch(() => {
    port.postMessage({ type: "error", code: "session_closed" } satisfies FromPump);
    port.close();
  });
}

/** Call once, first of all scripts of a document. */
export function installInPage(): void {
  leaveRealm(globalThis as unknown as Realm);
  if (joinAround(globalThis as unknown as Realm)) return;
  const container = serviceWorkers();
  if (container !== undefined) {
    const ownWorker = hideServiceWorker(container);
    const cookies = installCookies(container, ownWorker);
    numberRequests(container, ownWorker);
    replaceWebSocket(ownWorker);
    wrapWorkers(self.origin);
    markEventSources(() => document.baseURI);
    tunnelDownloads();
    refuseSyncRequests();
    watchFrames({ cookies });
    bridgeOwnTab(container, ownWorker);
  }
  addEventListener("pagehide", () => {
    for (const socket of live) socket.abandon();
  });
  reportNavigation(SHELL_ORIGIN);
  reportFrameRefusal(SHELL_ORIGIN);
  sendReferrersToItself();
}
