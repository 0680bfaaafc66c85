/**
 * Where WebSockets come in: `/v1/device` and `/v1/browser`. Decides by head alone, before anything is allocated, who
 * may try; the rest is a plain HTTP refusal.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
// @ts-types="npm:@types/ws@8.18.2"
import { type WebSocket, WebSocketServer } from "ws";
import { clientAddress } from "./address.ts";
import { Turnstile } from "./turnstile.ts";
import { BrowserConnection } from "./browser_connection.ts";
import { ClientSocket } from "./client_socket.ts";
import type { Desk } from "./desk.ts";
import { DeviceConnection } from "./device_connection.ts";
import type { Origins } from "./origins.ts";
import { requestSite } from "./site.ts";

export interface GatewayOptions {
  readonly desk: Desk;
  readonly origins: Origins;
  /** Proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: ReadonlySet<string>;
}

type Kind = "device" | "browser";
type Decision = { readonly kind: Kind } | { readonly status: 403 | 404 | 421 };

export class Gateway {
  readonly #options: GatewayOptions;
  readonly #turnstiles: Readonly<Record<Kind, Turnstile>>;
  readonly #webSockets: WebSocketServer;
  readonly #open = new Set<ClientSocket>();
  #closed = false;

  constructor(options: GatewayOptions) {
    const { limits } = options.desk;
    this.#options = options;
    this.#turnstiles = {
      device: new Turnstile(limits.devices, limits.devicesPerAddress),
      browser: new Turnstile(limits.browsers, limits.browsersPerAddress),
    };
    this.#webSockets = new WebSocketServer({
      noServer: true,
      autoPong: false, // `ws` would queue pongs without end for one who does not read: see client_socket.ts
      clientTracking: false,
      perMessageDeflate: false, // sealed bytes do not shrink, and each stream would cost memory
      maxPayload: limits.messageBytes,
    });
  }

  /** For the server's `upgrade` event. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    socket.on("error", () => socket.destroy()); // a stranger's broken connection is not news
    const decision = this.#closed
      ? { status: 404 } as const
      : decide(request, this.#options.origins);
    if ("status" in decision) return refuse(socket, decision.status);
    const address = clientAddress(
      request.socket.remoteAddress,
      request.headers["x-forwarded-for"]?.toString(),
      this.#options.trustedProxies,
    );
    const { kind } = decision;
    const admission = this.#turnstiles[kind];
    const place = { address, end: () => socket.destroy() };
    if (!admission.enter(place)) {
      this.#options.desk.log.debug("socket.turned_away", { kind });
      return refuse(socket, 503);
    }
    socket.once("close", () => admission.leave(place));
    // deno-lint-ignore no-node-globals -- `ws` asks for Node's own byte type
    this.#webSockets.handleUpgrade(request, socket, head as Buffer, (webSocket) => {
      this.#welcome(webSocket, kind, address);
    });
  }

  /** Turns new ones away and ends all others. */
  close(): void {
    this.#closed = true;
    for (const socket of this.#open) socket.terminate();
  }

  counts(): { devices: number; browsers: number } {
    return { devices: this.#turnstiles.device.count, browsers: this.#turnstiles.browser.count };
  }

  #welcome(webSocket: WebSocket, kind: Kind, address: string): void {
    const { desk } = this.#options;
    const { limits, now } = desk;
    const idleMs = kind === "device" ? limits.deviceIdleMs : limits.browserIdleMs;
    const socket = new ClientSocket(webSocket, { limits, idleMs, now });
    this.#open.add(socket);
    const Connection = kind === "device" ? DeviceConnection : BrowserConnection;
    new Connection(socket, desk, address).start(() => this.#open.delete(socket));
  }
}

/**
 * A device may come by any name of this machine but a content host. It never sends an Origin: one that does is a page
 * in somebody's browser. A browser comes from the shell's own page.
 */
function decide(request: IncomingMessage, origins: Origins): Decision {
  const site = requestSite(request, origins);
  const { origin } = request.headers;
  if (site === "content") return { status: 404 };
  if (request.url === "/v1/device") {
    return origin === undefined ? { kind: "device" } : { status: 403 };
  }
  if (site !== "shell") return { status: 421 };
  if (request.url !== "/v1/browser") return { status: 404 };
  return origin === origins.shell ? { kind: "browser" } : { status: 403 };
}

const REASONS = {
  403: "Forbidden",
  404: "Not Found",
  421: "Misdirected Request",
  503: "Service Unavailable",
} as const;

function refuse(socket: Duplex, status: keyof typeof REASONS): void {
  socket.once("finish", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${REASONS[status]}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
  );
}
