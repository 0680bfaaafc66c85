/** For tests only, and never imported by anything else: a rendezvous on a free port, with devices, browsers and raw HTTP clients that reach it. */
import assert from "node:assert/strict";
import { request, type RequestOptions } from "node:http";
import { connect } from "node:net";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocket } from "ws";
import { type Bytes, fromBase64Url, toBase32, toBase64Url, utf8 } from "../lib/bytes.ts";
import { type Log, SILENT } from "../lib/log.ts";
import { registrationText } from "../protocol/signal.ts";
import {
  createRendezvous,
  type Rendezvous,
  type RendezvousCounts,
  type RendezvousOptions,
} from "./rendezvous.ts";

export const SHELL = "http://porthole.localhost:8080";
export const SHELL_HOST = "porthole.localhost:8080";
export const CONTENT = "http://*.porthole.localhost:8080";
export const CONTENT_HOST = "abcdefghijklmnopqrstuvwxyz.porthole.localhost:8080";

const ASSETS = new Map(
  Object.entries({
    "shell/index.html": ["<meta content='__CONTENT_ORIGIN__'>", "text/html; charset=utf-8"],
    "shell/main.js": ["run()", "text/javascript; charset=utf-8"],
    "shell/logo.png": ["__SHELL_ORIGIN__", "image/png"],
    "content/bridge.html": ["<script src=bridge.js>", "text/html; charset=utf-8"],
    "content/bridge.js": ["const shell = '__SHELL_ORIGIN__'", "text/javascript; charset=utf-8"],
    "content/sw.js": ["work()", "text/javascript; charset=utf-8"],
  }).map(([key, [text, type]]) => [key, { bytes: utf8(text!), type: type! }]),
);

/** A log that remembers its lines as text. */
export function recordingLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const write = (event: string, fields = {}) => lines.push(`${event} ${JSON.stringify(fields)}`);
  return { log: { debug: write, info: write, warn: write, error: write }, lines };
}

export class Fixture implements AsyncDisposable {
  readonly rendezvous: Rendezvous;
  readonly #sockets: Client[] = [];
  port = 0;

  constructor(options: Partial<RendezvousOptions> = {}) {
    this.rendezvous = createRendezvous({
      host: "127.0.0.1",
      port: 0,
      shellOrigin: SHELL,
      contentOrigin: CONTENT,
      ice: { stunUrls: ["stun:127.0.0.1:3478"] },
      assets: ASSETS,
      verify: verifyEd25519,
      deviceId: async (key) => toBase32(await sha256(key)).slice(0, 26),
      log: SILENT,
      ...options,
    });
  }

  async start(): Promise<this> {
    this.port = (await this.rendezvous.listen()).port;
    return this;
  }

  /** A WebSocket; fails if the upgrade is refused. */
  async dial(path: string, options: ClientOptions = {}): Promise<Client> {
    const client = new Client(`ws://127.0.0.1:${this.port}${path}`, options);
    this.#sockets.push(client);
    await client.opened;
    return client;
  }

  browser(options: ClientOptions = {}): Promise<Client> {
    return this.dial("/v1/browser", {
      headers: { host: SHELL_HOST, origin: SHELL },
      ...options,
    });
  }

  /** A device that has not answered its challenge. */
  device(options: ClientOptions = {}): Promise<Client> {
    return this.dial("/v1/device", options);
  }

  /** A device that is registered. */
  async registered(identity: Identity, options: ClientOptions = {}): Promise<Client> {
    const device = await this.device(options);
    device.send(await registration(identity, await device.next()));
    assert.equal((await device.next()).type, "registered");
    return device;
  }

