import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";

/** Files by their path in the site's folder. */
export type Site = ReadonlyMap<string, { readonly bytes: Uint8Array; readonly type: string }>;

/** Addresses that people type, and the files behind them. */
const PAGES: ReadonlyMap<string, string> = new Map([
  ["index.html", "/"],
  ["settings.html", "/settings"],
]);

interface File {
  readonly type: string;
  readonly plain: Uint8Array;
  readonly gzipped: Uint8Array;
  readonly tag: string;
}

/** The site's files, compressed once and revalidated by ETag. */
export class StaticFiles {
  readonly #files = new Map<string, File>();

  constructor(site: Site) {
    for (const [name, { bytes, type }] of site) {
      const tag = createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
      const file = { type, plain: bytes, gzipped: gzipSync(bytes), tag };
      this.#files.set(PAGES.get(name) ?? `/${name}`, file);
    }
  }

  /** All paths that `serve` knows. */
  get paths(): Iterable<string> {
    return this.#files.keys();
  }

  /** Answers a GET or HEAD. */
  serve(
    path: string,
    { request, response }: { request: IncomingMessage; response: ServerResponse },
  ): void {
    const file = this.#files.get(path);
    if (!file) return void response.writeHead(404).end();
    const isGzip = /(^|,)\s*gzip\s*(,|;q=[^0]|$)/.test(
      String(request.headers["accept-encoding"] ?? ""),
    );
    const bytes = isGzip ? file.gzipped : file.plain;
    const tag = `"${file.tag}${isGzip ? "-gzip" : ""}"`;
    const common = { "ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding" };
    if (request.headers["if-none-match"] === tag) return void response.writeHead(304, common).end();
    response.writeHead(200, {
      ...common,
      "Content-Type": file.type,
      "Content-Length": bytes.length,
      ...(isGzip && { "Content-Encoding": "gzip" }),
    }).end(bytes);
  }
}
