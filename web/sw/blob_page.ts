/**
 * A page's own HTML that stands in a blob (web/inject/frames.ts), with our script in front: Chromium shows the requests of a
 * `blob:` document to no service worker, those of a document that came from it always. Likewise a shared worker's script in
 * Firefox (web/inject/workers.ts), which has our script in front already.
 */
import { holdFramesStream } from "./held_frames.ts";
import { injectStream, mayInject } from "./inject_html.ts";
import { BLOB_PATH } from "./port_messages.ts";

/** Answers a request for such a page; undefined for any other. */
export function answerBlobPage(request: Request, tag: () => string): Promise<Response> | undefined {
  const { pathname, searchParams, origin } = new URL(request.url);
  const blob = searchParams.get("url") ?? "";
  if (pathname !== BLOB_PATH || !blob.startsWith(`blob:${origin}/`)) return undefined;
  return answer(blob, tag());
}

async function answer(blob: string, tag: string): Promise<Response> {
  const gone = () => new Response(null, { status: 404 }); // given up before it was asked for
  const found = await fetch(blob).catch(gone);
  if (!found.ok || found.body === null) return gone();
  const type = found.headers.get("content-type") ?? "text/html";
  const body = mayInject(type)
    ? found.body.pipeThrough(injectStream(tag)).pipeThrough(holdFramesStream())
    : found.body;
  return new Response(body, { headers: { "content-type": type, "cache-control": "no-store" } });
}