  /** Waits for the server's side of a connection that the client has already seen to end. */
  async until(holds: (counts: RendezvousCounts) => boolean): Promise<void> {
    while (!holds(this.rendezvous.counts())) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Status of a refused upgrade. */
  async refusal(path: string, headers: Record<string, string>): Promise<number> {
    const answer = await this.get(path, {
      ...headers,
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    });
    return answer.status;
  }

  get(
    path: string,
    headers: Record<string, string> = {},
    options: RequestOptions = {},
  ): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
    return new Promise((resolve, reject) => {
      request(
        { port: this.port, host: "127.0.0.1", path, headers, agent: false, ...options },
        (answer) => {
          let text = "";
          answer.setEncoding("utf8").on("data", (part) => text += part);
          answer.on(
            "end",
            () => resolve({ status: answer.statusCode!, headers: answer.headers, text }),
          );
        },
      ).on("upgrade", () => reject(new Error("Cannot refuse: upgraded"))).on("error", reject).end();
    });
  }

  /** Sends bytes as they are and gives everything that comes back. */
  raw(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      let answer = "";
      const socket = connect(this.port, "127.0.0.1", () => socket.write(text));
      socket.setEncoding("utf8").on("data", (part) => answer += part);
      socket.on("error", reject).on("close", () => resolve(answer));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
    await Promise.all(this.#sockets.map((socket) => socket.ended));
    await this.rendezvous.close();
  }
}

export interface ClientOptions {
  readonly headers?: Record<string, string>;
  /** False for a peer that looks dead. */
  readonly autoPong?: boolean;
}

// deno-lint-ignore no-explicit-any -- tests look into messages freely
type Message = any;

export class Client {
  readonly webSocket: WebSocket;
  readonly opened: Promise<void>;
  /** Code with which it ended. */
  readonly ended: Promise<number>;
  readonly #messages: Message[] = [];
  #waiting: ((message: Message) => void) | undefined;

  constructor(url: string, options: ClientOptions) {
    const { headers, autoPong = true } = options;
    const socket = this.webSocket = new WebSocket(url, { headers, autoPong });
    this.opened = new Promise((resolve, reject) =>
      socket.once("open", resolve).once("error", reject)
    );
    this.ended = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {});
    socket.on("message", (data) => {
      const message = JSON.parse(String(data));
      if (this.#waiting === undefined) return this.#messages.push(message);
      this.#waiting(message);
      this.#waiting = undefined;
    });
    socket.on("close", () => this.#waiting?.({ type: "closed" }));
  }

  send(message: object): void {
    this.webSocket.send(JSON.stringify(message));
  }

  next(): Promise<Message> {
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve(message);
    return new Promise((resolve) => this.#waiting = resolve);
  }

  /** Sends and takes the next message. */
  ask(message: object): Promise<Message> {
    this.send(message);
    return this.next();
  }

  /** Pings and waits for the pong: what was sent before has been read. */
  beat(): Promise<void> {
    return new Promise((resolve) => {
      this.webSocket.once("pong", () => resolve());
      this.webSocket.ping();
    });
  }

  terminate(): void {
    this.webSocket.terminate();
  }
}

export interface Identity {
  readonly keys: CryptoKeyPair;
  readonly publicKey: Bytes;
  readonly device: string;
}

export async function newIdentity(): Promise<Identity> {
  const keys = await crypto.subtle.generateKey("Ed25519", true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey));
  return { keys, publicKey, device: toBase32(await sha256(publicKey)).slice(0, 26) };
}

/** The answer to a challenge. */
export async function registration(identity: Identity, challenge: Message): Promise<object> {
  const text = registrationText(fromBase64Url(challenge.nonce), identity.publicKey);
  const signature = new Uint8Array(
    await crypto.subtle.sign("Ed25519", identity.keys.privateKey, text),
  );
  return {
    type: "register",
    key: toBase64Url(identity.publicKey),
    signature: toBase64Url(signature),
    presence: toBase64Url(utf8("presence")),
  };
}

async function verifyEd25519(key: Bytes, message: Bytes, signature: Bytes): Promise<boolean> {
  const imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
  return await crypto.subtle.verify("Ed25519", imported, signature, message);
}

async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
