/**
 * Pictures and sounds whose `src` a script sets, in a document that Chromium shows to no service worker: the page around
 * fetches them. They may stand in no document, where nobody would hear of what our policy refused (`mending.ts`). `src` says
 * what it was given. Left out: `srcset` and `setAttribute` of what stands in no document.
 */
import type { Realm } from "./realm.ts";
import { createObjectUrl, revokeObjectUrl } from "./workers.ts";

/** What of a global is replaced here. */
export function sourcesIn(realm: Realm): readonly (readonly [object, readonly string[]])[] {
  return [
    [realm.HTMLImageElement.prototype, ["src", "complete"]],
    [realm.HTMLMediaElement.prototype, ["src"]],
  ];
}

/** Replaces `src` in a global. */
export function mendSources(realm: Realm): void {
  const given = new WeakMap<Element, string>();
  const waiting = new WeakSet<Element>();
  for (const { prototype } of [realm.HTMLImageElement, realm.HTMLMediaElement]) {
    const native = Object.getOwnPropertyDescriptor(prototype, "src")!; // WebIDL puts it there
    const fill = async (element: Element, url: string) => {
      const blob = await blobUrl(url).catch(() => undefined);
      if (given.get(element) !== url || !waiting.delete(element)) return;
      if (blob === undefined) return tellFailure(element);
      put(element, blob, () => native.set!.call(element, blob)); // an accessor has both
    };
    Object.defineProperty(prototype, "src", {
      ...native,
      get(this: Element) {
        return given.get(this) ?? native.get!.call(this); // as above
      },
      set(this: Element, value: unknown) {
        given.delete(this);
        waiting.delete(this);
        const url = URL.parse(String(value), this.baseURI);
        if (!isOwnFile(url)) return native.set!.call(this, value); // as above
        given.set(this, url.href);
        waiting.add(this);
        fill(this, url.href); // never rejects
      },
    });
  }
  hideProgress(realm, waiting);
}

/** What has no address yet is complete for the browser. */
function hideProgress(realm: Realm, waiting: WeakSet<Element>): void {
  const { prototype } = realm.HTMLImageElement;
  const native = Object.getOwnPropertyDescriptor(prototype, "complete")!; // WebIDL puts it there
  Object.defineProperty(prototype, "complete", {
    ...native,
    get(this: Element) {
      return !waiting.has(this) && native.get!.call(this); // an accessor has one
    },
  });
}

/** Whether this is a file of the device. */
export function isOwnFile(url: URL | null): url is URL {
  return url?.origin === self.origin && /^https?:$/.test(url.protocol);
}

/** Tells an element that its file is not to be had. */
export function tellFailure(element: Element): void {
  element.dispatchEvent(new Event("error"));
}

/** A file of the device, as an address that needs no server. */
export async function blobUrl(url: string): Promise<string> {
  return createObjectUrl(await (await fetch(url)).blob());
}

/** Gives such an address to an element by `set`; a picture needs it once. */
export function put(element: Element, blob: string, set: () => void): void {
  if (element.localName === "img") {
    const over = () => revokeObjectUrl(blob);
    for (const type of ["load", "error"]) element.addEventListener(type, over, { once: true });
  }
  set();
}
