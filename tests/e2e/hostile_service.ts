/**
 * A device's web server that misbehaves, one path for each way to do so, and a well-behaved WebSocket beside them: what
 * the rest of a session is measured by.
 *
 *   /            a page that opens a WebSocket to /echo; `echo(text)` in it sends and gives what came back
 *   /fine        a short text
 *   /stall       does not answer until `answerStalled`, and then without an end
 *   /cut         promises a megabyte and breaks off; /cut-chunked does so without a promised length
 *   /head-100    an answer with 100 KiB of headers; /head-40 with 40 KiB, and a body without an end
 *   /no-http     something else than HTTP
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocketServer } from "ws";

const HOST = "127.0.0.1";
const KIB = 1024;
/** Bytes of a cut answer that do arrive: more than any buffer on the way holds back. */
const CUT_AFTER_BYTES = 100 * KIB;
/** A header line that fits any server's and any browser's limit for one line. */
const LINE_BYTES = 4 * KIB;
/** How long a connection may take to come or go on a loaded machine. */
const LIMIT_MS = 30_000;
const LOOK_EVERY_MS = 20;

const PAGE =
  `<!DOCTYPE html><meta charset="utf-8"><title>Hostile service</title><h1>Hostile service</h1>
<p id="socket">connecting</p>
<script>
const socket = new WebSocket(location.origin.replace("http", "ws") + "/echo");
const waiting = [];
socket.onopen = () => document.querySelector("#socket").textContent = "connected";
socket.onclose = () => document.querySelector("#socket").textContent = "closed";
socket.onmessage = ({ data }) => waiting.shift()(data);
globalThis.echo = (text) => new Promise((resolve, reject) => {
  if (socket.readyState !== 1) return reject(new Error("the WebSocket is not open"));
  waiting.push(resolve);
  socket.send(text);
});
</script>`;

/** See the head of this file. Dispose of it. */
export class HostileService implements AsyncDisposable {
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #open = new Map<string, number>();
  readonly #stalled = new Set<ServerResponse>();
  #server: Server;
  #port = 0;

  private constructor() {
    this.#server = this.#createServer();
  }

  static async start(): Promise<HostileService> {
    const service = new HostileService();
    await service.listen();
    return service;
  }

  get url(): string {
    return `http://${HOST}:${this.#port}`;
  }

  /** Takes connections again after `stopListening`, on the same port. */
  async listen(): Promise<void> {
    this.#server.listen(this.#port, HOST);
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Refuses connections from now on, as a program that ended does; the WebSockets that are open stay. */
  stopListening(): void {
    this.#server.close();
    this.#server.closeAllConnections();
    this.#server = this.#createServer();
  }

  /** Gives everyone who waits for /stall a head and the beginning of a body. */
  answerStalled(): void {
    for (const response of this.#stalled) response.writeHead(200).write("at last");
    this.#stalled.clear();
  }

  /** Waits until so many requests of this path are under way: whose connection is open and whose answer has not ended. */
  async untilOpen(path: string, count: number): Promise<void> {
    const end = performance.now() + LIMIT_MS;
    while ((this.#open.get(path) ?? 0) !== count) {
      const found = this.#open.get(path) ?? 0;
      assert.ok(performance.now() < end, `${found} requests of ${path} are open, not ${count}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#sockets.clients) client.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #createServer(): Server {
    const server = createServer((request, response) => this.#serve(request, response));
    server.on("clientError", (_error, socket) => socket.destroy());
    server.on("upgrade", (request, socket, head) => {
      socket.on("error", () => {});
      this.#sockets.handleUpgrade(request, socket, head, (peer) => {
        peer.on("error", () => {});
        peer.on("message", (data, binary) => peer.send(data, { binary }));
      });
    });
    return server;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "";
    request.on("error", () => {});
    response.on("error", () => {});
    this.#count(path, 1);
    response.on("close", () => this.#count(path, -1));
    if (path === "/stall") this.#stalled.add(response);
    else answer(path, response);
  }

  #count(path: string, change: number): void {
    this.#open.set(path, (this.#open.get(path) ?? 0) + change);
  }
}

function answer(path: string, response: ServerResponse): void {
  switch (path) {
    case "/":
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      return void response.end(PAGE);
    case "/fine":
      return void response.end("fine");
    case "/cut":
      response.writeHead(200, { "content-type": "text/plain", "content-length": 1024 * KIB });
      return cut(response);
    case "/cut-chunked":
      response.writeHead(200, { "content-type": "text/plain" });
      return cut(response);
    case "/head-100":
      response.writeHead(200, lines(100 * KIB));
      return void response.end("too late");
    case "/head-40":
      response.writeHead(200, lines(40 * KIB));
      return void response.write("a body whose end never comes");
    case "/no-http":
      return void response.socket?.end("+OK this is another protocol\r\n");
    default:
      response.writeHead(404);
      return void response.end("not here");
  }
}

function cut(response: ServerResponse): void {
  response.write("x".repeat(CUT_AFTER_BYTES), () => response.destroy());
}

function lines(bytes: number): Record<string, string> {
  const names = Array.from({ length: bytes / LINE_BYTES }, (_, index) => `x-long-${index}`);
  return Object.fromEntries(names.map((name) => [name, "v".repeat(LINE_BYTES)]));
}
