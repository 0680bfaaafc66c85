/**
 * A device's response headers as the content origin may show them. Pure. Dropped is what describes the device's own
 * hop or origin; security headers stay unless they forbid exactly what we need (DESIGN 8). Set-Cookie ends in the
 * agent's jar; what an agent without one lets through is dropped.
 */
import type { Header, ResponseHead } from "../../src/protocol/http.ts";
import {
  adaptPolicies,
  BOXED_POLICY,
  framePolicy,
  PAGE_POLICY,
  type PolicyNeeds,
  takesOrigin,
  UPGRADING_POLICY,
} from "./csp.ts";

/** Codings that a service may have used and we can undo. */
export type ContentCoding = "gzip" | "deflate";

/** Headers for the page, and what must be undone in the body. */
export interface AdaptedHeaders {
  readonly headers: readonly Header[];
  readonly coding?: ContentCoding | undefined;
  /** A coding that we cannot undo: the body is unreadable. */
  readonly unknownCoding?: string | undefined;
  readonly contentType: string;
}

/** Of the hop between agent and device (RFC 9110 7.6.1), or of the device's own origin. */
const DROPPED = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "alt-svc",
  "clear-site-data", // would wipe our service worker
  "public-key-pins",
  "service-worker-allowed",
  "set-cookie",
  "set-cookie2",
  "strict-transport-security",
  "x-frame-options", // has no way to name the shell; frame-ancestors has
  "cross-origin-opener-policy", // a tab of its own reaches the shell by its opener (DESIGN 6)
  "cross-origin-opener-policy-report-only",
  "nel", // reports go past the service worker
  "report-to",
  "reporting-endpoints",
]);

const POLICIES = new Set(["content-security-policy", "content-security-policy-report-only"]);

/** Adapts one response. `ownUrl` is the URL that was asked for. */
export function adaptHeaders(
  head: ResponseHead,
  options: { ownUrl: string; needs: PolicyNeeds },
): AdaptedHeaders {
  const lines = head.headers.map(([name, value]): Header => [name.toLowerCase(), value]);
  const hop = new Set(all(lines, "connection").flatMap(tokens));
  const codings = all(lines, "content-encoding").flatMap(tokens).filter((coding) =>
    coding !== "identity"
  );
  const kept = lines.filter(([name]) => !DROPPED.has(name) && !hop.has(name));
  const headers = kept
    .filter(([name]) => name !== "content-encoding")
    .filter(([name]) => name !== "content-length" || codings.length === 0)
    .map(([name, value]): Header => [name, adapt(name, value, options)])
    .filter(([name, value]) => !POLICIES.has(name) || value !== "");
  const contentType = all(lines, "content-type")[0] ?? "";
  const added = addedPolicies(lines, options);
  return { headers: [...headers, ...added], contentType, ...readCodings(codings) };
}

/** A page that names its ancestors by policy as well is not asked by X-Frame-Options (CSP3 6.4.2.2). */
function addedPolicies(
  lines: readonly Header[],
  { ownUrl, needs: { shellOrigin, lan = "" } }: { ownUrl: string; needs: PolicyNeeds },
): Header[] {
  if (!/^\s*(?:text\/html|application\/xhtml\+xml)\b/i.test(all(lines, "content-type")[0] ?? "")) {
    return [];
  }
  const named = all(lines, "content-security-policy").some((value) =>
    /frame-ancestors/i.test(value)
  );
  const option = named ? undefined : all(lines, "x-frame-options")[0];
  const framing = option === undefined ? undefined : framePolicy(option, shellOrigin);
  const policies = all(lines, "content-security-policy");
  const boxed = policies.some(takesOrigin) ? BOXED_POLICY : undefined;
  const isMixed = ownUrl.startsWith("https:") && lan.startsWith("http:");
  return [framing, PAGE_POLICY, boxed, isMixed ? UPGRADING_POLICY : undefined].filter((policy) =>
    policy !== undefined
  )
    .map((policy): Header => ["content-security-policy", policy]);
}

/** Makes a Headers object; lines that a browser would refuse are left out rather than lose the response. */
export function toHeaders(lines: readonly Header[]): Headers {
  const headers = new Headers();
  for (const [name, value] of lines) {
    try {
      headers.append(name, value);
    } catch {
      continue; // not Latin-1, say: browsers drop such lines on the network as well
    }
  }
  return headers;
}

function adapt(
  name: string,
  value: string,
  options: { ownUrl: string; needs: PolicyNeeds },
): string {
  if (name === "location") return adaptLocation(escapedBytes(value), options.ownUrl);
  return POLICIES.has(name) ? adaptPolicies(value, options.needs) : value;
}

/** Browsers escape a Location's bytes beyond ASCII; Chromium reads those of a worker's answer as characters. */
function escapedBytes(value: string): string {
  return value.replace(
    /[\x80-\xff]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * The agent has made the target's own absolute URLs relative. What is left here: a device that was told our host's
 * name and takes itself for http.
 */
function adaptLocation(value: string, ownUrl: string): string {
  const target = URL.parse(value, ownUrl);
  const own = new URL(ownUrl);
  if (target === null || target.host !== own.host || target.origin === own.origin) return value;
  return target.href.slice(target.origin.length);
}

function readCodings(
  codings: readonly string[],
): { coding?: ContentCoding; unknownCoding?: string } {
  const [coding, ...more] = codings;
  if (coding === undefined) return {};
  if (more.length > 0) return { unknownCoding: codings.join(", ") };
  if (coding === "gzip" || coding === "x-gzip") return { coding: "gzip" };
  return coding === "deflate" ? { coding } : { unknownCoding: coding };
}

function all(lines: readonly Header[], wanted: string): string[] {
  return lines.filter(([name]) => name === wanted).map(([, value]) => value);
}

function tokens(value: string): string[] {
  return value.split(",").map((token) => token.trim().toLowerCase()).filter((token) =>
    token !== ""
  );
}
