/**
 * A device's page in a tab of its own (web/shell/detached.ts): it is a bridge for its own origin, with a port that it gets
 * from the shell which opened it. When that shell is closed, the page says so and offers the way back.
 */
import { PumpLink } from "../bridge/pump_link.ts";
import {
  type BridgeToShell,
  isRecord,
  MAX_ADDRESS_LENGTH,
  type ToWorker,
} from "../sw/port_messages.ts";
import { SHELL_ORIGIN } from "../sw/shell_origin.ts";

/** How often it is looked whether the shell was closed, in ms. */
const LOOK_EVERY_MS = 1000;

/** Call once, before the page's own scripts; without effect in a page that no shell opened. */
export function bridgeOwnTab(
  container: ServiceWorkerContainer,
  ownWorker: () => Promise<ServiceWorker | null>,
): void {
  const shell = shellOpener();
  if (shell === undefined) return;
  const link = new PumpLink(() => {
    ownWorker().then((worker) =>
      worker?.postMessage({ porthole: "bridge-ready" } satisfies ToWorker)
    ).catch(() => {}); // without it nothing of this page loads, and the error page says so
  });
  let address = `${SHELL_ORIGIN}/`;
  addEventListener("message", (event) => {
    const [port] = event.ports;
    if (event.origin !== SHELL_ORIGIN || event.source !== shell || !isRecord(event.data)) return;
    event.stopImmediatePropagation(); // the page expects nobody
    if (event.data.porthole !== "bridge-port" || port === undefined) return;
    const wanted = event.data.address;
    if (isShellAddress(wanted)) address = wanted;
    link.take(port, event.data);
  });
  container.addEventListener("message", (event) => {
    if (link.takeFromWorker(event)) event.stopImmediatePropagation();
  });
  const hello = () =>
    shell.postMessage({ porthole: "bridge-hello" } satisfies BridgeToShell, SHELL_ORIGIN);
  addEventListener("pageshow", (event) => {
    if (event instanceof PageTransitionEvent && event.persisted) hello();
  });
  hello();
  const timer = setInterval(() => {
    if (!shell.closed) return;
    clearInterval(timer);
    showNotice(address);
  }, LOOK_EVERY_MS);
}

/** A page that the device's own page opened has that as its opener. */
function shellOpener(): Window | undefined {
  if (parent !== self || opener === null) return undefined;
  try {
    void opener.location.href;
    return undefined;
  } catch {
    return opener; // of another origin; what is said to it reaches only the shell's
  }
}

function isShellAddress(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_ADDRESS_LENGTH &&
    value.startsWith(`${SHELL_ORIGIN}/`);
}

/** In a tree of its own, which the page's styles do not reach. */
function showNotice(address: string): void {
  const host = document.createElement("porthole-notice");
  const box = document.createElement("p");
  const link = document.createElement("a");
  link.href = address;
  link.textContent = "Open it again";
  link.style.color = "inherit";
  box.append("The porthole tab that this page came through was closed. ", link);
  box.setAttribute("role", "alert");
  box.style.cssText = "position: fixed; inset: auto 0 0; z-index: 2147483647; margin: 0; " +
    "padding: 12px 16px; font: 15px/1.4 system-ui, sans-serif; color: #fff; background: #7a2e0e";
  host.attachShadow({ mode: "open" }).append(box);
  document.documentElement.append(host);
}
