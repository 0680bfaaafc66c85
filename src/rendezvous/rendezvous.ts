/**
 * The rendezvous: a mailbox and a phone book, without secrets and without a disk. It brings sealed messages of
 * browsers to devices and back, hands out STUN and TURN servers, and serves the shell. It is not trusted: what it
 * could read or change would not matter (DESIGN 6 and 10). Nothing here outlives the process.
 *
 *   http ──► site.ts      the shell's files, /.porthole/ of content hosts, 404
 *   ws   ──► gateway.ts ──► device_connection.ts ◄── switchboard.ts ──► browser_connection.ts
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Bytes } from "../lib/bytes.ts";
import type { Log } from "../lib/log.ts";
import { type Asset, prepareAssets } from "./assets.ts";
import type { Verify } from "./desk.ts";
import { Gateway } from "./gateway.ts";
import { type IceConfiguration, iceServersAt } from "./ice_servers.ts";
import { DEFAULT_LIMITS, HTTP_LIMITS, type Limits } from "./limits.ts";
import { Callers } from "./newcomers.ts";
import { isOversizedHead, OversizedHeads } from "./oversized_head.ts";
import { readOrigins } from "./origins.ts";
import { Registry } from "./registry.ts";
import { createSite, type SiteCounts } from "./site.ts";
import { LocalSwitchboard } from "./switchboard.ts";
import { KeyedBuckets } from "./token_bucket.ts";

export type { Asset, IceConfiguration, Limits, Verify };

export interface RendezvousOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** `http://porthole.localhost:8080` */
  readonly shellOrigin: string;
  /** `http://*.porthole.localhost:8080` */
  readonly contentOrigin: string;
  readonly ice: IceConfiguration;
  /** `shell/index.html`, `content/sw.js` and so on. */
  readonly assets: ReadonlyMap<string, Asset>;
  /** Ed25519, strict (security.md 3.1). */
  readonly verify: Verify;
  /** The text by which browsers ask for the device that holds this key. */
  readonly deviceId: (publicKey: Bytes) => Promise<string>;
  readonly log: Log;
  /** Wall clock in ms, for the end of TURN credentials. */
  readonly now?: () => number;
  /** A clock in ms that never steps back, for rates and silence: boards set theirs long after the start. */
  readonly monotonicNow?: () => number;
  readonly limits?: Partial<Limits>;
  /** Addresses of proxies in front of us, whose X-Forwarded-For is believed. */
  readonly trustedProxies?: readonly string[];
}

/** What happened since the start, in numbers only. */
export interface RendezvousCounts extends Readonly<SiteCounts> {
  readonly devices: number;
  readonly browsers: number;
}

export interface Rendezvous {
  /** Throws an Error that says what to do when the address cannot be had. */
  listen(): Promise<{ port: number }>;
  close(): Promise<void>;
  counts(): RendezvousCounts;
}

/** Makes a rendezvous; `listen` starts it. Throws for origins that cannot be used. */
export function createRendezvous(options: RendezvousOptions): Rendezvous {
  const { log, verify, deviceId, ice } = options;
  const now = options.now ?? Date.now;
  const monotonicNow = options.monotonicNow ?? (() => performance.now());
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const origins = readOrigins(options.shellOrigin, options.contentOrigin);
  const counts: SiteCounts = { served: 0, strayed: 0, foreign: 0 };
  const site = createSite({ origins, counts, pages: prepareAssets(options.assets, origins) });
  const gateway = new Gateway({
    origins,
    trustedProxies: new Set(options.trustedProxies),
    desk: {
      switchboard: new LocalSwitchboard(),
      registry: new Registry(log, limits.clonePingMs),
      callers: new Callers(limits),
      registrationsPerAddress: new KeyedBuckets(
        limits.registrationsPerAddress,
        limits.rememberedAddresses,
      ),
      shellOrigin: origins.shell,
      iceServers: () => iceServersAt(ice, now()),
      hasRelay: ice.turn !== undefined,
      verify,
      deviceId,
      limits,
      log,
      now: monotonicNow,
    },
  });
  const server = createHttpServer(site.fetch, limits);
  server.on("upgrade", (request, socket, head) => gateway.upgrade(request, socket, head));
  return {
    async listen() {
      const port = await listen(server, options.host, options.port);
      log.info("rendezvous.listening", { host: options.host, port });
      return { port };
    },
    async close() {
      gateway.close();
      await close(server);
      log.info("rendezvous.closed", { ...counts });
    },
    counts: () => ({ ...counts, ...gateway.counts() }),
  };
}

function createHttpServer(
  answer: Parameters<typeof getRequestListener>[0],
  limits: Limits,
): Server {
  const listener = getRequestListener(answer, {
    overrideGlobalObjects: false,
    autoCleanupIncoming: false, // a body is unwanted: `connection: close` ends it (site.ts)
    errorHandler: () => new Response(null, { status: 400 }), // a head that makes no URL; not worth a log line
  });
  const server = createServer({
    maxHeaderSize: HTTP_LIMITS.headerBytes,
    requestTimeout: HTTP_LIMITS.requestTimeoutMs,
    headersTimeout: HTTP_LIMITS.headersTimeoutMs,
    keepAliveTimeout: HTTP_LIMITS.keepAliveTimeoutMs,
    connectionsCheckingInterval: HTTP_LIMITS.checkIntervalMs,
  }, (request, response) => {
    listener(request, response).catch(() => response.destroy());
  });
  server.maxConnections = limits.devices + limits.browsers + HTTP_LIMITS.plainConnections;
  const oversized = new OversizedHeads();
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (isOversizedHead(error)) oversized.answer(socket);
    else socket.destroy(); // not HTTP: a stranger's noise
  });
  return server;
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException) => reject(cannotListen(`${host}:${port}`, cause));
    server.once("error", failed);
    server.listen(port, host, () => {
      server.off("error", failed);
      server.on("error", () => {}); // one connection that could not be accepted; the others go on
      resolve((server.address() as AddressInfo).port);
    });
  });
}

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is in use. Stop the other program or choose another port",
  EACCES: "ports below 1024 need the right CAP_NET_BIND_SERVICE. Choose another port",
  EADDRNOTAVAIL: "this machine has no such address. Choose another one",
  EINVAL: "this machine has no such address. Choose another one",
};

function cannotListen(address: string, cause: NodeJS.ErrnoException): Error {
  const reason = REMEDIES[cause.code ?? ""] ?? cause.message;
  return new Error(`Cannot listen on ${address}: ${reason} (--listen; of the demo --port)`, {
    cause,
  });
}

/** Resolves when the last connection has ended; those that are idle or slow are cut. */
function close(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
