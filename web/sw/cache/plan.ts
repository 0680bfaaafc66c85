/**
 * What to do with a request: the heart of RFC 9111 as a function of the request, the stored answers and the time. Pure.
 *
 *   bypass ----------> the service; nothing is stored
 *   fetch -----------> the service; the answer may be stored
 *   validate --------> the service, with preconditions; on 304 the stored answer
 *   serve -----------> the stored answer
 *   unsatisfiable ---> nobody: only a stored answer was wanted
 *
 * Left out: serving stale answers while or because the service is not reached (RFC 9111 4.2.4, RFC 5861): without a live
 * session nothing is served at all.
 */
import type { Header } from "../../../src/protocol/http.ts";
import { cacheControl, type Directives, MAX_SECONDS, seconds, tokens, valueOf } from "./fields.ts";
import { currentAge, lifetimeOf, mustAsk } from "./freshness.ts";
import type { StoredResponse } from "./stored_response.ts";
import { preconditions } from "./validate.ts";
import { fits } from "./vary.ts";

/** A page's request as the cache sees it. */
export interface CacheRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** `Request.cache`. */
  readonly mode: string;
  /** Whether a page is loaded, in whatever frame. */
  readonly isDocument: boolean;
  /** Whether a script asked (fetch, XMLHttpRequest), not the browser for a page's element. */
  readonly byScript: boolean;
  /** Of the page. */
  readonly headers: readonly Header[];
  /** Of the head as it will travel: with what the browser would add. */
  readonly sent: readonly Header[];
}

export type Plan =
  | { readonly type: "bypass" | "fetch" }
  /** `why`: the request's cache mode wants an error of the network, its Cache-Control a 504 (RFC 9111 5.2.1.7). */
  | { readonly type: "unsatisfiable"; readonly why: "mode" | "directive" }
  | {
    readonly type: "validate";
    readonly stored: StoredResponse;
    readonly headers: readonly Header[];
  }
  /** `age` in seconds. */
  | { readonly type: "serve"; readonly stored: StoredResponse; readonly age: number };

const FETCH: Plan = { type: "fetch" };
const BYPASS: Plan = { type: "bypass" };

/** The page does its own validation, or wants a part: Fetch 4.6 makes these "no-store" as well. */
const OWN_CONDITIONS: readonly string[] = [
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "range",
];

/**
 * Decides. `stored` are the answers for this path that this person may see. `mayServe`: it is known that they are this
 * person's; otherwise the service is asked first, whatever they say. `now` in ms since 1970.
 */
export function plan(
  request: CacheRequest,
  { stored, mayServe, now }: {
    stored: readonly StoredResponse[];
    mayServe: boolean;
    now: number;
  },
): Plan {
  if (mustBypass(request)) return BYPASS;
  const found = choose(stored, request.sent);
  const wanted = mayServe && found?.fitting === true && mayUse(found.stored, { request, now });
  if (found !== undefined && wanted) {
    return { type: "serve", stored: found.stored, age: currentAge(found.stored, now) };
  }
  if (request.mode === "only-if-cached") return { type: "unsatisfiable", why: "mode" };
  if (cacheControl(request.headers).has("only-if-cached")) {
    return { type: "unsatisfiable", why: "directive" };
  }
  if (request.method === "HEAD") return BYPASS; // its answer has no body to store or to confirm
  if (found === undefined || request.mode === "reload") return FETCH;
  const headers = preconditions(found.stored, found.fitting);
  return headers.length === 0 ? FETCH : { type: "validate", stored: found.stored, headers };
}

function mustBypass({ method, mode, headers }: CacheRequest): boolean {
  if ((method !== "GET" && method !== "HEAD") || mode === "no-store") return true;
  return OWN_CONDITIONS.some((name) => valueOf(headers, name) !== undefined) ||
    cacheControl(headers).has("no-store");
}

/** Of several answers the latest that fits, else the latest that can be asked about (RFC 9111 4.1). */
function choose(
  stored: readonly StoredResponse[],
  sent: readonly Header[],
): { stored: StoredResponse; fitting: boolean } | undefined {
  const latestFirst = [...stored].sort((a, b) => b.respondedAt - a.respondedAt);
  const fitting = latestFirst.find((one) => fits(one, sent));
  if (fitting !== undefined) return { stored: fitting, fitting: true };
  const other = latestFirst.find(({ headers }) => valueOf(headers, "etag") !== undefined);
  return other && { stored: other, fitting: false };
}

/** Whether this answer may be given without asking (RFC 9111 4). */
function mayUse(
  stored: StoredResponse,
  { request, now }: { request: CacheRequest; now: number },
): boolean {
  switch (request.mode) {
    case "reload":
      return false;
    case "no-cache":
      // A reload by a person: RFC 8246 2 spares what never changes. A script that says "no-cache" means it.
      return !request.byScript && isImmutable(stored.headers) && isFresh(stored, { request, now });
    case "force-cache":
    case "only-if-cached":
      return true; // Fetch 4.6: however stale
    default:
      return !mustAsk(stored.headers) && !asksAnew(request.headers) &&
        isFresh(stored, { request, now });
  }
}

function isImmutable(headers: readonly Header[]): boolean {
  return cacheControl(headers).has("immutable") && !mustAsk(headers);
}

/** no-cache of a request (RFC 9111 5.2.1.4); Pragma where there is no Cache-Control (5.4). */
function asksAnew(headers: readonly Header[]): boolean {
  const directives = cacheControl(headers);
  if (directives.size > 0) return directives.has("no-cache");
  return tokens(valueOf(headers, "pragma")).includes("no-cache");
}

/**
 * RFC 9111 4.2 with what the request wants of it (5.2.1.1 to 5.2.1.3). A guess does not do for a page itself: the shell's
 * reload, which browsers do not tell from a visit, would show an old one.
 */
function isFresh(
  stored: StoredResponse,
  { request, now }: { request: CacheRequest; now: number },
): boolean {
  const wanted = cacheControl(request.headers);
  const age = currentAge(stored, now);
  const lifetime = lifetimeOf(stored);
  const left = (lifetime.guessed && request.isDocument ? 0 : lifetime.seconds) - age;
  if (wanted.has("max-age") && age > (seconds(wanted.get("max-age")) ?? 0)) return false;
  if (wanted.has("min-fresh")) return left >= (seconds(wanted.get("min-fresh")) ?? MAX_SECONDS);
  return left > 0 || left + allowedStaleness(wanted, stored.headers) > 0;
}

/** max-stale (RFC 9111 5.2.1.2), unless the service forbids it (5.2.2.2). In seconds. */
function allowedStaleness(wanted: Directives, headers: readonly Header[]): number {
  const value = wanted.get("max-stale");
  if (value === undefined || cacheControl(headers).has("must-revalidate")) return 0;
  return value === "" ? Infinity : seconds(value) ?? 0;
}
