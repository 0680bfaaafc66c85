/**
 * The global of a document that no server sent: the first document of a frame (`about:blank`), with whatever the page
 * writes into it. Our script is not in it, so the page's own replacements are put in from outside. Chromium shows the
 * requests of such a document to no service worker (browser-proxying.md 3.1): there `fetch` and the like become those of
 * the page around it, and what elements load is fetched by that page (`mending.ts`).
 */
import { type PageCookies, replaceDocumentCookie } from "./cookies.ts";
import { tunnelDownloads } from "./downloads.ts";
import { IS_FIREFOX } from "./engine.ts";
import { mendLoads } from "./mending.ts";
import { sourcesIn } from "./mending_sources.ts";
import { writtenIn } from "./sandboxed_text.ts";
import { ABSENT, PRETENDED, pretendServiceWorkers } from "./service_workers.ts";
import { shareBlobs } from "./workers.ts";

/** Shows that a global has our replacements, by whichever way they came; the same for all pages of an origin. */
const MARK: unique symbol = Symbol.for("porthole") as never;

/**
 * Our script runs there, or the page around has prepared it for this document. A global may get another: that of
 * `about:blank` takes the place of the first (HTML 7.4.2.2).
 */
type Joined =
  | { readonly kind: "own"; join(realm: Realm): void }
  | ({ readonly kind: "joined"; readonly document: Document } & Prepared);

interface Prepared {
  take(document: Document): void;
  /** Puts the browser's own back. */
  leave(): void;
}

/** A window whose global can be reached. */
export type Realm = Window & typeof globalThis & { readonly [MARK]?: Joined };

/** What the page around gives. */
export interface RealmSource {
  readonly cookies: PageCookies;
  /** Called with each document of a global, and whether that is its first, so that its own frames are seen as well. */
  found(realm: Realm, isFirst: boolean): void;
}

/** Says that our script runs in this global, and what it does with documents that no server sent. */
export function markRealm(realm: Realm, source: RealmSource): void {
  mark(realm, { kind: "own", join: (inner) => join(inner, source) });
}

/**
 * For our script in a document that the page around it wrote: lets that page do it all, where the browser shows this one's
 * requests to no service worker (`blob:` in Chromium; in Firefox all such documents within the shell's sandboxed frame).
 * False for every other document.
 */
export function joinAround(realm: Realm): boolean {
  if (!/^(?:about|blob):/.test(realm.location.protocol)) return false;
  if (!IS_FIREFOX && !isUncontrolled(realm)) return false;
  for (const around of [realm.parent, realm.opener]) {
    const mark = around === realm ? undefined : markOf(around);
    if (mark?.kind !== "own") continue;
    mark.join(realm);
    return true;
  }
  return false;
}

function markOf(window: Realm | null): Joined | undefined {
  try {
    return window?.[MARK];
  } catch {
    return undefined; // of another origin
  }
}

/** Puts our replacements into a window's global, unless they are there. */
export function joinRealm(window: Window | null, source: RealmSource): void {
  const realm = reach(window);
  if (realm !== undefined) join(realm, source);
}

function join(realm: Realm, source: RealmSource): void {
  const present = realm[MARK];
  if (present?.kind === "own" || present?.document === realm.document) return;
  const prepared = present ?? prepare(realm, source);
  mark(realm, { ...prepared, kind: "joined", document: realm.document });
  prepared.take(realm.document);
}

/**
 * For our script in a document that came from the device: the global may be that of the frame's first document (HTML
 * 7.4.2.2), which the page around has prepared.
 */
export function leaveRealm(realm: Realm): void {
  const mark = realm[MARK];
  if (mark?.kind !== "joined") return;
  mark.leave();
  Reflect.deleteProperty(realm, MARK);
}

/** In the global itself: a window stays the same when its frame goes elsewhere. */
function mark(realm: Realm, value: Joined): void {
  Object.defineProperty(realm, MARK, { value, configurable: true });
}

function prepare(realm: Realm, source: RealmSource): Prepared {
  const leave = snapshot(replacedIn(realm));
  let isFirst = true;
  for (const name of ["WebSocket", "Worker", "SharedWorker"] as const) share(realm, name);
  for (const name of ["WebSocketStream", "WebSocketError"]) Reflect.deleteProperty(realm, name);
  shareBlobs(realm.URL);
  tunnelDownloads(realm);
  pretendServiceWorkers(realm);
  const mend = prepareUncontrolled(realm);
  return {
    leave,
    take: (document) => {
      mend(document);
      replaceDocumentCookie(source.cookies, realm);
      source.found(realm, isFirst);
      isFirst = false;
    },
  };
}

type Replaced = readonly (readonly [holder: object | undefined, names: readonly string[]])[];

/** All that is replaced in a global, here and in what is called from here. */
function replacedIn(realm: Realm): Replaced {
  const frame = ["contentWindow", "contentDocument"];
  const boxed = ["src", "sandbox", "setAttribute"];
  return [
    [realm, ["WebSocket", "WebSocketStream", "WebSocketError", "Worker", "SharedWorker", "open"]],
    [realm, ["fetch", "XMLHttpRequest", "EventSource", ...ABSENT]],
    [realm.URL, ["createObjectURL", "revokeObjectURL"]],
    [realm.Document.prototype, ["cookie", "open", "write", "writeln"]],
    [realm.Navigator.prototype, ["cookieEnabled", "sendBeacon"]],
    [realm.HTMLAnchorElement.prototype, ["click", "dispatchEvent"]],
    [realm.HTMLIFrameElement.prototype, [...frame, ...boxed]],
    [realm.HTMLFrameElement.prototype, frame],
    [realm.ServiceWorkerContainer?.prototype, PRETENDED],
    ...sourcesIn(realm),
    ...writtenIn(realm),
  ];
}

/** Remembers how these are; gives the way back. */
function snapshot(replaced: Replaced): () => void {
  const before = replaced.flatMap(([holder, names]) =>
    holder === undefined ? [] : names.map((name) => ({
      holder,
      name,
      descriptor: Object.getOwnPropertyDescriptor(holder, name),
    }))
  );
  return () => {
    for (const { holder, name, descriptor } of before) {
      if (descriptor === undefined) Reflect.deleteProperty(holder, name);
      else Object.defineProperty(holder, name, descriptor);
    }
  };
}

function prepareUncontrolled(realm: Realm): (document: Document) => void {
  for (const name of ["fetch", "XMLHttpRequest", "EventSource"] as const) share(realm, name);
  const beacon = navigator.sendBeacon.bind(navigator);
  realm.Navigator.prototype.sendBeacon = (...values) => beacon(...values);
  return mendLoads(realm);
}

/** Undefined for another origin's window, and for one that a server sent: our script runs in that by itself. */
function reach(window: Window | null): Realm | undefined {
  try {
    if (window?.document === undefined || !/^about:(?!srcdoc)/.test(window.location.href)) {
      return undefined;
    }
    return window as Realm;
  } catch {
    return undefined;
  }
}

/** To be asked by a document about itself: see `pretendServiceWorkers`. */
function isUncontrolled(realm: Realm): boolean {
  try {
    return realm.navigator.serviceWorker?.controller === null;
  } catch {
    return true;
  }
}

type Shared = "WebSocket" | "Worker" | "SharedWorker" | "fetch" | "XMLHttpRequest" | "EventSource";

function share(realm: Realm, name: Shared): void {
  const value = name === "fetch" ? fetch.bind(globalThis) : globalThis[name];
  if (value === undefined) return;
  Object.defineProperty(realm, name, { value, configurable: true, writable: true });
}
