/**
 * Runs first in every page of a device: WebSockets and cookies go through the tunnel, the shell hears where the page is, and the
 * page's own service workers are declined. Everything else of the page stays as it is. Entry file.
 */
import type { FromPump, StreamHead, ToWorker } from "../sw/port_messages.ts";
import { SHELL_ORIGIN } from "../sw/shell_origin.ts";
import { installCookies } from "./cookies_install.ts";
import { reportNavigation } from "./navigation.ts";
import { sendReferrersToItself } from "./referrer.ts";
import { hideServiceWorker } from "./service_workers.ts";
import { createWebSocketClass } from "./websocket.ts";

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
    location,
    baseUrl: () => document.baseURI,
    userAgent: navigator.userAgent,
    open: (head, port) => openStream(ownWorker(), { head, port }),
    live,
  });
  Object.defineProperty(globalThis, "WebSocket", { value, configurable: true, writable: true });
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

const container = serviceWorkers();
if (container !== undefined) {
  const ownWorker = hideServiceWorker(container);
  installCookies(container, ownWorker);
  replaceWebSocket(ownWorker);
}

addEventListener("pagehide", () => {
  for (const socket of live) socket.abandon();
});

reportNavigation(SHELL_ORIGIN);
sendReferrersToItself();
