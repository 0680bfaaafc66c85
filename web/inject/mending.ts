/**
 * What elements load in a document that Chromium shows to no service worker. A policy of ours forbids such a document to
 * load anything from a server, so no path of the device's reaches the rendezvous; what was refused is fetched by the page
 * around it and put in as a `blob:`. Left out: pictures that only a style attribute names, `@import`, and what comes from
 * other servers than the device.
 */
import type { Realm } from "./realm.ts";
import { trustedScriptUrl } from "./trusted.ts";
import { createObjectUrl } from "./workers.ts";
import { blobUrl, isOwnFile, mendSources, put, tellFailure } from "./mending_sources.ts";

/** Own text and what is in memory; frames and forms navigate, which service workers see. */
const POLICY = "default-src data: blob: 'unsafe-inline' 'unsafe-eval'; frame-src * data: blob:; " +
  "child-src * data: blob:; object-src blob: data:";

/** The policy for a document that is still text: parsers load ahead of scripts, and a policy that a script sets is late. */
export const POLICY_TAG = `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`;

const LOADING = "img, script, link, source, video, audio, track, input, image";
/** Files that one document may have mended, so that one that asks in a loop ends. */
const MAX_MENDED = 2000;

/** Forbids and mends, for as long as the global lives. Call what it gives for each document that the global has. */
export function mendLoads(realm: Realm): (document: Document) => void {
  const taken = new WeakMap<Element, string>();
  let mended = 0;
  let scripts: Promise<void> = Promise.resolve();
  const take = (element: Element, url: URL) => {
    if (taken.get(element) === url.href || ++mended > MAX_MENDED) return;
    taken.set(element, url.href);
    if (element instanceof realm.HTMLScriptElement) {
      element.removeAttribute("src");
      scripts = scripts.then(() => mendScript(element, url.href));
      return;
    }
    mend(element, url.href).catch(() => tellFailure(element)).then(() => taken.delete(element));
  };
  const failed = (event: Event) => {
    const element = event.target;
    if (!event.isTrusted || !(element instanceof realm.Element)) return;
    const url = addressOf(element, realm);
    if (!isOwnFile(url)) return;
    event.stopImmediatePropagation(); // it was our policy, and comes again if the file does not
    take(element, url);
  };
  // `write` takes the listeners away before its own scripts fail; this is told later.
  const refused = ({ blockedURI }: SecurityPolicyViolationEvent) => {
    const blocked = URL.parse(blockedURI);
    if (!isOwnFile(blocked)) return;
    for (const element of realm.document.querySelectorAll(LOADING)) {
      const url = addressOf(element, realm);
      if (url?.href.split("#", 1)[0] === blocked.href) take(element, url);
    }
  };
  const listen = () => {
    realm.document.addEventListener("error", failed, true);
    realm.document.addEventListener("securitypolicyviolation", refused);
  };
  keepListening(realm, listen);
  mendSources(realm);
  return (document) => {
    forbid(document);
    listen();
  };
}

/** A policy that came by an element stays when the element goes (HTML 4.2.5.3). */
function forbid(document: Document): void {
  const meta = document.createElement("meta");
  meta.httpEquiv = "Content-Security-Policy";
  meta.content = POLICY;
  (document.head ?? document.documentElement)?.append(meta);
  meta.remove();
}

/** `open` takes all listeners away (HTML 8.4.1), and `write` may open. */
function keepListening(realm: Realm, listen: () => void): void {
  const { prototype } = realm.Document;
  for (const name of ["open", "write", "writeln"] as const) {
    const native = prototype[name] as (...values: unknown[]) => unknown;
    const value = function (this: Document, ...values: unknown[]) {
      const result = native.apply(this, values);
      if (this === realm.document) listen();
      return result;
    };
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
  }
}

function addressOf(element: Element, realm: Realm): URL | null {
  const name = element instanceof realm.HTMLLinkElement ? "href" : "src";
  const value = element.getAttribute(name) ?? element.getAttribute("href");
  return value === null ? null : URL.parse(value, element.baseURI);
}

async function mend(element: Element, url: string): Promise<void> {
  element.removeAttribute("srcset");
  if (element.localName !== "link") {
    const blob = await blobUrl(url);
    return put(element, blob, () => element.setAttribute("src", blob));
  }
  const answer = await fetch(url);
  if (!answer.ok) return tellFailure(element);
  const isStyle = /\bstylesheet\b/i.test(element.getAttribute("rel") ?? "");
  const blob = isStyle
    ? new Blob([await inlineUrls(await answer.text(), url)], { type: "text/css" })
    : await answer.blob();
  element.setAttribute("href", createObjectUrl(blob));
}

/** In their order, as far as that can still be had. */
async function mendScript(script: HTMLScriptElement, url: string): Promise<void> {
  const answer = await fetch(url).catch(() => undefined);
  if (answer?.ok !== true) return tellFailure(script);
  const copy = script.ownerDocument.createElement("script");
  for (const { name, value } of script.attributes) copy.setAttribute(name, value);
  copy.async = false;
  const blob = new Blob([await answer.text()], { type: "text/javascript" });
  copy.src = trustedScriptUrl(createObjectUrl(blob));
  const over = new Promise((resolve) => {
    copy.addEventListener("load", resolve);
    copy.addEventListener("error", resolve);
  });
  script.replaceWith(copy);
  await over;
}

/** Pictures and fonts of a style sheet, which stands in memory and has no address that theirs could build on. */
async function inlineUrls(css: string, base: string): Promise<string> {
  const pattern = /url\(\s*(?:"([^"]*)"|'([^']*)'|([^"')\s]+))\s*\)/g;
  const found = new Map<string, string>();
  for (const match of css.matchAll(pattern)) {
    const url = URL.parse(match[1] ?? match[2] ?? match[3] ?? "", base);
    if (url?.origin !== self.origin || found.has(match[0]) || found.size >= MAX_MENDED) continue;
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) {
      found.set(match[0], `url("${createObjectUrl(await answer.blob())}")`);
    }
  }
  return css.replace(pattern, (text) => found.get(text) ?? text);
}
