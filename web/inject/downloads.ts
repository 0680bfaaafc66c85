/**
 * Links with a `download` attribute: Chromium fetches them past the service worker (browser-proxying.md 3.1). The click
 * becomes a navigation of a hidden frame to an address of ours, which the service worker answers with the file and its
 * name (web/sw/download.ts). Links to other origins and to `blob:` and `data:` stay the browser's. What cannot be seen
 * from here: "Save link as" of the context menu.
 */
import { DOWNLOAD_PATH } from "../sw/port_messages.ts";

/** Frames that are kept: one that is taken away before its answer has begun gives its download up. */
const MAX_FRAMES = 16;

type Link = HTMLAnchorElement | HTMLAreaElement;
type Realm = Window & typeof globalThis;

const frames: HTMLIFrameElement[] = [];

/** Watches the clicks of a window: of this one, or of a frame that it fills itself. Call once, first of all scripts. */
export function tunnelDownloads(realm: Realm = globalThis as unknown as Realm): void {
  realm.addEventListener("click", (event) => watch(event, realm), true);
  const { prototype } = realm.HTMLAnchorElement;
  const { click, dispatchEvent } = prototype;
  // A link that was never put into a document: its events pass no window.
  prototype.click = function () {
    if (!this.isConnected) decideAt(this);
    click.call(this);
  };
  prototype.dispatchEvent = function (event: Event) {
    if (!this.isConnected && event.type === "click") decideAt(this);
    return dispatchEvent.call(this, event);
  };
}

/** Decides after the page's own listeners: they may set the address only now, or do it all themselves. */
function watch(event: Event, realm: Realm): void {
  const link = event.composedPath().find((target) => isLink(target, realm));
  if (link === undefined) return;
  const last = () => decide(event, link as Link);
  realm.addEventListener("click", last);
  setTimeout(() => realm.removeEventListener("click", last));
  for (const name of ["stopPropagation", "stopImmediatePropagation"] as const) {
    const native = event[name];
    Object.defineProperty(event, name, {
      configurable: true,
      value: () => {
        native.call(event);
        decideLater(event, link as Link);
      },
    });
  }
}

function decideAt(link: Link): void {
  link.addEventListener("click", (event) => decide(event, link), { once: true });
}

function decide(event: Event, link: Link): void {
  if (event.defaultPrevented || !isOurs(link)) return;
  event.preventDefault();
  start(link);
}

/** Nothing is heard of this click any more, and the listeners after this one may still refuse it. */
function decideLater(event: Event, link: Link): void {
  if (event.defaultPrevented || !isOurs(link)) return;
  event.preventDefault();
  let refused = false;
  Object.defineProperties(event, {
    preventDefault: { configurable: true, value: () => void (refused = true) },
    defaultPrevented: { configurable: true, get: () => refused },
  });
  setTimeout(() => refused || !isOurs(link) || start(link));
}

function isLink(target: EventTarget, realm: Realm): boolean {
  return target instanceof realm.HTMLAnchorElement || target instanceof realm.HTMLAreaElement;
}

function isOurs(link: Link): boolean {
  return link.hasAttribute("download") && link.href.startsWith(`${self.origin}/`);
}

function start(link: Link): void {
  const { pathname, search } = new URL(link.href);
  const query = new URLSearchParams({ url: pathname + search, name: link.download });
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.src = `${DOWNLOAD_PATH}?${query}`;
  document.documentElement.append(frame);
  frames.push(frame);
  if (frames.length > MAX_FRAMES) frames.shift()?.remove();
}
