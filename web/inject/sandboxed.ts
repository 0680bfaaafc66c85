/**
 * Frames that their page gave no origin (`sandbox` without `allow-same-origin`): no browser shows their requests to a
 * service worker, and to give them the page's origin would let loose what the page wants held. So a frame with an address
 * of the device says in words why it is empty; one with its own text shows that, and loads nothing from a server.
 *
 * That must be so before the frame is in the page: then its request is already on its way. What HTML says is held by
 * web/sw/held_frames.ts, what scripts say here. Left out: a script that leads such a frame elsewhere by its `location`.
 */
import { escapeHtml } from "../sw/error_page.ts";
import { HELD_ATTRIBUTE } from "../sw/held_frames.ts";
import { ownAddress } from "./lan.ts";
import type { Realm } from "./realm.ts";
import { holdWrittenFrames } from "./sandboxed_text.ts";
import { trustedHtml } from "./trusted.ts";

/** Without a server: what stands in the text itself, and in `data:` and `blob:` addresses. */
const POLICY = `<meta http-equiv="Content-Security-Policy" content="default-src data: blob: ` +
  `'unsafe-inline' 'unsafe-eval'">`;

/** Whether a frame has no origin. */
export function isSandboxed(frame: HTMLIFrameElement): boolean {
  return frame.hasAttribute("sandbox") && !isOpen(frame.getAttribute("sandbox"));
}

function isOpen(flags: string | null): boolean {
  return /(?:^|\s)allow-same-origin(?:\s|$)/i.test(flags ?? "");
}

/** Watches what scripts of a global say of frames. Call once for each. */
export function watchSandboxed(realm: Realm): void {
  const { prototype } = realm.HTMLIFrameElement;
  watchProperty(prototype, "src");
  watchProperty(prototype, "sandbox");
  const { setAttribute } = realm.Element.prototype;
  Object.defineProperty(prototype, "setAttribute", {
    configurable: true,
    writable: true,
    value(this: HTMLIFrameElement, name: string, value: string) {
      const lower = String(name).toLowerCase();
      const isOurs = lower === "src" || lower === "sandbox";
      setAttribute.call(this, name, isOurs ? prepare(this, lower, value) : value);
    },
  });
  holdWrittenFrames(realm);
}

function watchProperty(prototype: HTMLIFrameElement, name: "src" | "sandbox"): void {
  const native = Object.getOwnPropertyDescriptor(prototype, name)!; // WebIDL puts it there
  Object.defineProperty(prototype, name, {
    ...native,
    get(this: HTMLIFrameElement) {
      if (name === "sandbox") hold(this); // its list may be written to, unseen
      else if (this.hasAttribute(HELD_ATTRIBUTE)) return addressOf(this)?.href ?? "";
      return native.get!.call(this); // an accessor has both
    },
    set(this: HTMLIFrameElement, value: unknown) {
      native.set!.call(this, prepare(this, name, value)); // as above
    },
  });
}

/** Before a frame gets this attribute: it has words instead of its address. Gives the value that it is to have. */
function prepare<T>(frame: HTMLIFrameElement, name: "src" | "sandbox", value: T): T | string {
  if (name === "sandbox") {
    setWords(frame, { flags: String(value), url: addressOf(frame) });
    return value;
  }
  const url = URL.parse(String(value), frame.baseURI);
  frame.removeAttribute(HELD_ATTRIBUTE);
  const own = ownAddress(url);
  setWords(frame, {
    flags: frame.getAttribute("sandbox"),
    url: own === undefined ? url : new URL(own),
  });
  return own ?? value;
}

function setWords(
  frame: HTMLIFrameElement,
  { flags, url }: { flags: string | null; url: URL | null },
): void {
  const isBoxed = flags !== null && !isOpen(flags);
  if (isBoxed && isOwn(url)) {
    if (!frame.hasAttribute("srcdoc") || isOurs(frame)) {
      frame.srcdoc = trustedHtml(words(url.pathname));
    }
  } else if (isOurs(frame)) frame.removeAttribute("srcdoc");
}

/** Of a frame that is not in the page yet: `release` or `takeSandboxed` comes when it is. */
function hold(frame: HTMLIFrameElement): void {
  const src = frame.getAttribute("src");
  if (frame.isConnected || src === null || !isOwn(addressOf(frame))) return;
  frame.removeAttribute("src");
  frame.setAttribute(HELD_ATTRIBUTE, src);
}

function addressOf(frame: HTMLIFrameElement): URL | null {
  const src = frame.getAttribute(HELD_ATTRIBUTE) ?? frame.getAttribute("src");
  return src === null ? null : URL.parse(src, frame.baseURI);
}

/** Gives a frame that has an origin its address. */
export function release(frame: HTMLIFrameElement): void {
  const held = frame.getAttribute(HELD_ATTRIBUTE);
  if (held === null) return;
  frame.removeAttribute(HELD_ATTRIBUTE);
  frame.setAttribute("src", held);
}

/** Puts words, or a policy, where requests would pass the tunnel. */
export function takeSandboxed(frame: HTMLIFrameElement): void {
  if (frame.hasAttribute("srcdoc")) {
    const { srcdoc } = frame;
    if (!srcdoc.includes(POLICY) && !isOurs(frame)) frame.srcdoc = trustedHtml(withPolicy(srcdoc));
    return;
  }
  const url = addressOf(frame);
  if (isOwn(url)) frame.srcdoc = trustedHtml(words(url.pathname));
  else release(frame);
}

function isOwn(url: URL | null): url is URL {
  return url?.origin === self.origin && /^https?:$/.test(url.protocol);
}

function isOurs(frame: HTMLIFrameElement): boolean {
  return frame.getAttribute("srcdoc")?.includes(WORDS) ?? false;
}

const WORDS = "porthole cannot show this part of the page.";

function words(path: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8">${POLICY}` +
    `<style>:root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }</style>` +
    `<p>${WORDS} It is a sandboxed frame, and browsers do not let those be tunnelled.` +
    `<p>On the device it is at <code>${escapeHtml(path)}</code>.`;
}

/** Behind a doctype, which would be lost otherwise. */
function withPolicy(text: string): string {
  const doctype = /^\s*<!doctype[^>]*>/i.exec(text)?.[0] ?? "";
  return doctype + POLICY + text.slice(doctype.length);
}
