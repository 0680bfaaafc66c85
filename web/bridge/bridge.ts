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
import {
  boundedText,
  type BridgeToPump,
  type BridgeToShell,
  type FromPump,
  isRecord,
  MAX_TITLE_LENGTH,
  type Pong,
  type StreamHead,
  type ToWorker,
} from "../sw/port_messages.ts";
import { SHELL_ORIGIN } from "../sw/shell_origin.ts";
import { forgetOrigin } from "./forget.ts";

const WORKER_URL = "/.porthole/sw.js";

let pump: { port: MessagePort; title: string } | undefined;

function tellShell(message: BridgeToShell): void {
  parent.postMessage(message, SHELL_ORIGIN);
}

async function installWorker(): Promise<void> {
  const workers = navigator.serviceWorker;
  await workers.register(WORKER_URL, { scope: "/", updateViaCache: "none" });
  await workers.ready; // active: from here on every page of this origin is answered by it
}

function takeShellMessage(event: MessageEvent): void {
  const port = event.ports[0];
  if (event.origin !== SHELL_ORIGIN || event.source !== parent || !isRecord(event.data)) return;
  if (event.data.porthole === "forget") return void forget();
  if (event.data.porthole !== "bridge-port" || port === undefined) return;
  pump?.port.close();
  pump = { port, title: boundedText(event.data.title, MAX_TITLE_LENGTH) ?? "" };
  port.onmessage = announce; // the pump says only one thing: its session is up
  announce();
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

function takeWorkerMessage(event: MessageEvent): void {
  const port = event.ports[0];
  if (port === undefined || !isRecord(event.data)) return;
  if (event.data.porthole === "ping") return passPing(port);
  if (event.data.porthole === "stream") passStream(event.data, port);
}

function passStream(message: Record<string, unknown>, port: MessagePort): void {
  if (pump === undefined) {
    return port.postMessage({ type: "error", code: "session_closed" } satisfies FromPump);
  }
  const head = message.head as StreamHead; // not looked at here: the pump checks it, and answers on the port
  pump.port.postMessage({ type: "open", head } satisfies BridgeToPump, [port]);
}

function passPing(port: MessagePort): void {
  if (pump === undefined) return port.postMessage({ porthole: "no-session" } satisfies Pong);
  const ping: BridgeToPump = { type: "ping", title: pump.title };
  pump.port.postMessage(ping, [port]);
}

if (parent !== self) {
  addEventListener("message", takeShellMessage);
  navigator.serviceWorker?.addEventListener("message", takeWorkerMessage);
  navigator.serviceWorker?.startMessages();
  // Without a secure context or with storage refused, `navigator.serviceWorker` is missing or rejects.
  Promise.resolve().then(installWorker).then(
    () => tellShell({ porthole: "bridge-hello" }),
    (error) => tellShell({ porthole: "bridge-failed", reason: String(error).slice(0, 256) }),
  );
}
