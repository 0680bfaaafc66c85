/**
 * What is changed in a worker of a device's page before its own script runs: WebSockets, event streams, and the workers that it makes
 * itself. Its requests reach the service worker as they are.
 */
import { markEventSources } from "./event_sources.ts";
import { createWebSocketClass, hideWebSocketStream } from "./websocket.ts";
import { openByFetch } from "./worker_socket.ts";
import { wrapWorkers } from "./workers.ts";

/** Call once, first of all scripts of a worker. */
export function installInWorker(): void {
  const { origin } = self; // its own address may be a blob's
  if (origin === "null") return; // no way to the service worker from an opaque origin
  const value = createWebSocketClass({
    native: WebSocket,
    location: { origin, host: new URL(origin).host },
    baseUrl: () => location.href,
    userAgent: navigator.userAgent,
    open: openByFetch(fetch, origin),
    live: new Set(), // a worker ends without a word: the service worker sees it
  });
  Object.defineProperty(globalThis, "WebSocket", { value, configurable: true, writable: true });
  hideWebSocketStream();
  wrapWorkers(origin);
  markEventSources(() => location.href);
}
