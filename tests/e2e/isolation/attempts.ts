/**
 * What a hostile page of a device tries (probes.js has how), and how each attempt ends. The second table is what does
 * not hold today: the test compares it exactly, so that a correction shows as well as a step back.
 */
import type { EngineName } from "../engines.ts";
import type { SiteName } from "./stage.ts";

export interface Attempt {
  /** A name in `PROBES` of probes.js. */
  readonly attempt: string;
  /** What the page reports: a DOMException's name, or the probe's own words. */
  readonly refused: string | Readonly<Record<EngineName, string>>;
}

const NO_SUCH_WORKER = { Chromium: "SecurityError", Firefox: "not loaded" };

/** Against the shell, another service of the device, another device. Without isolation each of them succeeds. */
export const ATTEMPTS: readonly Attempt[] = [
  { attempt: "signs with the shell's key", refused: "no database" },
  { attempt: "lists the shell's databases", refused: "no such database" },
  { attempt: "reads caches", refused: "nothing there" },
  { attempt: "reads localStorage", refused: "nothing there" },
  { attempt: "reads sessionStorage", refused: "nothing there" },
  { attempt: "reads cookies", refused: "nothing there" },
  { attempt: "asks on a BroadcastChannel", refused: "no answer" },
  { attempt: "joins the shell's SharedWorker", refused: NO_SUCH_WORKER },
  { attempt: "starts a worker of the shell's", refused: NO_SUCH_WORKER },
  { attempt: "puts the shell's script under its own scope", refused: "SecurityError" },
  { attempt: "puts its script over the shell", refused: "SecurityError" },
  { attempt: "puts its script over another service", refused: "SecurityError" },
  { attempt: "puts a service worker of its own in place of ours", refused: "pretended" },
  { attempt: "reads parent.document", refused: "SecurityError" },
  { attempt: "reads top.document", refused: "SecurityError" },
  { attempt: "reads parent.location", refused: "SecurityError" },
  { attempt: "reads parent.localStorage", refused: "SecurityError" },
  { attempt: "opens parent.indexedDB", refused: "SecurityError" },
  { attempt: "calls the shell's own functions", refused: "SecurityError" },
  { attempt: "reads the shell's window name", refused: "SecurityError" },
  { attempt: "reads any property of the parent", refused: "no property" },
  { attempt: "reads its frame element", refused: "null" },
  { attempt: "writes a property of the parent", refused: "SecurityError" },
  { attempt: "asks for storage access, then for the key", refused: "no database" },
  { attempt: "fetches the shell", refused: "TypeError" },
  { attempt: "fetches the shell without CORS", refused: "TypeError" },
  { attempt: "runs the shell's script as its own", refused: "not loaded" },
  { attempt: "shows the shell's picture", refused: "not loaded" },
  { attempt: "asks the shell by XMLHttpRequest", refused: "refused" },
  { attempt: "fetches another service", refused: "TypeError" },
  { attempt: "fetches another service without CORS", refused: "opaque" }, // the edge's 404, unreadable
  { attempt: "runs another service's script", refused: "not loaded" },
  { attempt: "shows another service's picture", refused: "not loaded" },
  { attempt: "fetches another device", refused: "TypeError" },
  { attempt: "runs another device's script", refused: "not loaded" },
  { attempt: "talks to the rendezvous as a browser", refused: "refused" },
  { attempt: "reads a frame of another service", refused: "SecurityError" },
  { attempt: "reads the shell in a frame", refused: "SecurityError" },
  { attempt: "reads the shell through a popup's opener", refused: "SecurityError" },
  { attempt: "keeps hold of a shell that it opened", refused: "closed to it" },
  { attempt: "sets document.domain and reads again", refused: "SecurityError" },
];

/** Requests that a page can make without reading their answers, as a service without isolation sees them: probes.js. */
export const BLIND_REQUESTS: readonly string[] = [
  "GET /?blind-embed",
  "GET /?blind-event-stream",
  "GET /?blind-frame",
  "GET /?blind-frame-without-referrer",
  "GET /?blind-image",
  "GET /?blind-link",
  "GET /?blind-link-without-referrer",
  "GET /?blind-object",
  "GET /?blind-script",
  "GET /?blind-style",
  "GET /?blind-window",
  "GET /?blind-window-again",
  "POST /?blind-beacon",
  "POST /?blind-form",
  "POST /?blind-form-without-referrer",
  "POST /?blind-post",
];

/** What a hostile page achieves today. */
export interface Known {
  /** Names in `NAVIGATIONS` of probes.js that take the shell's tab away. */
  readonly takesShell: Readonly<Record<EngineName, readonly string[]>>;
  /** Where a page in a tab of its own, which a person asked for, takes the shell's tab away. */
  readonly takesOpener: readonly EngineName[];
  /** Where a page that loops freezes the shell. */
  readonly freezesShell: readonly EngineName[];
}

export const KNOWN: Readonly<Record<SiteName, Known>> = {
  "porthole.localhost": {
    // Firefox lets the empty window that a page opens navigate the page's top, sandbox or not. Only
    // `Cross-Origin-Opener-Policy: same-origin` on the shell stops it, and takes popups from all device pages. Windows that
    // stay in the sandbox are no way out: browsers load no page with an opener policy of its own in them (HTML 7.1.3), so
    // links to many other sites would break. A wrapper around `window.open` is none either: the page has other realms.
    takesShell: { Chromium: [], Firefox: ["assigns from a popup"] },
    // Such a page asks its opener, the shell, for its way to the device; whoever has an opener may navigate it.
    takesOpener: ["Chromium", "Firefox"],
    // Firefox gives the origins of one site one event loop, whatever `Origin-Agent-Cluster` asks for.
    freezesShell: ["Firefox"],
  },
  "porthole-content.localhost": {
    takesShell: { Chromium: [], Firefox: [] },
    takesOpener: ["Chromium"],
    freezesShell: [],
  },
};
