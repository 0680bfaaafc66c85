/**
 * The device of the conformance cases: an HTTP/1.1 server on a bare socket, because most cases are about bytes that a
 * proper server would not send. A case says by path what happens; what it does not say is the case's own page.
 */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
// @ts-types="npm:@types/ws@8.18.2"
import { type WebSocket, WebSocketServer } from "ws";
import { Exchange } from "./exchange.ts";
import { SocketReader } from "./socket_reader.ts";

/** The most that `ws` takes in one message: a little more than the longest that a case sends. */
const MESSAGE_LIMIT_BYTES = 8 << 20;

/** Answers one request. When it returns, the connection goes on if the answer said its own end, and ends otherwise. */
export type Handler = (exchange: Exchange) => Promise<void> | void;
/** Answers one WebSocket; `exchange` has its handshake. */
export type SocketHandler = (socket: WebSocket, exchange: Exchange) => void;

/** What a case's device does. A path that ends with `*` stands for all that begin so; the first that fits counts. */
export interface Device {
  readonly paths?: Readonly<Record<string, Handler>>;
  readonly sockets?: Readonly<Record<string, SocketHandler>>;
  /** Subprotocol that it chooses among the offered ones. */
  readonly subprotocol?: string;
}

/** See the head of this file. Dispose of it. */
export class DeviceServer implements AsyncDisposable {
  /** Requests that came past the tunnel although the tunnel was to be used: "GET /path". */
  readonly bypasses: string[] = [];
  readonly #server: Server;
  readonly #host: string;
  readonly #open = new Set<Socket>();
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_LIMIT_BYTES,
    handleProtocols: (offered) => {
      const chosen = this.#device.subprotocol;
      return chosen !== undefined && offered.has(chosen) ? chosen : false;
    },
  });
  #port = 0;
  #device: Device = {};
  #tunnelOnly = false;

  constructor(host = "127.0.0.1") {
    this.#host = host;
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#open.add(socket);
      socket.setMaxListeners(0); // each write that waits has one
      socket.on("error", () => {}); // browsers and agents cut connections as they like
      socket.on("close", () => this.#open.delete(socket));
      this.#serve(socket).catch(() => socket.destroy()); // a handler whose reader is gone
    });
  }

  async start(): Promise<this> {
    await this.listen();
    return this;
  }

  /** Takes connections, again after `stopListening` on the same port. */
  async listen(): Promise<void> {
    this.#server.listen(this.#port, this.#host);
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Refuses connections and cuts the open ones, as a device without power does. */
  async stopListening(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.cut();
    await closed;
  }

  get authority(): string {
    return `${this.#host}:${this.#port}`;
  }

  get url(): string {
    return `http://${this.authority}`;
  }

  /** Begins a run: a fresh device; with `tunnelOnly` a request that did not come from an agent is cut and noted. */
  become(device: Device, { tunnelOnly }: { readonly tunnelOnly: boolean }): void {
    this.#device = device;
    this.#tunnelOnly = tunnelOnly;
    this.bypasses.length = 0;
  }

  /** Cuts all connections. */
  cut(): void {
    for (const socket of this.#open) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.stopListening();
    this.#webSockets.close();
  }

  async #serve(socket: Socket): Promise<void> {
    const reader = new SocketReader(socket);
    while (!socket.destroyed) {
      const head = await reader.head();
      if (head === undefined) return void socket.end();
      const exchange = new Exchange({ head, reader, socket, authority: this.authority });
      if (this.#tunnelOnly && !this.#cameByAgent(exchange)) {
        this.bypasses.push(`${exchange.method} ${exchange.target}`);
        return void socket.destroy();
      }
      if (exchange.header("upgrade")?.toLowerCase() === "websocket") {
        return this.#upgrade(exchange, reader);
      }
      const answer = found(this.#device.paths, exchange.path) ?? notFound;
      await answer(exchange);
      if (!exchange.isWhole) return void socket.end();
      await exchange.skipBody();
    }
  }

  /** A page on a content origin that came past the agent would say that origin. */
  #cameByAgent(exchange: Exchange): boolean {
    return exchange.header("x-forwarded-host") !== undefined ||
      exchange.header("origin") === `http://${this.authority}`;
  }

  #upgrade(exchange: Exchange, reader: SocketReader): void {
    const handler = found(this.#device.sockets, exchange.path);
    const { socket } = exchange;
    const rest = reader.release();
    if (handler === undefined) {
      return void socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    }
    const { method, target: url } = exchange;
    const headers = Object.fromEntries(
      exchange.headers.map(([name, value]) => [name.toLowerCase(), value]),
    );
    const request = { method, url, headers } as unknown as Parameters<
      WebSocketServer["handleUpgrade"]
    >[0]; // all that `ws` reads of it
    this.#webSockets.handleUpgrade(request, socket, rest, (client) => {
      client.on("error", () => {}); // whoever is at the other end hears of it
      handler(client, exchange);
    });
  }
}

function notFound(exchange: Exchange): void {
  exchange.reply({ status: 404, body: "not here" });
}

function found<T>(table: Readonly<Record<string, T>> | undefined, path: string): T | undefined {
  const entry = Object.entries(table ?? {}).find(([pattern]) =>
    pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern
  );
  return entry?.[1];
}
