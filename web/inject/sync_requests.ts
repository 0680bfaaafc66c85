/**
 * A synchronous XMLHttpRequest of a page is shown to no service worker in Chromium, and there is no other way to wait for
 * an answer on a page's thread (SharedArrayBuffer would need cross-origin isolation, which the shell's frame has not). It
 * fails as on a network that is down, with words that say why; in workers it works.
 */
import { IS_FIREFOX } from "./engine.ts";

const WHY = "porthole cannot carry a synchronous XMLHttpRequest of a page in this browser. " +
  "The page works in Firefox, or if its author sends the request asynchronously.";

/** Call once in a page, before its scripts. */
export function refuseSyncRequests(): void {
  if (IS_FIREFOX) return;
  const { open, send } = XMLHttpRequest.prototype;
  const refused = new WeakMap<XMLHttpRequest, string>();
  XMLHttpRequest.prototype.open = new Proxy(open, {
    apply(target, self: XMLHttpRequest, values: unknown[]) {
      const result = Reflect.apply(target, self, values);
      const url = URL.parse(String(values[1]), document.baseURI);
      const isSync = values.length > 2 && !values[2];
      if (isSync && url?.origin === globalThis.origin && url.protocol !== "blob:") {
        refused.set(self, url.pathname);
      } else refused.delete(self);
      return result;
    },
  });
  XMLHttpRequest.prototype.send = new Proxy(send, {
    apply(target, self: XMLHttpRequest, values: unknown[]) {
      const path = refused.get(self);
      if (path === undefined) return Reflect.apply(target, self, values);
      // deno-lint-ignore no-console -- the page's own catch may keep the error to itself
      console.error(`${WHY} It was for "${path}".`);
      throw new DOMException(WHY, "NetworkError");
    },
  });
}
