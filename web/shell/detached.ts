/**
 * Pages of a device in tabs of their own, for those that refuse to be in a frame. Such a page is at the top of its tab; it
 * asks its opener, which is this shell, for a port of the pump, each time that it loads. It lives as long as this tab.
 */
import type { PumpPort } from "../pump/messages.ts";
import { isRecord, RESERVED_PREFIX, type ShellToBridge } from "../sw/port_messages.ts";

/** Ports that a tab may have at once, and how fast it may have more, in ms: a page that loads in a loop waits. */
const MAX_PORTS_AT_ONCE = 8;
const PORT_EVERY_MS = 1000;
/** How often it is looked whether a tab was closed, in ms. */
const LOOK_EVERY_MS = 5000;

/** What such a tab is given. */
export interface DetachedOptions {
  readonly origin: string;
  readonly service: string;
  readonly title?: string;
  readonly pump: PumpPort;
}

/** Opens `path` in a tab of its own; false when the browser did not let us. Call it in a click. */
export function openDetached(options: DetachedOptions, path: string): boolean {
  const start = `${options.origin}${RESERVED_PREFIX}bridge.html#${encodeURIComponent(path)}`;
  const tab = globalThis.open(start, "_blank");
  if (tab === null) return false;
  const ends = new AbortController();
  const address = location.href; // of this view: the tab offers it when this one is gone
  let ports = MAX_PORTS_AT_ONCE;
  let since = performance.now();
  addEventListener("message", (event) => {
    if (event.source !== tab || event.origin !== options.origin || !isRecord(event.data)) return;
    if (event.data.porthole !== "bridge-hello") return;
    const now = performance.now();
    ports = Math.min(MAX_PORTS_AT_ONCE, ports + (now - since) / PORT_EVERY_MS);
    since = now;
    if (ports < 1) return;
    ports--;
    give(tab, options, address);
  }, { signal: ends.signal });
  const timer = setInterval(() => {
    if (!tab.closed) return;
    clearInterval(timer);
    ends.abort();
  }, LOOK_EVERY_MS);
  return true;
}

function give(
  tab: Window,
  { origin, service, title = service, pump }: DetachedOptions,
  address: string,
): void {
  const { port1, port2 } = new MessageChannel();
  const answer: ShellToBridge = { porthole: "bridge-port", title, address };
  tab.postMessage(answer, origin, [port1]);
  pump.postMessage({ type: "service", service, port: port2 }, [port2]);
}
