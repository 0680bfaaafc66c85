/**
 * Who may make this origin's device answer. A service worker is asked for every navigation to its origin, whoever wants
 * it: a page of another service or device that frames, posts to or opens this one could make requests that it cannot
 * read, but that do something. So only what comes from the shell's own frame or from a page of this origin is tunnelled,
 * and the referrer says which that is: no page can claim another's. Everything else gets a page of ours that asks the
 * device for nothing: `web/doorway/` goes on from there when the shell, or a person, says so. Pure.
 *
 * Measured in Chromium 150 and Firefox 140 ESR: the referrer survives reload, history and redirects; `clientId` names the client
 * that is replaced (Chromium) or nothing (Firefox), never the one that asks; `<object>` and `<embed>` reach no worker.
 */
import { escapeHtml } from "./error_page.ts";
import { RESERVED_PREFIX } from "./port_messages.ts";

/** Path of the doorway's script. */
export const DOORWAY_PATH = `${RESERVED_PREFIX}doorway.js`;
/** Where a doorway says it is when it goes on: a referrer of this origin, whatever the address was. Never requested. */
export const THRESHOLD_PATH = `${RESERVED_PREFIX}door`;

/** Characters of an address that are shown. */
const SHOWN_CHARACTERS = 120;

/** As much of a Request as is used. */
export type Visit = Pick<Request, "url" | "method" | "mode" | "destination" | "referrer">;

const DOCUMENTS = new Set(["document", "embed", "frame", "iframe", "object"]);

/** Whether a request is for a page, and comes from neither the shell nor this origin. */
export function isForeignVisit(visit: Visit, shellOrigin: string): boolean {
  if (visit.mode !== "navigate" && !DOCUMENTS.has(visit.destination)) return false;
  const from = URL.parse(visit.referrer)?.origin;
  if (from === new URL(visit.url).origin) return false;
  return from !== shellOrigin || visit.method !== "GET"; // the shell only ever opens pages
}

/** The page of ours in a foreign visit's place. `title` is the service's name; empty while unknown. */
export function doorway(
  visit: Visit,
  { title, shellOrigin }: { title: string; shellOrigin: string },
): Response {
  const { origin } = new URL(visit.url);
  const service = escapeHtml(title === "" ? "a device’s page" : title);
  const asks = visit.method === "GET" || visit.method === "HEAD";
  const body = asks ? question(service, visit.url) : refusal(service, shellOrigin);
  return new Response(body, {
    status: asks ? 200 : 403,
    headers: {
      "cache-control": "no-store",
      "content-type": "text/html; charset=utf-8",
      // Nobody else frames it: a button under a stranger's page could be clicked for another one.
      "content-security-policy":
        `default-src 'none'; script-src ${origin}${DOORWAY_PATH}; style-src 'unsafe-inline'; ` +
        `base-uri 'none'; form-action 'none'; frame-ancestors 'self' ${shellOrigin}`,
      "referrer-policy": "same-origin", // what goes on from here is known by it
      "x-content-type-options": "nosniff",
    },
  });
}

/**
 * What must change in an answer so that referrers stay true. A page that sends none would meet the doorway at its own
 * links: it sends one to itself now, and still none to others. A redirect keeps the referrer of who was asked first:
 * out of the shell's frame it would carry the shell's name to another origin, so a page of this origin goes there.
 */
export function keepReferrersTrue(visit: Visit, answer: Response): Response {
  const policy = answer.headers.get("referrer-policy");
  if (policy !== null) {
    answer.headers.set(
      "referrer-policy",
      policy.replace(/\bno-referrer(?![\w-])/gi, "same-origin"),
    );
  }
  const target = leavesWith(visit, answer);
  return target === undefined ? answer : departure(target);
}

/** Where a redirect of a page leads, if that is another origin. */
function leavesWith(visit: Visit, { status, headers }: Response): URL | undefined {
  const location = headers.get("location");
  if (location === null || status < 300 || status > 399) return undefined;
  const { origin } = new URL(visit.url);
  if (visit.mode !== "navigate" || URL.parse(visit.referrer)?.origin === origin) return undefined;
  const target = URL.parse(location, visit.url);
  return target === null || target.origin === origin ? undefined : target;
}

function departure(target: URL): Response {
  const html = `<!doctype html>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0;url=${escapeHtml(target.href)}">
<title>Moved</title>
<p><a href="${escapeHtml(target.href)}">Moved</a></p>
`;
  return new Response(html, {
    headers: {
      "cache-control": "no-store",
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'",
      "referrer-policy": "origin",
    },
  });
}

/**
 * A link to this very address: it works without the script, which only knows better when nobody need be asked. It stays
 * out of sight while that is found out, and takes no click before it has been seen.
 */
function question(service: string, url: string): string {
  const { pathname, search, origin } = new URL(url);
  const path = pathname + search;
  return askingPage(
    "Open this page?",
    `<h1>Open ${service}?</h1>
<p>Another page, or an address that was typed, leads here. The device has not been asked for it yet.</p>
<p><code>${escapeHtml(shortened(path))}</code></p>
<p><a id="open" href="${escapeHtml(origin + path)}">Open it</a></p>
<script src="${DOORWAY_PATH}"></script>`,
  );
}

function refusal(service: string, shellOrigin: string): string {
  return askingPage(
    "Not sent",
    `<h1>Nothing was sent to ${service}</h1>
<p>A page from somewhere else wanted to send it a form. The device did not get it: pages of other services and devices may
not act here.</p>
<p>If you meant it, open the page itself and fill the form in there.</p>
<p><a href="${escapeHtml(shellOrigin)}/" target="_top">porthole</a></p>`,
  );
}

function shortened(path: string): string {
  return path.length <= SHOWN_CHARACTERS ? path : `${path.slice(0, SHOWN_CHARACTERS)}…`;
}

/** A page of ours with something to click, `#open`, which takes no click before it has been seen. */
export function askingPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
html { background: Canvas; color: CanvasText; }
body { max-width: 34rem; margin: 15vh auto 0; padding: 0 1.5rem; animation: appear 1s step-end; }
h1 { font-size: 1.25rem; overflow-wrap: anywhere; }
code { overflow-wrap: anywhere; }
a { color: inherit; }
#open { display: inline-block; padding: .625rem 1.25rem; border-radius: .5rem; font-weight: 600; text-decoration: none;
  color: Canvas; background: CanvasText; animation: wait 2s step-end; }
@keyframes appear { from { visibility: hidden; } }
@keyframes wait { from { pointer-events: none; opacity: .4; } }
</style>
${body}
`;
}
