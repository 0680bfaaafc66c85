/**
 * Requests that a page makes right after it wrote a cookie say which write they follow, and the service worker holds them
 * until that one has passed: `document.cookie = …; fetch(…)` sends the cookie, as everywhere. Other kinds of requests wait
 * for the writes that the service worker has heard of.
 */
import { WRITE_HEADER } from "../sw/own_headers.ts";
import type { PageCookies } from "./cookies.ts";

/** Marks `fetch` and XMLHttpRequest while a write is unconfirmed; else they are the browser's own. */
export function markRequests(cookies: PageCookies): void {
  markFetch(cookies);
  markXhr(cookies);
}

function markFetch(cookies: PageCookies): void {
  const native = globalThis.fetch;
  const value = new Proxy(native, {
    apply(target, self, values: Parameters<typeof fetch>) {
      const number = cookies.unconfirmed;
      const request = number > 0 ? ownRequest(values) : undefined;
      if (request === undefined) return Reflect.apply(target, self, values);
      request.headers.set(WRITE_HEADER, String(number)); // without effect on a request of mode "no-cors"
      return Reflect.apply(target, self, [request]);
    },
  });
  Object.defineProperty(globalThis, "fetch", { value, configurable: true, writable: true });
}

/** The request of these arguments, if it goes to our own origin; a malformed one is left to the browser. */
function ownRequest([input, init]: Parameters<typeof fetch>): Request | undefined {
  const url = input instanceof Request ? input.url : String(input);
  if (!isOwn(url)) return undefined;
  try {
    return new Request(input, init);
  } catch {
    return undefined;
  }
}

function markXhr(cookies: PageCookies): void {
  const { open, send, setRequestHeader } = XMLHttpRequest.prototype;
  const own = new WeakSet<XMLHttpRequest>();
  XMLHttpRequest.prototype.open = new Proxy(open, {
    apply(target, self: XMLHttpRequest, values: unknown[]) {
      const result = Reflect.apply(target, self, values);
      if (isOwn(String(values[1]))) own.add(self);
      else own.delete(self);
      return result;
    },
  });
  XMLHttpRequest.prototype.send = new Proxy(send, {
    apply(target, self: XMLHttpRequest, values: unknown[]) {
      const number = cookies.unconfirmed;
      if (number > 0 && own.has(self) && self.readyState === XMLHttpRequest.OPENED) {
        setRequestHeader.call(self, WRITE_HEADER, String(number));
      }
      return Reflect.apply(target, self, values);
    },
  });
}

function isOwn(url: string): boolean {
  return URL.parse(url, document.baseURI)?.origin === self.origin;
}
