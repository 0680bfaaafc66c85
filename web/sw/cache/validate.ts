/** Asking a service whether a stored answer still holds, and taking its word (RFC 9111 4.3). Pure. */
import type { Header, ResponseHead } from "../../../src/protocol/http.ts";
import { valueOf } from "./fields.ts";
import { storedHeaders } from "./storable.ts";
import type { StoredResponse } from "./stored_response.ts";

/** What a 304 cannot change: it describes the stored body (RFC 9111 3.2). */
const OF_THE_BODY: ReadonlySet<string> = new Set([
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
]);

/**
 * The preconditions (RFC 9111 4.3.1); none if it cannot be asked about. An answer that may be another request's
 * (`fits` says no) is only asked about by its ETag: a date does not tell variants apart.
 */
export function preconditions({ headers }: StoredResponse, fitting: boolean): readonly Header[] {
  const etag = valueOf(headers, "etag");
  const changed = fitting ? valueOf(headers, "last-modified") : undefined;
  const lines: Header[] = [];
  if (etag !== undefined) lines.push(["if-none-match", etag]);
  if (changed !== undefined) lines.push(["if-modified-since", changed]);
  return lines;
}

/**
 * Whether a 304 speaks of this answer (RFC 9111 4.3.4). One without a validator is taken as an answer to what was asked,
 * though a server must repeat its ETag (RFC 9110 15.4.5): many a small one does not, and browsers take it so.
 */
export function confirms(head: ResponseHead, stored: StoredResponse): boolean {
  const told = valueOf(head.headers, "etag");
  const known = valueOf(stored.headers, "etag");
  if (told !== undefined) return known !== undefined && opaque(told) === opaque(known);
  return true;
}

/** The stored answer with the fields of a 304 (RFC 9111 3.2, 4.3.4). */
export function refreshed(
  stored: StoredResponse,
  head: ResponseHead,
  times: { requestedAt: number; respondedAt: number },
): StoredResponse {
  const news = storedHeaders(head.headers).filter(([name]) => !OF_THE_BODY.has(name));
  const replaced = new Set(news.map(([name]) => name));
  // An Age was that of the answer before; a 304 that has none is of this moment.
  const kept = stored.headers.filter(([name]) => !replaced.has(name) && name !== "age");
  return { ...stored, ...times, usedAt: times.respondedAt, headers: [...kept, ...news] };
}

/** Weak comparison (RFC 9110 8.8.3.2): If-None-Match is weak. */
function opaque(etag: string): string {
  return etag.trim().replace(/^W\//, "");
}
