/**
 * A device's web server for the tests of unmodified pages. A test hands in its pages by path; whatever a page finds out it
 * posts to `/report/NAME` itself, so the same page runs beside the device and through the tunnel, in any browser.
 *
 *   /report/NAME   keeps the posted JSON for `report(NAME)`
 *   /socket…       WebSocket: echoes; chooses the subprotocol "second"; `close CODE REASON` closes; `/socket/headers` tells
 *                  its handshake's headers; `/socket/refused` is 403
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
// @ts-types="npm:@types/ws@8.18.2"
import { type WebSocket, WebSocketServer } from "ws";

const HOST = "127.0.0.1";
/** How long a page may take to report on a loaded machine. */
const REPORT_LIMIT_MS = Number(Deno.env.get("REPORT_LIMIT_MS") ?? 45_000);

/** One answer of the service. */
export interface ServedPage {
  readonly body: string | Uint8Array;
  /** `text/html; charset=utf-8` if missing. */
  readonly type?: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** Answers a request itself, at its own pace. It must not throw. */
export type Answerer = (request: IncomingMessage, response: ServerResponse) => void;

/** Pages by path without query. A text is HTML. */
export type ServedPages = Readonly<Record<string, string | ServedPage | Answerer>>;

/** What every page may call; put in front of a page's own script by `page`. */
const PRELUDE = `<script>
globalThis.report = (name, value) =>
  fetch("/report/" + name, { method: "POST", body: JSON.stringify(value ?? null) });
globalThis.reportOf = (name, promise) => Promise.resolve(promise)
  .catch((error) => ({ failed: String(error && (error.name + ": " + error.message)) }))
  .then((value) => report(name, value));
</script>`;

/** A page with `report(name, value)` and `reportOf(name, promise)`. */
export function page(html: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>case</title><body>${PRELUDE}${html}`;
}

/** See the head of this file. Dispose of it. */
export class PagesService implements AsyncDisposable {
  /** Requests as they came: method, path with query. */
  readonly hits: string[] = [];
  readonly #pages: ServedPages;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => offered.has("second") ? "second" : false,
  });
  readonly #reports = new Map<string, unknown>();
  readonly #waiting = new Map<string, (value: unknown) => void>();

  private constructor(pages: ServedPages) {
    this.#pages = pages;
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.on("upgrade", (request, socket, head) => {
      this.hits.push(`WS ${request.url}`);
      if (request.url === "/socket/refused") return socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      this.#sockets.handleUpgrade(request, socket, head, (client) => serve(client, request));
    });
  }

  static async start(pages: ServedPages): Promise<PagesService> {
    const service = new PagesService(pages);
    service.#server.listen(0, HOST);
    await once(service.#server, "listening");
    return service;
  }

  get url(): string {
    return `http://${HOST}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** WebSockets that are open now. */
  get sockets(): number {
    return this.#sockets.clients.size;
  }

  /** Forgets what was reported. */
  clear(): void {
    this.#reports.clear();
    this.hits.length = 0;
  }

  /** What a page reported under this name; waits for it. */
  async report<T = unknown>(name: string, limitMs = REPORT_LIMIT_MS): Promise<T> {
    if (this.#reports.has(name)) return this.#reports.get(name) as T;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const reported = await new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(name, resolve);
      const late = () =>
        reject(new Error(`no page reported "${name}"; hits: ${this.hits.join(", ")}`));
      timer = setTimeout(late, limitMs);
    }).finally(() => clearTimeout(timer));
    return reported as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#sockets.clients) client.terminate();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(request.url ?? "/", this.url);
    this.hits.push(`${request.method} ${request.url}`);
    if (pathname.startsWith("/report/")) {
      return void this.#take(pathname.slice("/report/".length), request, response);
    }
    const found = this.#pages[pathname];
    if (typeof found === "function") return found(request, response);
    request.resume();
    if (found === undefined) return void response.writeHead(404).end("not here");
    const { body, type = "text/html; charset=utf-8", status = 200, headers = {} } =
      typeof found === "string" ? { body: found } as ServedPage : found;
    response.writeHead(status, { "content-type": type, ...headers } as Record<string, string>);
    response.end(body);
  }

  async #take(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const part of request) text += part;
    response.end();
    const value: unknown = JSON.parse(text);
    this.#reports.set(name, value);
    this.#waiting.get(name)?.(value);
  }
}

function serve(client: WebSocket, request: IncomingMessage): void {
  client.on("error", () => {}); // whoever is at the other end hears of it
  if (request.url === "/socket/headers") client.send(JSON.stringify(request.headers));
  client.on("message", (data: Uint8Array, binary: boolean) => {
    const text = binary ? "" : new TextDecoder().decode(data);
    const close = /^close (\d+) (.*)$/.exec(text);
    if (close !== null) client.close(Number(close[1]), close[2]);
    else client.send(data, { binary });
  });
}
