/**
 * A file that a link with `download` names (web/inject/downloads.ts), as an attachment with that name. What the device
 * says about the name counts more (HTML 4.6.6). A download that fails fails as a download, where people look for it.
 */
import { DOWNLOAD_PATH, RESERVED_PREFIX } from "./port_messages.ts";

/** Longest name, in characters; file systems take 255 bytes. */
const MAX_NAME_LENGTH = 255;

/** Answers a request for a download; undefined for any other. `device` answers a request of the device's page. */
export function answerDownload(
  request: Request,
  device: (request: Request) => Promise<Response>,
): Promise<Response> | undefined {
  const url = new URL(request.url);
  if (url.pathname !== DOWNLOAD_PATH || request.method !== "GET") return undefined;
  const target = URL.parse(url.searchParams.get("url") ?? "", url.origin);
  if (target?.origin !== url.origin || target.protocol !== url.protocol) return undefined;
  if (target.pathname.startsWith(RESERVED_PREFIX)) return undefined;
  const { headers, referrer } = request;
  const from = URL.parse(referrer)?.origin === url.origin ? { referrer } : {};
  const name = url.searchParams.get("name") || lastSegment(target.pathname);
  return answer(device(new Request(target, { headers, ...from })), name);
}

async function answer(pending: Promise<Response>, name: string): Promise<Response> {
  const response = await pending;
  const headers = new Headers(response.headers);
  headers.set("content-disposition", disposition(headers.get("content-disposition"), name));
  if (response.ok) return new Response(response.body, { headers });
  response.body?.cancel().catch(() => {}); // it may have failed already
  headers.delete("content-length");
  return new Response(brokenBody(`status ${response.status}`), { headers });
}

/** Content-Disposition with the device's own file name if it gave one (RFC 6266), else with this name. */
export function disposition(own: string | null, name: string): string {
  const parameters = /;.*\bfilename\*?\s*=.*/is.exec(own ?? "");
  if (parameters !== null) return `attachment${parameters[0]}`;
  const escaped = encodeURIComponent(cleanName(name)).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename*=UTF-8''${escaped}`;
}

/** Without lone surrogates, which have no UTF-8. */
function cleanName(name: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(name.slice(0, MAX_NAME_LENGTH)));
}

function lastSegment(path: string): string {
  const segment = path.slice(path.lastIndexOf("/") + 1);
  try {
    return decodeURIComponent(segment) || "download";
  } catch {
    return segment;
  }
}

function brokenBody(why: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => controller.error(new TypeError(`Cannot download: ${why}`)),
  });
}
