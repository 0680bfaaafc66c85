/** What a page may hand to `new WebSocket` and `close`, checked as WHATWG WebSockets 3.1 says. Pure. */
import { TOKEN } from "../../src/protocol/http.ts";
import { rawPath } from "../sw/request_head.ts";

const MAX_REASON_BYTES = 123; // RFC 6455 5.5

/** Where a socket goes. */
export interface SocketTarget {
  /** What the page sees: ws or wss. */
  readonly url: URL;
  /** Path and query as they travel. */
  readonly path: string;
}

/** Reads the URL argument. Throws a SyntaxError DOMException for what no WebSocket can have. */
export function readUrl(value: string, base: string): SocketTarget {
  const url = URL.parse(value, base);
  if (url === null) throw new DOMException(`The URL "${value}" is invalid.`, "SyntaxError");
  if (url.protocol === "http:") url.protocol = "ws:";
  if (url.protocol === "https:") url.protocol = "wss:";
  if (url.protocol !== "ws:" && url.protocol !== "wss:") {
    throw new DOMException(`The URL's scheme "${url.protocol}" is not allowed.`, "SyntaxError");
  }
  if (url.href.includes("#")) {
    throw new DOMException(`The URL contains a fragment ("${url.hash}").`, "SyntaxError");
  }
  const bare = new URL(url);
  bare.username = "";
  bare.password = "";
  return { url, path: rawPath(bare.href, `${bare.protocol}//${bare.host}`) };
}

/** Reads the subprotocols. Throws a SyntaxError DOMException for a bad or repeated one. */
export function readProtocols(value: string | readonly string[] | undefined): string[] {
  const protocols = (typeof value === "string" ? [value] : [...(value ?? [])]).map(String);
  const valid = protocols.every((protocol) => TOKEN.test(protocol));
  const distinct = new Set(protocols.map((protocol) => protocol.toLowerCase())).size;
  if (valid && distinct === protocols.length) return protocols;
  throw new DOMException("A subprotocol is invalid or given twice.", "SyntaxError");
}

/** Reads the arguments of `close`; 1005 stands for none. Throws as the standard says. */
export function readClose(
  code: number | undefined,
  reason: string | undefined,
): { code: number; reason: string } {
  if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
    throw new DOMException(
      `The close code must be 1000 or between 3000 and 4999; ${code} is neither.`,
      "InvalidAccessError",
    );
  }
  if (new TextEncoder().encode(reason ?? "").length > MAX_REASON_BYTES) {
    throw new DOMException("The close reason is longer than 123 bytes.", "SyntaxError");
  }
  return { code: code ?? (reason === undefined ? 1005 : 1000), reason: reason ?? "" };
}
