/**
 * Whose name a request bears. Pure. The page lives at a content origin that the service has never heard of; the
 * service is addressed by its own name and sees its own origin, which is what guards against DNS rebinding and
 * cross-site requests check (browser-proxying.md 3.2). Not here: which characters a head may have (`headers.ts`).
 *
 * `X-Forwarded-For` is never sent: no address of a person is known here, and some services refuse a request from a
 * proxy that they were not told of.
 */
import { type Header, OWN_HEADER_PREFIX, type RequestHead } from "../protocol/http.ts";
import { endToEnd, foldedName, valueOf } from "./headers.ts";
import { authorityOf, originOf, type Target } from "./target.ts";

/** How a service is addressed. */
export interface Addressing {
  readonly target: Target;
  /** "keep": the service sees the content origin as its own name, for pages that compare it with `location`. */
  readonly host: "target" | "keep";
  /** Whether an origin, as "https://host", is the content origin of this service. */
  isContentOrigin(origin: string): boolean;
}

/** Set by us or by nobody: a page must not speak for a proxy. Compared folded, see `foldedName`. */
const OURS: ReadonlySet<string> = new Set([
  "accept-encoding",
  "content-length",
  "forwarded",
  "host",
  "x-real-ip",
  "x-scheme",
]);

/**
 * The headers for the service, `Host` first. Body length and encoding are left to the caller.
 * `head` has passed `checkRequestHead`.
 */
export function serviceHeaders(head: RequestHead, addressing: Addressing): readonly Header[] {
  const content = contentOrigin(head.headers, addressing);
  const own = addressing.host === "keep" && content
    ? { authority: content.host, origin: content.origin }
    : { authority: authorityOf(addressing.target), origin: originOf(addressing.target) };
  return [
    ["Host", own.authority],
    ...endToEnd(head.headers).filter(isPassed).map((header) =>
      ownOrigin(header, own.origin, addressing)
    ),
    ...forwarded(content),
  ];
}

function isPassed([name]: Header): boolean {
  const folded = foldedName(name);
  return !OURS.has(folded) && !folded.startsWith("x-forwarded-") && !isOwnHeader(folded);
}

/** What agent and service worker tell each other: nothing for a service to read, and nothing that it may say. */
function isOwnHeader(folded: string): boolean {
  return folded.startsWith(OWN_HEADER_PREFIX);
}

/**
 * The content origin that the request came from: from `Origin`, else `Referer`, else what the service worker says in
 * `X-Forwarded-Proto` and `X-Forwarded-Host`. Believed only if it is the one of this service.
 */
function contentOrigin(headers: readonly Header[], addressing: Addressing): URL | undefined {
  const said = `${valueOf(headers, "x-forwarded-proto")}://${valueOf(headers, "x-forwarded-host")}`;
  for (const text of [valueOf(headers, "origin"), valueOf(headers, "referer"), said]) {
    const url = webUrl(text);
    if (url && addressing.isContentOrigin(url.origin)) return url;
  }
  return undefined;
}

function webUrl(text: string | undefined): URL | undefined {
  if (text === undefined || !/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  return new URL(text);
}

/** Headers in which a page names its own server. `Destination` is WebDAV's, of COPY and MOVE (RFC 4918 10.3). */
const ADDRESSES: ReadonlySet<string> = new Set(["origin", "referer", "destination"]);

/** Foreign origins stay as they are: whether they are welcome is the service's own decision. */
function ownOrigin([name, value]: Header, origin: string, addressing: Addressing): Header {
  const lower = name.toLowerCase();
  if (!ADDRESSES.has(lower)) return [name, value];
  const url = webUrl(value);
  if (!url || !addressing.isContentOrigin(url.origin)) return [name, value];
  return [name, lower === "origin" ? origin : origin + url.pathname + url.search];
}

function forwarded(content: URL | undefined): readonly Header[] {
  if (!content) return [];
  const proto = content.protocol.slice(0, -1);
  return [
    ["X-Forwarded-Proto", proto],
    ["X-Forwarded-Host", content.host],
    ["X-Forwarded-Port", content.port || (proto === "https" ? "443" : "80")],
  ];
}

/** The headers for the browser. An absolute redirect to the service itself becomes a path: only we know its name. */
export function browserHeaders(headers: readonly Header[], target: Target): readonly Header[] {
  return endToEnd(headers).filter(([name]) => !isOwnHeader(foldedName(name))).map((
    [name, value],
  ) => name.toLowerCase() === "location" ? [name, ownLocation(value, target)] : [name, value]);
}

function ownLocation(location: string, target: Target): string {
  return pathAt(target, location) ?? location;
}

/** An absolute address as its path, byte for byte, where it is one of this target; undefined for all others. */
export function pathAt(target: Target, address: string): string | undefined {
  const own = originOf(target);
  const [, scheme, authority, rest] = ADDRESS.exec(address) ?? [];
  if (authority === undefined || rest === undefined) return undefined;
  const url = URL.parse(`${scheme ?? own.slice(0, own.indexOf("//"))}//${authority}`);
  if (url?.origin !== new URL(own).origin) return undefined;
  // "//x" would name another host; "/.//x" is the same path in a form that cannot (URL Standard 4.5).
  if (rest.startsWith("//")) return "/." + rest;
  return rest.startsWith("/") ? rest : "/" + rest;
}

const ADDRESS = /^(https?:)?\/\/([^/\\?#]+)(.*)$/is;
