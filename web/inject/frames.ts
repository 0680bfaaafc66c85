/**
 * Frames that a page fills itself, as soon as they are there: their globals get our replacements (`realm.ts`), `srcdoc`
 * gets our script in front, and a `blob:` page is asked for through the service worker. A page that reaches for a frame's
 * window in the line after it was made finds it ready; what is made by a parser is seen at the end of the task.
 */
import { utf8 } from "../../src/lib/bytes.ts";
import { HELD_ATTRIBUTE, holdFrames } from "../sw/held_frames.ts";
import { findPlace, INJECT_PATH, injectTag, mayInject } from "../sw/inject_html.ts";
import { BLOB_PATH } from "../sw/port_messages.ts";
import { IS_FIREFOX } from "./engine.ts";
import { hideRefusal, replaceEmbedded } from "./embedded.ts";
import { LAN_ORIGIN, ownAddress, stayAtOwnOrigin } from "./lan.ts";
import { POLICY_TAG } from "./mending.ts";
import { joinRealm, markRealm, type Realm, type RealmSource } from "./realm.ts";
import { isSandboxed, release, takeSandboxed, watchSandboxed } from "./sandboxed.ts";
import { trustedHtml } from "./trusted.ts";
import { blobOf, createObjectUrl, revokeObjectUrl } from "./workers.ts";

/** What is watched beside the coming and going of elements. */
const ATTRIBUTES = ["src", "srcdoc", "data", "sandbox", HELD_ATTRIBUTE];

/** What puts our script into a document. The nonce is this page's, whose policy such documents inherit. */
const TAG = injectTag({
  nonce: typeof document === "undefined"
    ? undefined
    : (document.currentScript as HTMLElement)?.nonce,
  lan: LAN_ORIGIN,
}) + (IS_FIREFOX ? POLICY_TAG : ""); // there our script joins the page around: `joinAround`

/** Watches this page's frames, and those within them. Call once, first of all scripts. */
export function watchFrames(source: Omit<RealmSource, "found">): void {
  const own: RealmSource = {
    ...source,
    found: (realm, isFirst) => watchRealm(realm, { source: own, isFirst }),
  };
  const realm = globalThis as unknown as Realm;
  markRealm(realm, own);
  watchRealm(realm, { source: own, isFirst: true });
}

/** Called again for each document that a global gets. */
function watchRealm(
  realm: Realm,
  { source, isFirst }: { source: RealmSource; isFirst: boolean },
): void {
  const join = (window: Window | null) => joinRealm(window, source);
  if (isFirst) {
    watchGetters(realm, join);
    watchOpen(realm, join);
    watchSandboxed(realm);
    stayAtOwnOrigin(realm);
  }
  const { document } = realm;
  const elements = ["iframe", "frame", "object", "embed"].map((name) =>
    document.getElementsByTagName(name)
  );
  const look = () => {
    for (const list of elements) for (const element of [...list]) takeElement(element, join);
  };
  new realm.MutationObserver(look).observe(document, {
    attributes: true,
    attributeFilter: ATTRIBUTES,
    childList: true,
    subtree: true,
  });
  realm.addEventListener("error", hideRefusal, true);
  realm.addEventListener("load", look, true); // a frame's load does not bubble, and passes here all the same
}

function watchOpen(realm: Realm, join: (window: Window | null) => void): void {
  const { open } = realm;
  realm.open = function (url?: string | URL, ...rest: [string?, string?]) {
    const wanted = url === undefined
      ? url
      : ownAddress(URL.parse(String(url))) ?? blobPage(String(url));
    const window = open.call(this, wanted, ...rest);
    join(window);
    return window;
  };
}

function watchGetters(realm: Realm, join: (window: Window | null) => void): void {
  for (const { prototype } of [realm.HTMLIFrameElement, realm.HTMLFrameElement]) {
    const window = Object.getOwnPropertyDescriptor(prototype, "contentWindow")!; // WebIDL puts both there
    const inner = Object.getOwnPropertyDescriptor(prototype, "contentDocument")!;
    for (
      const [name, descriptor] of [["contentWindow", window], ["contentDocument", inner]] as const
    ) {
      Object.defineProperty(prototype, name, {
        ...descriptor,
        get(this: HTMLIFrameElement) {
          join(window.get!.call(this)); // an accessor has one
          return descriptor.get!.call(this);
        },
      });
    }
  }
}

function takeElement(element: Element, join: (window: Window | null) => void): void {
  switch (element.localName) {
    case "iframe":
      return takeFrame(element as HTMLIFrameElement, join);
    case "frame":
      return join((element as HTMLFrameElement).contentWindow);
    default:
      return replaceEmbedded(element as HTMLObjectElement | HTMLEmbedElement);
  }
}

function takeFrame(frame: HTMLIFrameElement, join: (window: Window | null) => void): void {
  if (isSandboxed(frame)) return takeSandboxed(frame);
  release(frame);
  if (frame.hasAttribute("srcdoc")) return takeSourceText(frame);
  const page = ownAddress(URL.parse(frame.src)) ?? blobPage(frame.src);
  if (page !== frame.src) frame.src = page;
  join(frame.contentWindow);
}

/** The frame begins anew before it has begun. */
function takeSourceText(frame: HTMLIFrameElement): void {
  const { srcdoc } = frame;
  if (srcdoc.includes(TAG)) return;
  const bytes = utf8(srcdoc);
  const place = Math.max(0, findPlace(bytes, true) ?? 0);
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  const decode = (part: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(part);
  frame.srcdoc = trustedHtml(decode(before) + TAG + holdFrames(decode(after)));
}

/** An address at which the service worker serves a page's own HTML; any other address as it is. */
function blobPage(url: string): string {
  if (!url.startsWith("blob:") || blobPages.has(url)) return url;
  const blob = blobOf(url);
  if (blob === undefined || !mayInject(blob.type)) return url;
  const tag = TAG.replace(INJECT_PATH, self.origin + INJECT_PATH);
  const copy = createObjectUrl(IS_FIREFOX ? new Blob([tag, blob], blob) : blob); // pages give theirs up at once
  blobPages.add(copy);
  setTimeout(() => {
    blobPages.delete(copy);
    revokeObjectUrl(copy);
  }, BLOB_LIFE_MS);
  if (IS_FIREFOX) return copy;
  return `${BLOB_PATH}?${new URLSearchParams({ url: copy })}`;
}

const blobPages = new Set<string>();

/** How long the service worker may take to ask for such a page, in ms. */
const BLOB_LIFE_MS = 60_000;
