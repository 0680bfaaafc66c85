/**
 * A WebSocket for device pages that goes through the tunnel, since no service worker sees a handshake. It behaves as
 * the browser's own (WHATWG WebSockets); sockets to other hosts are the browser's own. WebSocketStream is hidden: pages
 * that know it know how to do without.
 */
import type { Bytes } from "../../src/lib/bytes.ts";
import type { Header, ResponseHead, SocketClose } from "../../src/protocol/http.ts";
import type { StreamHead } from "../sw/port_messages.ts";
import { StreamPort } from "../sw/stream_port.ts";
import { defineEventHandlers } from "./event_handlers.ts";
import { Inbox } from "./inbox.ts";
import { Outbox } from "./outbox.ts";
import { readClose, readProtocols, readUrl, type SocketTarget } from "./websocket_arguments.ts";

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** How long a socket waits for the other side's close, in ms, before it counts as broken off. */
const CLOSE_LIMIT_MS = 10_000;

/** What the shim needs of the page. */
export interface SocketPage {
  readonly native: typeof WebSocket;
  readonly location: { readonly host: string; readonly origin: string };
  readonly baseUrl: () => string;
  /** Whether an address is the service's own on its LAN. */
  readonly isLan?: (url: URL) => boolean;
  readonly userAgent: string;
  /** Hands a stream's head and port to the service worker. */
  open(head: StreamHead, port: MessagePort): void;
  /** Adds and removes a socket that must be closed when the page goes. */
  readonly live: Set<{ abandon(): void }>;
}

/** Ours, for `instanceof`. A WeakSet says no to what is no object. */
const sockets = new WeakSet<object>();

/** One socket through the tunnel. */
class TunnelledWebSocket extends EventTarget {
  readonly #page: SocketPage;
  readonly #url: URL;
  readonly #protocols: readonly string[];
  readonly #port: StreamPort;
  readonly #inbox = new Inbox();
  readonly #outbox: Outbox;
  #readyState = CONNECTING;
  #protocol = "";
  #binaryType: BinaryType = "blob";
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(page: SocketPage, wanted: { target: SocketTarget; protocols: readonly string[] }) {
    super();
    const { target, protocols } = wanted;
    this.#page = page;
    this.#url = target.url;
    this.#protocols = protocols;
    const { port1, port2 } = new MessageChannel();
    this.#port = new StreamPort(port1, {
      head: (head) => this.#opened(head),
      data: (bytes, message) => this.#received(bytes, message),
      end: (close) => this.#closedByPeer(close),
      error: () => this.#fail(),
      credit: () => this.#outbox.flush(),
    });
    this.#outbox = new Outbox(this.#port);
    this.#port.start(); // a WebSocket connects by being constructed
    sockets.add(this);
    page.live.add(this);
    page.open(requestHead(page, { path: target.path, protocols }), port2);
  }

  get [Symbol.toStringTag](): string {
    return "WebSocket";
  }

  get url(): string {
    return this.#url.href;
  }

  get readyState(): number {
    return this.#readyState;
  }

  get bufferedAmount(): number {
    return this.#outbox.bufferedAmount;
  }

  get protocol(): string {
    return this.#protocol;
  }

  get extensions(): string {
    return "";
  }

  get binaryType(): BinaryType {
    return this.#binaryType;
  }

  set binaryType(value: BinaryType) {
    if (value === "blob" || value === "arraybuffer") this.#binaryType = value;
  }

  send(data: string | Blob | ArrayBuffer | ArrayBufferView): void {
    if (this.#readyState === CONNECTING) {
      throw new DOMException("Still in CONNECTING state.", "InvalidStateError");
    }
    if (isBlob(data)) this.#outbox.push({ blob: data });
    else if (typeof data === "string" || !isBinary(data)) {
      this.#outbox.push({ text: true, bytes: new TextEncoder().encode(String(data)) });
    } else this.#outbox.push({ text: false, bytes: copy(data) });
  }

  close(code?: number, reason?: string): void {
    const close = readClose(code, reason);
    if (this.#readyState === CONNECTING) {
      this.#readyState = CLOSING;
      this.#port.cancel();
      setTimeout(() => this.#fail());
    } else if (this.#readyState === OPEN) {
      this.#startClosing(close);
    }
  }

  /** The page goes away: its sockets with it. */
  abandon(): void {
    if (this.#readyState === OPEN) this.#port.endBody({ code: 1001, reason: "" });
    else this.#port.cancel();
  }

  #startClosing(close: SocketClose): void {
    this.#readyState = CLOSING;
    this.#outbox.finish(() => this.#port.endBody(close));
    this.#closeTimer = setTimeout(() => this.#giveUp(), CLOSE_LIMIT_MS);
  }

  #opened(head: ResponseHead): void {
    if (this.#readyState !== CONNECTING) return;
    const chosen = head.headers.find(([name]) => name.toLowerCase() === "sec-websocket-protocol");
    const protocol = chosen?.[1] ?? "";
    const foreign = protocol !== "" && !this.#protocols.includes(protocol);
    if (head.status !== 101 || foreign) return this.#giveUp();
    this.#protocol = protocol;
    this.#readyState = OPEN;
    this.dispatchEvent(new Event("open"));
  }

  #received(bytes: Bytes, message: { text: boolean; last: boolean }): void {
    this.#port.taken(bytes.length);
    const received = this.#inbox.push(bytes, message);
    if (received === undefined || this.#readyState !== OPEN) return;
    if ("failure" in received) return this.#startClosing({ code: received.failure, reason: "" });
    const { data } = received;
    this.dispatchEvent(
      new MessageEvent("message", { data: this.#present(data), origin: this.#url.origin }),
    );
  }

  #present(data: string | Bytes): string | Blob | ArrayBuffer {
    if (typeof data === "string") return data;
    return this.#binaryType === "blob" ? new Blob([data]) : data.buffer;
  }

  #closedByPeer(close: SocketClose | undefined): void {
    const { code, reason } = close ?? { code: 1006, reason: "" };
    if (code === 1006) return this.#fail();
    this.#finish({ code, reason, wasClean: true });
  }

  #giveUp(): void {
    this.#port.cancel();
    this.#fail();
  }

  #fail(): void {
    if (this.#readyState === CLOSED) return;
    this.#readyState = CLOSED;
    this.dispatchEvent(new Event("error"));
    this.#finish({ code: 1006, reason: "", wasClean: false });
  }

  #finish(close: { code: number; reason: string; wasClean: boolean }): void {
    clearTimeout(this.#closeTimer);
    this.#page.live.delete(this);
    this.#readyState = CLOSED;
    this.#outbox.close();
    this.dispatchEvent(new CloseEvent("close", close));
  }
}

