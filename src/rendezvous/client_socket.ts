/**
 * One WebSocket of a device or a browser, as the connections use it: text in, messages out, and three ends that need
 * nobody's help: a reader that is too slow, a peer that is silent and answers no ping, a message that is too large.
 */
import { randomBytes } from "node:crypto";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocket } from "ws";
import type { RefusalCode } from "../protocol/signal.ts";
import type { Limits } from "./limits.ts";
import { TokenBucket } from "./token_bucket.ts";

/** What the owner of a socket is told. Neither may throw. */
export interface SocketHandlers {
  message(text: string): void;
  /** The peer asked for a sign of life and got it. */
  beat?(): void;
  /** Told once, whatever ended it. */
  closed(): void;
}

export interface SocketOptions {
  readonly limits: Limits;
  /** Silence after which a sign of life is asked for. */
  readonly idleMs: number;
  /** Monotonic, in ms. */
  readonly now: () => number;
}

const POLICY_VIOLATION = 1008; // RFC 6455 7.4.1
const CLOSE_WAIT_MS = 2_000; // for the answer to a close frame: one round trip of the worst link

export class ClientSocket {
  readonly #webSocket: WebSocket;
  readonly #options: SocketOptions;
  readonly #pings: TokenBucket;
  #lastHeard: number;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #waking = false;

  constructor(webSocket: WebSocket, options: SocketOptions) {
    this.#webSocket = webSocket;
    this.#options = options;
    this.#pings = new TokenBucket(options.limits.pings, options.now());
    this.#lastHeard = options.now();
  }

  /** Begins to listen. Call once. */
  start(handlers: SocketHandlers): void {
    const socket = this.#webSocket;
    socket.on("message", (data, isBinary) => {
      this.#lastHeard = this.#options.now();
      if (isBinary) return this.refuse("malformed");
      if (socket.readyState === WebSocket.OPEN) handlers.message(String(data));
    });
    socket.on("pong", () => this.#lastHeard = this.#options.now());
    socket.on("ping", (data) => {
      this.#lastHeard = this.#options.now();
      if (!this.#pings.take(this.#lastHeard)) return this.refuse("too_many");
      if (this.#isWritable()) socket.pong(data);
      handlers.beat?.();
    });
    socket.on("error", () => socket.terminate()); // "close" follows and is what counts
    socket.on("close", () => {
      clearTimeout(this.#idleTimer);
      handlers.closed();
    });
    this.#watch(this.#options.idleMs);
  }

  /** Sends one message, unless the reader is so slow that it is better off without us. */
  send(message: object): void {
    if (this.#isWritable()) this.#webSocket.send(JSON.stringify(message));
  }

  /** Says why and ends the connection. */
  refuse(code: RefusalCode): void {
    this.send({ type: "refused", code });
    this.close();
  }

  close(): void {
    this.#webSocket.close(POLICY_VIOLATION);
    this.#cutLater();
  }

  /** Ends the connection at once, without a word. */
  terminate(): void {
    this.#webSocket.terminate();
  }

  /** Bytes that the peer has not taken yet. */
  get waiting(): number {
    return this.#webSocket.bufferedAmount;
  }

  /** Milliseconds since the peer was last heard. */
  get silence(): number {
    return this.#options.now() - this.#lastHeard;
  }

  /** Asks for a sign of life; without one in `limitMs` the connection ends and the answer is false. */
  alive(limitMs: number): Promise<boolean> {
    return this.#ping(limitMs);
  }

  /** The same in the background, once at a time: for those who only want a dead connection to end. */
  wake(): void {
    if (this.#waking) return;
    this.#waking = true;
    this.#ping(this.#options.limits.pingMs)
      .then((alive) => alive && this.#watch(this.#options.idleMs))
      .catch(() => this.terminate())
      .finally(() => this.#waking = false);
  }

  #isWritable(): boolean {
    const { bufferedAmount, readyState } = this.#webSocket;
    const isSlow = bufferedAmount > this.#options.limits.waitingBytes;
    if (isSlow) this.terminate();
    return !isSlow && readyState === WebSocket.OPEN;
  }

  #ping(limitMs: number): Promise<boolean> {
    const socket = this.#webSocket;
    if (socket.readyState !== WebSocket.OPEN) return Promise.resolve(false);
    const payload = randomBytes(8); // an old pong, or one that nobody asked for, proves nothing
    return new Promise((resolve) => {
      const settle = (answer: boolean) => {
        clearTimeout(timer);
        socket.off("pong", onPong).off("close", onClose);
        if (!answer) socket.terminate();
        resolve(answer);
      };
      const onPong = (data: Uint8Array) => {
        if (payload.equals(data)) settle(true);
      };
      const onClose = () => settle(false);
      const timer = setTimeout(onClose, limitMs);
      socket.on("pong", onPong).on("close", onClose);
      socket.ping(payload);
    });
  }

  /** Wakes when the peer could first have been silent for too long. */
  #watch(delayMs: number): void {
    clearTimeout(this.#idleTimer);
    if (this.#webSocket.readyState !== WebSocket.OPEN) return this.#cutLater();
    this.#idleTimer = setTimeout(() => {
      const left = this.#options.idleMs - this.silence;
      if (left > 0) this.#watch(left);
      else this.wake();
    }, delayMs);
  }

  /** A peer that does not answer our close frame keeps nothing of ours. */
  #cutLater(): void {
    clearTimeout(this.#idleTimer);
    if (this.#webSocket.readyState === WebSocket.CLOSED) return;
    this.#idleTimer = setTimeout(() => this.terminate(), CLOSE_WAIT_MS);
  }
}
