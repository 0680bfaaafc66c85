/** What an unsafe request makes doubtful (RFC 9111 4.4). Pure. */
import type { ResponseHead } from "../../../src/protocol/http.ts";
import { rawPath } from "../request_head.ts";
import { valueOf } from "./fields.ts";

/** Methods that change nothing (RFC 9110 9.2.1). */
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** Whether a request may change something at the service. */
export function isUnsafe(method: string): boolean {
  return !SAFE.has(method);
}

/** The paths of our origin whose stored answers go: of the request, its Location and its Content-Location. */
export function invalidatedPaths(url: string, { status, headers }: ResponseHead): string[] {
  if (status < 200 || status > 399) return []; // an error changed nothing
  const { origin } = new URL(url);
  const named = ["location", "content-location"].map((name) => {
    const value = valueOf(headers, name);
    return value === undefined ? null : URL.parse(value, url);
  });
  const urls = [new URL(url), ...named].filter((one) => one !== null && one.origin === origin);
  return [...new Set(urls.map((one) => rawPath(one!.href, origin)))]; // filtered above
}

/** Whether the service wants its cached answers gone (W3C Clear-Site-Data). */
export function clearsCache({ headers }: ResponseHead): boolean {
  return /"(?:cache|\*)"/.test(valueOf(headers, "clear-site-data") ?? "");
}
