/**
 * A device's web server for the tests of the HTTP cache: a page of sixty files and a few paths that try the rules. It
 * counts what it was asked and how many bytes of bodies it sent.
 *
 *   /                 a page: 20 styles with an ETag, 20 scripts that are immutable, 20 pictures with Last-Modified
 *   /style/N /script/N /picture/N   its files; `touch` changes one
 *   /no-store /plain  never to be kept; kept for a minute
 *   /vary             its Accept, Vary: Accept
 *   /item             a number, kept for a minute; POST counts it up
 *   /cut              a body that breaks off, the first time
 *   /large/N?bytes=   so many zeros, kept for a minute
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const HOST = "127.0.0.1";
/** Files of each kind. */
export const FILES = 20;
const FILE_BYTES = 3000;
const LONG_AGO = "Mon, 01 Jan 2024 00:00:00 GMT";
const ONE_MINUTE = "max-age=60";

const PIXEL = Uint8Array.from(
  atob("R0lGODlhAQABAIAAAP///wAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw=="),
  (character) => character.charCodeAt(0),
);

/** See the head of this file. Dispose of it. */
export class CacheService implements AsyncDisposable {
  /** "GET /path 200" in the order of the answers. */
  readonly asked: string[] = [];
  /** Bytes of bodies that were sent. */
  bytes = 0;
  readonly #server: Server;
  readonly #versions = new Map<string, number>();
  #item = 1;
  #cuts = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      request.resume();
      this.#answer(request, response);
    });
  }

  static async start(): Promise<CacheService> {
    const service = new CacheService();
    service.#server.listen(0, HOST);
    await once(service.#server, "listening");
    return service;
  }

  get url(): string {
    return `http://${HOST}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Forgets what was asked. */
  reset(): void {
    this.asked.length = 0;
    this.bytes = 0;
  }

  /** What was asked for below a path. */
  askedFor(prefix: string): string[] {
    return this.asked.filter((line) => line.split(" ")[1]!.startsWith(prefix)); // each line has three words
  }

  /** Gives a file another content. */
  touch(path: string): void {
    this.#versions.set(path, this.#version(path) + 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #version(path: string): number {
    return this.#versions.get(path) ?? 1;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", this.url);
    const [, kind, number] = url.pathname.split("/");
    const send = (status: number, body: string | Uint8Array = "") => {
      this.asked.push(`${request.method} ${url.pathname} ${status}`);
      this.bytes += body.length;
      response.writeHead(status).end(body);
    };
    const kept = (body: string | Uint8Array) => {
      response.setHeader("cache-control", ONE_MINUTE);
      send(200, body);
    };
    switch (kind) {
      case "style":
      case "script":
      case "picture":
        return this.#file(request, response, { path: url.pathname, send });
      case "no-store":
        response.setHeader("cache-control", "no-store");
        response.setHeader("etag", '"x"');
        return send(200, "never kept");
      case "plain":
        return kept("kept");
      case "vary":
        response.setHeader("vary", "Accept");
        return kept(request.headers.accept ?? "");
      case "item":
        if (request.method !== "POST") return kept(String(this.#item));
        this.#item++;
        return send(204);
      case "cut":
        return this.#cut(response, kept);
      case "large":
        return kept(new Uint8Array(Number(url.searchParams.get("bytes") ?? 0)));
      case "":
        response.setHeader("content-type", "text/html");
        response.setHeader("etag", '"page"');
        if (request.headers["if-none-match"] === '"page"') return send(304);
        return send(200, page());
      default:
        return send(404, `nothing ${number}`);
    }
  }

  #file(
    request: IncomingMessage,
    response: ServerResponse,
    { path, send }: { path: string; send: (status: number, body?: string | Uint8Array) => void },
  ): void {
    const version = this.#version(path);
    const pad = "x".repeat(FILE_BYTES);
    if (path.startsWith("/script/")) {
      response.setHeader("content-type", "text/javascript");
      response.setHeader("cache-control", "max-age=31536000, immutable");
      return send(200, `globalThis.scripts = (globalThis.scripts ?? 0) + 1; /* ${pad} */`);
    }
    if (path.startsWith("/style/")) {
      const etag = `"${version}"`;
      response.setHeader("content-type", "text/css");
      response.setHeader("etag", etag);
      if (request.headers["if-none-match"] === etag) return send(304);
      return send(200, `:root { --v${path.slice(7)}: ${version}; } /* ${pad} */`);
    }
    response.setHeader("content-type", "image/gif");
    response.setHeader("cache-control", "no-cache");
    response.setHeader("last-modified", LONG_AGO);
    if (request.headers["if-modified-since"] === LONG_AGO) return send(304);
    return send(200, PIXEL);
  }

  #cut(response: ServerResponse, kept: (body: string) => void): void {
    if (this.#cuts++ > 0) return kept("whole");
    this.asked.push("GET /cut cut");
    response.writeHead(200, { "cache-control": ONE_MINUTE, "content-length": "100000" });
    response.write("x".repeat(50_000));
    setTimeout(() => response.destroy(), 100); // behind the head, so that the page has begun to read
  }
}

function page(): string {
  const numbers = Array.from({ length: FILES }, (_, index) => index);
  return `<!doctype html><meta charset="utf-8"><title>Files</title>
${numbers.map((n) => `<link rel="stylesheet" href="/style/${n}">`).join("\n")}
${numbers.map((n) => `<script src="/script/${n}"></script>`).join("\n")}
<h1>Files</h1>
${numbers.map((n) => `<img src="/picture/${n}">`).join("\n")}
<script>addEventListener("load", () => document.title = "loaded " + globalThis.scripts);</script>`;
}
