/**
 * What may stand in a head that crosses the agent. Pure. Not here: whose origin a request claims (`policy.ts`).
 *
 * A head is refused when it could mean two things to two parsers (RFC 9112 11.2), and everything that concerns one
 * connection only is left out on both sides (RFC 9110 7.6.1).
 */
import { StreamError } from "../protocol/errors.ts";
import { type Header, type RequestHead, TOKEN } from "../protocol/http.ts";
import { HEAD_LIMIT_BYTES, METHOD_LIMIT_CHARACTERS } from "./limits.ts";

const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/; // RFC 9110 5.5
const PATH = /^\/[\x21\x22\x24-\x7e]*$/; // visible ASCII without "#"; browsers send all of these raw
const LENGTH = /^\d{1,15}$/;

/** Tunnels and echoes of secrets: no page may ask for them, and a service has no use for them. */
const REFUSED_METHODS: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

/** RFC 9110 7.6.1, and those that older software uses alike. `Expect` is answered by our side's own buffers. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "http2-settings",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * The name as a service may read it. CGI and WSGI fold "_" and "-" into one, so that `Transfer_Encoding` and
 * `X_Forwarded_For` would slip past a comparison by letters.
 */
export function foldedName(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}

/** Throws a StreamError "protocol" or "limit" unless the head is one that every parser reads alike. */
export function checkRequestHead(head: RequestHead): void {
  if (!isMethod(head.method)) throw refusal("the method is not allowed");
  if (!PATH.test(head.path)) throw refusal("the path has foreign characters or no leading slash");
  let size = head.method.length + head.path.length;
  for (const [name, value] of head.headers) {
    if (!TOKEN.test(name)) throw refusal("a header name is not a token");
    if (!VALUE.test(value)) throw refusal("a header value has foreign characters");
    size += name.length + value.length + 4;
  }
  if (size <= HEAD_LIMIT_BYTES) return;
  throw new StreamError("limit", `Cannot send a request: head above ${HEAD_LIMIT_BYTES} bytes`);
}

function isMethod(method: string): boolean {
  return method.length <= METHOD_LIMIT_CHARACTERS && TOKEN.test(method) &&
    !REFUSED_METHODS.has(method.toUpperCase());
}

function refusal(reason: string): StreamError {
  return new StreamError("protocol", `Cannot send a request: ${reason}`);
}

/** The headers without those that concern one connection only. Order and repetitions stay. */
export function endToEnd(headers: readonly Header[]): readonly Header[] {
  const named = new Set<string>();
  for (const [name, value] of headers) {
    if (foldedName(name) !== "connection") continue;
    for (const option of value.split(",")) named.add(foldedName(option.trim()));
  }
  return headers.filter(([name]) => {
    const folded = foldedName(name);
    return !HOP_BY_HOP.has(folded) && !folded.startsWith("proxy-") && !named.has(folded);
  });
}

/** The value of a header, the first one if it is repeated. */
export function valueOf(headers: readonly Header[], wanted: string): string | undefined {
  return headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
}

/** The length that a body claims: undefined unless it claims exactly one, in plain digits. */
export function claimedLength(headers: readonly Header[]): number | undefined {
  const values = headers.filter(([name]) => foldedName(name) === "content-length");
  const [only] = values;
  return values.length === 1 && only && LENGTH.test(only[1]) ? Number(only[1]) : undefined;
}

/** Node's flat list as pairs. */
export function pairs(raw: readonly string[]): readonly Header[] {
  const headers: Header[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) headers.push([raw[i]!, raw[i + 1]!]);
  return headers;
}
