/**
 * A page's request as the head that travels. Pure. The worker is not shown what the browser would add on the network
 * (browser-proxying.md 3.2), so that is written here: Referer, Origin, User-Agent, Accept-Language, Accept-Encoding,
 * Cache-Control. Host is the agent's, which also maps our origin in Origin and Referer to the target's.
 */
import {
  CREDENTIALS_HEADER,
  type Header,
  OWN_HEADER_PREFIX,
  RESERVED_PREFIX,
} from "../../src/protocol/http.ts";
import type { StreamHead } from "./port_messages.ts";

/** As much of a Request as is used. */
export interface PageRequest {
  readonly url: string;
  readonly method: string;
  readonly mode: string;
  readonly cache: string;
  readonly credentials: string;
  readonly referrer: string;
  readonly headers: Iterable<[string, string]>;
}

/** What the browser says about itself. */
export interface BrowserTraits {
  readonly userAgent: string;
  readonly languages: readonly string[];
}

/** Encodings that `DecompressionStream` undoes; brotli is not among them in every browser. */
const ACCEPT_ENCODING = "gzip, deflate";

/** Written here or by the agent, whatever the page says. */
const NOT_THE_PAGES = new Set([
  "host",
  "origin",
  "referer",
  "cookie",
  "content-length",
  "x-forwarded-host",
  "x-forwarded-proto",
]);

/** The head of a request to the worker's own origin; `bodyLength` in bytes where it is known. */
export function requestHead(
  request: PageRequest,
  options: { browser: BrowserTraits; bodyLength?: number | undefined },
): StreamHead {
  const { browser, bodyLength } = options;
  const { origin, host, protocol } = new URL(request.url);
  const headers: Header[] = [...request.headers].filter(([name]) =>
    !NOT_THE_PAGES.has(name) && !name.startsWith(OWN_HEADER_PREFIX)
  );
  const add = (name: string, value: string | undefined) => {
    const missing = !headers.some(([present]) => present === name);
    if (missing && value !== undefined && value !== "") headers.push([name, value]);
  };
  add("user-agent", browser.userAgent);
  add("accept-language", acceptLanguage(browser.languages));
  add("accept-encoding", headers.some(([name]) => name === "range") ? "identity" : ACCEPT_ENCODING);
  add("referer", refererFor(request, origin));
  add("origin", originOf(request, origin));
  // Where neither Referer nor Origin says it, the agent learns from these which origin the page has.
  add("x-forwarded-proto", protocol.slice(0, -1));
  add("x-forwarded-host", host);
  add("content-length", bodyLength?.toString());
  add("cache-control", CACHE_CONTROL.get(request.cache));
  if (request.credentials === "omit") add(CREDENTIALS_HEADER, "omit");
  return {
    kind: "http",
    method: request.method,
    path: rawPath(request.url, origin),
    headers,
  };
}

/** Path and query exactly as the URL has them: `URL.search` would lose an empty "?". */
export function rawPath(url: string, origin: string): string {
  const path = url.slice(origin.length).split("#", 1)[0]!;
  return path.startsWith("/") ? path : `/${path}`;
}

/** How a request's cache mode looks on the network (Fetch 4.6, HTTP-network-or-cache fetch, step 8). */
const CACHE_CONTROL: ReadonlyMap<string, string> = new Map([
  ["reload", "no-cache"],
  ["no-store", "no-cache"],
  ["no-cache", "max-age=0"],
]);

/** Our own paths, and the shell that opened a page, are none of the device's business: those referrers are left out. */
function refererFor({ mode, referrer }: PageRequest, own: string): string | undefined {
  const foreign = mode === "navigate" && !referrer.startsWith(`${own}/`);
  return foreign || referrer.startsWith(own + RESERVED_PREFIX) ? undefined : referer(referrer);
}

/** "about:client" is what a request says before its referrer was decided. */
function referer(referrer: string): string | undefined {
  return /^https?:/.test(referrer) ? referrer : undefined;
}

/**
 * Pages tell a server who asks whenever that could change something. A navigation may come from any site: only its
 * referrer says which, and a device must be able to refuse a foreign one.
 */
function originOf(request: PageRequest, own: string): string | undefined {
  if (request.method === "GET" || request.method === "HEAD") return undefined;
  if (request.mode !== "navigate") return own;
  const from = referer(request.referrer);
  return from === undefined ? "null" : new URL(from).origin;
}

/** "de-DE,de;q=0.9,en;q=0.8", as browsers write it. */
function acceptLanguage(languages: readonly string[]): string | undefined {
  const weighted = languages.slice(0, 9).map((language, index) =>
    index === 0 ? language : `${language};q=${(1 - index / 10).toFixed(1)}`
  );
  return weighted.length === 0 ? undefined : weighted.join(",");
}
