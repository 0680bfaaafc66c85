/**
 * The device that `porthole demo` shows: a small workshop controller with a page, live readings, a command line, an
 * upload and a download. It is a plain web server on the loopback interface, written as a device's own would be: it
 * knows nothing of porthole and is reached like any other service. Some of its routes (`/slow`, `/endless`) exist for
 * the end-to-end tests.
 *
 *   GET  / /settings /workshop.css …   the site's files, with ETag and gzip
 *   GET  /events                       readings as server-sent events, resumed by Last-Event-ID
 *   GET  /socket                       WebSocket, subprotocol workshop.v1
 *   POST /upload                       form or raw body -> {name, size, sha256}
 *   GET  /download/20mb.bin, .sha256   bytes that are the same every time, with ranges
 *   GET  /settings.json, POST /settings; GET /old -> 302 /settings
 *   GET  /slow, /slow/release          a page that is half sent until it is released
 *   GET  /endless, /endless/written    bytes without an end, and how many were taken
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import type { Log } from "../lib/log.ts";
import { Download } from "./download.ts";
import { Feed } from "./feed.ts";
import { Endless, HeldPages } from "./held.ts";
import { hasOwnOrigin } from "./origin.ts";
import { sendJson, sendText } from "./reply.ts";
import { Settings } from "./settings.ts";
import { type Site, StaticFiles } from "./static_files.ts";
import { receiveUpload } from "./upload.ts";
import { Workshop } from "./workshop.ts";
import { CommandLine } from "./command_line.ts";

/** Options of `startSampleDevice`. */
export interface SampleDeviceOptions {
  /** The files of `src/demo/site/`, by their path in it: "index.html", "workshop.css" … */
  readonly site: Site;
  readonly log: Log;
  /** "127.0.0.1" if absent. */
  readonly host?: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** Milliseconds between two readings; 1000 if absent. */
  readonly readingMs?: number;
}

/** A running sample device. */
export interface SampleDevice {
  readonly port: number;
  /** Ends all connections; resolves when nothing is left. */
  close(): Promise<void>;
}

type Route = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Starts the device; resolves once it listens. Rejects if the port is taken. */
export async function startSampleDevice(options: SampleDeviceOptions): Promise<SampleDevice> {
  const { log, host = "127.0.0.1", port = 0 } = options;
  const feed = new Feed();
  const workshop = new Workshop(feed, { readingMs: options.readingMs });
  const commandLine = new CommandLine(workshop);
  const held = new HeldPages();
  const routes = routesOf(options.site, { feed, held });
  const server = createServer((request, response) => serve(request, response, { routes, log }));
  server.requestTimeout = 0; // an upload takes as long as the way to the browser is slow
  server.on("upgrade", (request, socket, head) => commandLine.accept(request, socket, head));
  server.on("clientError", (_error, socket) => socket.destroy());
  server.listen(port, host);
  await once(server, "listening");
  workshop.start();
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      workshop.stop();
      feed.close();
      held.close();
      commandLine.close();
      await closeServer(server);
    },
  };
}

function routesOf(
  site: Site,
  { feed, held }: { feed: Feed; held: HeldPages },
): (method: string, path: string) => Route | undefined {
  const files = new StaticFiles(site);
  const download = new Download();
  const settings = new Settings();
  const endless = new Endless();
  const table = new Map<string, Route>([
    ["GET /events", (request, response) => feed.serve(request, response)],
    ["POST /upload", receiveUpload],
    ["GET /download/20mb.bin", (request, response) => download.serve(request, response)],
    ["GET /download/20mb.sha256", (_request, response) => download.serveDigest(response)],
    ["GET /settings.json", (_request, response) => sendJson(response, settings.values)],
    ["POST /settings", (request, response) => settings.receive(request, response)],
    [
      "GET /old",
      (_request, response) => void response.writeHead(302, { Location: "/settings" }).end(),
    ],
    ["GET /slow", (_request, response) => held.serve(response)],
    ["GET /slow/release", (_request, response) => sendJson(response, { released: held.release() })],
    ["GET /endless", (_request, response) => endless.serve(response)],
    ["GET /endless/written", (_request, response) => sendJson(response, endless.counts)],
  ]);
  for (const path of files.paths) {
    table.set(`GET ${path}`, (request, response) => files.serve(path, { request, response }));
  }
  return (method, path) => table.get(`${method === "HEAD" ? "GET" : method} ${path}`);
}

function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { routes, log }: { routes: ReturnType<typeof routesOf>; log: Log },
): void {
  request.on("error", () => {}); // an upload that broke off; its reader sees it too
  response.on("error", () => {});
  const path = (request.url ?? "/").split("?", 1)[0]!;
  const isForeign = request.method === "POST" && !hasOwnOrigin(request);
  const route = isForeign ? undefined : routes(request.method ?? "GET", path);
  if (!route) {
    request.resume();
    return sendText(
      response,
      isForeign ? 403 : 404,
      isForeign ? "Foreign origin\n" : "Not found\n",
    );
  }
  Promise.resolve()
    .then(() => route(request, response))
    .catch((error) => {
      log.warn("demo.request_failed", { path, reason: String(error) });
      response.destroy();
    });
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