defineEventHandlers(TunnelledWebSocket.prototype, ["open", "message", "error", "close"]);
for (const key of Object.getOwnPropertyNames(TunnelledWebSocket.prototype)) {
  // Pages copy what they can list (WebIDL 3.7.6), and must not find our own method.
  const enumerable = key !== "constructor" && key !== "abandon";
  Object.defineProperty(TunnelledWebSocket.prototype, key, { enumerable });
}
Object.defineProperty(TunnelledWebSocket, "name", { value: "WebSocket" });
for (const holder of [TunnelledWebSocket, TunnelledWebSocket.prototype]) {
  for (const [name, value] of Object.entries({ CONNECTING, OPEN, CLOSING, CLOSED })) {
    Object.defineProperty(holder, name, { value, enumerable: true });
  }
}

/** Makes the class that stands in for `WebSocket` in this page. Call once: pages have one such class. */
export function createWebSocketClass(page: SocketPage): typeof WebSocket {
  const isInstance = (value: unknown) =>
    sockets.has(value as object) || value instanceof page.native;
  const face = new Proxy(TunnelledWebSocket as unknown as typeof WebSocket, {
    construct(_target, [url, protocols]: unknown[], newTarget) {
      const target = readUrl(String(url), page.baseUrl());
      if (target.url.host !== page.location.host && page.isLan?.(target.url) !== true) {
        return new page.native(target.url, protocols as string[]);
      }
      const wanted = { target, protocols: readProtocols(protocols as string | undefined) };
      return Reflect.construct(TunnelledWebSocket, [page, wanted], newTarget);
    },
    get(target, key, receiver) {
      // A page's subclass comes here as well, and keeps the usual rule.
      if (key === Symbol.hasInstance && receiver === face) return isInstance;
      return Reflect.get(target, key, receiver);
    },
  });
  Object.defineProperty(face.prototype, "constructor", {
    value: face,
    configurable: true,
    writable: true,
  });
  return face;
}

/** Takes away what would go past the tunnel (Chromium has it). */
export function hideWebSocketStream(): void {
  for (const name of ["WebSocketStream", "WebSocketError"]) {
    Reflect.deleteProperty(globalThis, name);
  }
}

function requestHead(
  page: SocketPage,
  wanted: { path: string; protocols: readonly string[] },
): StreamHead {
  const headers: Header[] = [
    ["origin", page.location.origin],
    ["user-agent", page.userAgent],
  ];
  if (wanted.protocols.length > 0) {
    headers.push(["sec-websocket-protocol", wanted.protocols.join(", ")]);
  }
  return { kind: "websocket", method: "GET", path: wanted.path, headers };
}

/** By what it is, not by whose it is: a frame that the page fills has classes of its own. */
function isBlob(data: unknown): data is Blob {
  const kind = Object.prototype.toString.call(data);
  return kind === "[object Blob]" || kind === "[object File]";
}

function isBuffer(data: unknown): data is ArrayBuffer {
  return Object.prototype.toString.call(data) === "[object ArrayBuffer]";
}

function isBinary(data: unknown): data is ArrayBuffer | ArrayBufferView {
  return isBuffer(data) || ArrayBuffer.isView(data);
}

function copy(data: ArrayBuffer | ArrayBufferView): Bytes {
  if (isBuffer(data)) return new Uint8Array(data).slice();
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
}
