/**
 * A device with a page of 60 files, as a process of its own: `pages_process.ts [HOST]` prints `{"port": N}` and serves until
 * it is killed. The page comes twice: `/fresh/` as lighttpd sends files (ETag and an old Last-Modified: browsers keep them for a
 * while), `/asked/` with `no-cache` (kept, and asked for each time).
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Files beside the page itself: 60 in all. Sizes in bytes, as those of a device's web application are. */
const STYLES = { count: 4, bytes: 18_000 };
const SCRIPTS = { count: 15, bytes: 32_000 };
const PICTURES = { count: 40, bytes: 12_000 };

const MONTH_MS = 30 * 86_400_000;
const LAST_MODIFIED = new Date(Date.now() - MONTH_MS).toUTCString();
const TYPES = { css: "text/css", js: "text/javascript", svg: "image/svg+xml" } as const;
type Kind = keyof typeof TYPES;

const HTML = `<!doctype html><html lang="en"><meta charset="utf-8"><title>sixty files</title>
${each(STYLES.count, (at) => `<link rel="stylesheet" href="${at}.css">`)}
${each(SCRIPTS.count, (at) => `<script src="${at}.js" defer></script>`)}
<body><h1>sixty files</h1>${
  each(PICTURES.count, (at) => `<img src="${at}.svg" width="24" height="24" alt="">`)
}`;

const FILES: Readonly<Record<Kind, string>> = {
  css: filled(".filler { color: red }\n", STYLES.bytes),
  js: filled("/* filler of a script */\n", SCRIPTS.bytes),
  svg: `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24"><!--${
    filled("filler ", PICTURES.bytes)
  }--><path d="M0 0h24v24H0z"/></svg>`,
};

function each(count: number, write: (at: number) => string): string {
  return Array.from({ length: count }, (_, at) => write(at)).join("\n");
}

/** Text that no compression would make small; none is asked for here. */
function filled(text: string, bytes: number): string {
  return text.repeat(Math.ceil(bytes / text.length)).slice(0, bytes);
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const [, kind, name = ""] = (request.url ?? "").split(/[/?]/);
  const extension = name.split(".")[1] as Kind | undefined;
  if (kind !== "fresh" && kind !== "asked") return void response.writeHead(404).end();
  const type = extension === undefined ? "text/html" : TYPES[extension];
  const body = extension === undefined ? HTML : FILES[extension];
  const etag = `"${kind}-${name}-${body.length}"`;
  const headers = {
    etag,
    ...kind === "asked" ? { "cache-control": "no-cache" } : { "last-modified": LAST_MODIFIED },
  };
  if (request.headers["if-none-match"] === etag) return void response.writeHead(304, headers).end();
  response.writeHead(200, { ...headers, "content-type": type }).end(body);
}

const server = createServer(answer);
server.keepAliveTimeout = 60_000;
server.listen(0, Deno.args[0] ?? "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify({ port })}\n`));
});
