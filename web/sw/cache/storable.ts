/**
 * Which answers are stored (RFC 9111 3). Pure. The cache is private: s-maxage, proxy-revalidate and the limits of
 * RFC 9111 3.5 on answers to requests with Authorization do not concern it, for what one person saw is given to nobody
 * else (`holder`). Not stored though they might be: what nothing could ever be taken from again, parts (206: ranges go
 * through, and parts are not put together), and streams that are meant not to end.
 */
import type { Header, ResponseHead } from "../../../src/protocol/http.ts";
import { cacheControl, tokens, valueOf } from "./fields.ts";
import { HEURISTIC_STATUSES, lifetimeOf } from "./freshness.ts";
import type { CacheRequest } from "./plan.ts";

/** Stored only where the answer says so (RFC 9111 3, RFC 9110 15.4). Errors that need a person are not. */
const EXPLICIT_STATUSES: ReadonlySet<number> = new Set([302, 303, 307]);

/** Statuses that are stored; all others go through. */
const ENDLESS = /^\s*(?:text\/event-stream|multipart\/)/i;

/** Of the hop between agent and service, or of the moment: not stored (RFC 9111 3.1). */
const NOT_STORED: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-connection",
  "set-cookie",
  "set-cookie2",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Whether the answer to a GET is to be stored. `now` in ms since 1970. */
export function isStorable(request: CacheRequest, response: ResponseHead, now: number): boolean {
  const { status, headers } = response;
  const directives = cacheControl(headers);
  if (directives.has("no-store") || cacheControl(request.headers).has("no-store")) return false;
  if (ENDLESS.test(valueOf(headers, "content-type") ?? "")) return false;
  const explicit = ["public", "private", "max-age"].some((name) => directives.has(name)) ||
    valueOf(headers, "expires") !== undefined;
  if (!HEURISTIC_STATUSES.has(status) && !(EXPLICIT_STATUSES.has(status) && explicit)) return false;
  return isUseful(request, response, now);
}

/** Something can be taken from it: while it is fresh, after asking, or when a person goes back to a page. */
function isUseful({ isDocument }: CacheRequest, response: ResponseHead, now: number): boolean {
  if (isDocument) return true;
  const { headers } = response;
  if (valueOf(headers, "etag") !== undefined) return true;
  if (valueOf(headers, "last-modified") !== undefined) return true;
  return lifetimeOf({ ...response, respondedAt: now }).seconds > 0;
}

/** The header lines that are kept, names in lower case. */
export function storedHeaders(headers: readonly Header[]): readonly Header[] {
  const hop = new Set(tokens(valueOf(headers, "connection")));
  return headers.map(([name, value]): Header => [name.toLowerCase(), value])
    .filter(([name]) => !NOT_STORED.has(name) && !hop.has(name));
}
