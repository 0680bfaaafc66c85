/**
 * The bridge: a hidden frame of a content origin inside the shell. It installs the content origin's service worker and
 * passes ports between that and the pump: ports, never bytes. It holds one port, which the shell bound to one service.
 *
 *   shell                          bridge                          service worker
 *     | <-- bridge-hello ------------ |  (worker is active)              |
 *     | -- bridge-port (port) ------> | -- bridge-ready ---------------> |
 *     |  pump -- ready -------------> | -- bridge-ready ---------------> |
 *     |  pump <-- ping (port) ------- | <-- ping (port) ---------------- |
 *     |  pump <-- open, head (port) - | <-- stream, head (port) -------- |
 */
import { type BridgeToShell, isRecord, type ToWorker } from "../sw/port_messages.ts";
import { SHELL_ORIGIN } from "../sw/shell_origin.ts";
import { forgetOrigin } from "./forget.ts";
import { PumpLink } from "./pump_link.ts";

const WORKER_URL = "/.porthole/sw.js";

/** The shell: around this frame, or the opener of the tab in which a device's page is to have a bridge of its own. */
const shell: Window | null = parent === self ? opener : parent;
const link = new PumpLink(announce);

function tellShell(message: BridgeToShell): void {
  shell?.postMessage(message, SHELL_ORIGIN);
}

async function installWorker(): Promise<void> {
  const workers = navigator.serviceWorker;
  await workers.register(WORKER_URL, { scope: "/", updateViaCache: "none" });
  await workers.ready; // active: from here on every page of this origin is answered by it
}

function takeShellMessage(event: MessageEvent): void {
  const port = event.ports[0];
  if (event.origin !== SHELL_ORIGIN || event.source !== shell || !isRecord(event.data)) return;
  if (event.data.porthole === "forget") return void forget();
  if (event.data.porthole !== "bridge-port" || port === undefined) return;
  link.take(port, event.data);
  if (parent === self) leaveForPage();
}

/** This tab is for a device's page: once its origin has a service worker and a way to the pump, it goes there. */
function leaveForPage(): void {
  const url = URL.parse(decodeURIComponent(location.hash.slice(1)), location.origin);
  if (url !== null && url.origin === location.origin) location.replace(url);
}

/** Never rejects. */
async function forget(): Promise<void> {
  await forgetOrigin();
  tellShell({ porthole: "bridge-forgotten" });
}

/** Requests that wait look again. `ready` never rejects. */
function announce(): void {
  navigator.serviceWorker.ready.then(({ active }) =>
    active?.postMessage({ porthole: "bridge-ready" } satisfies ToWorker)
  );
}

if (shell !== null) {
  addEventListener("message", takeShellMessage);
  navigator.serviceWorker?.addEventListener("message", (event) => void link.takeFromWorker(event));
  navigator.serviceWorker?.startMessages();
  // Without a secure context or with storage refused, `navigator.serviceWorker` is missing or rejects.
  Promise.resolve().then(installWorker).then(
    () => tellShell({ porthole: "bridge-hello" }),
    (error) => tellShell({ porthole: "bridge-failed", reason: String(error).slice(0, 256) }),
  );
}
