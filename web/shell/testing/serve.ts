/// <reference lib="deno.ns" />
/**
 * Serves the shell to a real browser for tests: bundles it, answers with the CSP of the rendezvous, and plays the rendezvous
 * for one device double. Loopback, any free port.
 */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
// @ts-types="npm:@types/ws@8.18.2"
import { type WebSocket, WebSocketServer } from "ws";

const HERE = new URL("..", import.meta.url);

// As in src/rendezvous/headers.ts; frames and sockets are this server's own.
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "worker-src 'self'",
  "connect-src 'self' ws:",
  "img-src 'self' data: blob:",
  "media-src 'self' blob: mediastream:",
  "font-src 'self'",
  "manifest-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

type File = readonly [type: string, body: string | Uint8Array, headers?: Record<string, string>];

/** Where the shell is; `close` ends everything. */
export interface Served {
  readonly origin: string;
  /** Cuts every signalling socket of browsers. */
  cut(): void;
  close(): Promise<void>;
}

/** Bundles and serves. `/` is the shell, `/gallery` its views with doubles, `/double` a device. */
export async function serveShell(): Promise<Served> {
  const files = await readFiles();
  const server = createServer((request, response) => {
    const file = files.get(request.url!.split("?", 1)[0]!);
    const [type, body, headers] = file ?? ["text/plain", "no such file"];
    response.writeHead(file === undefined ? 404 : 200, { "content-type": type, ...headers });
    response.end(body);
  });
  const relay = new Relay();
  server.on("upgrade", (request, socket, head) => relay.upgrade({ request, socket, head }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://localhost:${port}`,
    cut: () => relay.cut(),
    close: () => closeAll(server, relay),
  };
}

async function closeAll(server: Server, relay: Relay): Promise<void> {
  relay.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

async function readFiles(): Promise<ReadonlyMap<string, File>> {
  const text = (name: string) => Deno.readTextFile(new URL(name, HERE));
  const html = await text("index.html");
  const script = async (path: string): Promise<File> => ["text/javascript", await bundle(path)];
  const page = (name: string): File => [
    "text/html",
    html.replace("/shell.js", name),
    { "content-security-policy": CSP },
  ];
  return new Map<string, File>([
    ["/", page("/shell.js")],
    ["/gallery", page("/gallery.js")],
    ["/double", page("/double.js")],
    ["/page.html", ["text/html", "<!doctype html><h1>A page of the device</h1>"]],
    ["/shell.css", ["text/css", await text("style.css")]],
    ["/icon.svg", ["image/svg+xml", await text("icon.svg")]],
    ["/manifest.webmanifest", ["application/manifest+json", await text("manifest.webmanifest")]],
    ["/shell.js", await script("main.tsx")],
    ["/pump.js", await script("../pump/pump.ts")],
    ["/gallery.js", await script("testing/gallery.tsx")],
    ["/double.js", await script("testing/device_double.ts")],
  ]);
}

async function bundle(path: string): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["bundle", "-q", "--platform", "browser", new URL(path, HERE).pathname],
    cwd: new URL("..", HERE),
  });
  const { success, stdout, stderr } = await command.output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`Cannot bundle ${path}: ${decode(stderr)}`);
  return decode(stdout);
}

/** The rendezvous for one device: `/device-double` on one side, `/v1/browser` on the other. */
class Relay {
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #browsers = new Map<number, WebSocket>();
  #device: WebSocket | undefined;
  #presence = "";
  #name = "";
  #count = 0;

  upgrade(
    { request, socket, head }: {
      request: IncomingMessage;
      socket: Parameters<WebSocketServer["handleUpgrade"]>[1];
      head: Parameters<WebSocketServer["handleUpgrade"]>[2];
    },
  ): void {
    this.#sockets.handleUpgrade(request, socket, head, (client) => {
      client.on("error", () => client.terminate());
      if (request.url === "/device-double") this.#takeDevice(client);
      else this.#takeBrowser(client);
    });
  }

  cut(): void {
    for (const browser of this.#browsers.values()) browser.terminate();
  }

  close(): void {
    for (const client of this.#sockets.clients) client.terminate();
    this.#sockets.close();
  }

  #takeDevice(client: WebSocket): void {
    this.#device = client;
    client.on("close", () => this.#device = undefined);
    client.on("message", (data) => {
      const { presence, peer, sealed } = JSON.parse(String(data));
      if (presence !== undefined) this.#presence = presence;
      else this.#say(this.#browsers.get(peer), { type: "deliver", device: this.#name, sealed });
    });
  }

  #takeBrowser(client: WebSocket): void {
    const peer = ++this.#count;
    this.#browsers.set(peer, client);
    client.on("close", () => this.#browsers.delete(peer));
    client.on("message", (data) => {
      const { type, device, sealed } = JSON.parse(String(data));
      if (type === "send") return this.#say(this.#device, { peer, sealed });
      this.#name = device;
      this.#say(
        client,
        this.#device === undefined
          ? { type: "absent", device }
          : { type: "found", device, presence: this.#presence, iceServers: [] },
      );
    });
  }

  #say(client: WebSocket | undefined, message: unknown): void {
    client?.send(JSON.stringify(message));
  }
}
