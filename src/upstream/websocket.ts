import type { IncomingMessage } from "node:http";
import { isUtf8 } from "node:buffer";
import type { Socket } from "node:net";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocket } from "ws";
import type { Bytes } from "../lib/bytes.ts";
import { StreamError } from "../protocol/errors.ts";
import {
  type Header,
  type RequestHead,
  type ResponseHead,
  type SocketClose,
  TOKEN,
} from "../protocol/http.ts";
import { connect } from "./connect.ts";
import { abortFailure, failureOf } from "./failure.ts";
import { checkRequestHead, pairs } from "./headers.ts";
import {
  HANDSHAKE_LIMIT_MS,
  SOCKET_MESSAGE_LIMIT_BYTES,
  SOCKET_SEND_BUFFER_BYTES,
  SUBPROTOCOL_LIMIT,
} from "./limits.ts";
import { type Addressing, browserHeaders, serviceHeaders } from "./policy.ts";

/** A message, one way or the other. Text is UTF-8. */
export interface Message {
  readonly text: boolean;
  readonly bytes: Bytes;
}

/** The service answered the handshake like any other request. */
export class RefusedSocket extends StreamError {
  override name = "RefusedSocket";
  constructor(readonly head: ResponseHead) {
    super("upstream_refused_socket", `Cannot open a WebSocket: status ${head.status}`);
  }
}

/** Limits that tests shorten. */
export interface SocketLimits {
  readonly connectLimitMs?: number;
  readonly handshakeLimitMs?: number;
}

const NO_CODE = 1005; // RFC 6455 7.1.5: the peer gave none
const BROKEN_OFF = 1006; // RFC 6455 7.1.5: the connection was lost
const REASON_LIMIT_BYTES = 123; // RFC 6455 5.5: a control frame holds 125, two of them the code

/**
 * Opens a WebSocket at the service. Rejects with a StreamError; a RefusedSocket if the answer is not 101.
 * `signal` ends it at any time, without a closing handshake once it is open.
 */
export async function openSocket(
  head: RequestHead,
  { addressing, signal, limits = {} }: {
    addressing: Addressing;
    signal: AbortSignal;
    limits?: SocketLimits;
  },
): Promise<ServiceSocket> {
  checkRequestHead(head);
  if (head.method !== "GET") {
    throw new StreamError("protocol", "Cannot open a WebSocket: the method is not GET");
  }
  const protocols = subprotocols(head.headers);
  const headers = serviceHeaders(head, addressing);
  const connection = await connect(addressing.target, signal, { limitMs: limits.connectLimitMs });
  const socket = handshakeOn(connection, { path: head.path, headers, protocols });
  const answer = await shake(socket, { signal, limitMs: limits.handshakeLimitMs });
  const answered = browserHeaders(pairs(answer.rawHeaders), addressing.target)
    .filter(([name]) => !/^sec-websocket-(accept|extensions)$/i.test(name));
  return new ServiceSocket(socket, { head: { status: 101, headers: answered }, signal });
}

function subprotocols(headers: readonly Header[]): string[] {
  const values = headers.filter(([name]) => name.toLowerCase() === "sec-websocket-protocol");
  const names = values.flatMap(([, value]) => value.split(",").map((name) => name.trim()));
  const isValid = names.length <= SUBPROTOCOL_LIMIT && new Set(names).size === names.length &&
    names.every((name) => TOKEN.test(name));
  if (isValid) return names;
  throw new StreamError("protocol", "Cannot open a WebSocket: the subprotocols are not a list");
}

function handshakeOn(
  connection: Socket,
  { path, headers, protocols }: { path: string; headers: readonly Header[]; protocols: string[] },
): WebSocket {
  return new WebSocket("ws://service.invalid/", protocols, {
    createConnection: () => connection,
    // `ws` would take the path from a URL, which reads ".." and drops fragments of it.
    finishRequest(request) {
      request.path = path;
      request.end();
    },
    headers: grouped(headers.filter(([name]) => !/^sec-websocket-/i.test(name))),
    perMessageDeflate: false, // the tunnel carries messages, not their compressed form
    maxPayload: SOCKET_MESSAGE_LIMIT_BYTES,
    followRedirects: false,
  });
}

/** `ws` takes an object: repeated names become one list. */
function grouped(headers: readonly Header[]): Record<string, string | string[]> {
  const groups = new Map<string, { name: string; values: string[] }>();
  for (const [name, value] of headers) {
    const group = groups.get(name.toLowerCase());
    if (group) group.values.push(value);
    else groups.set(name.toLowerCase(), { name, values: [value] });
  }
  return Object.fromEntries(
    [...groups.values()].map(({ name, values }) => [name, values.length > 1 ? values : values[0]!]),
  );
}

/** Waits for the answer to the handshake. Leaves the socket paused. */
function shake(
  socket: WebSocket,
  { signal, limitMs = HANDSHAKE_LIMIT_MS }: { signal: AbortSignal; limitMs?: number },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined;
    let isSettled = false;
    const doing = "open a WebSocket";
    const onAbort = () => give(abortFailure(signal));
    const timer = setTimeout(() => {
      give(new StreamError("upstream_timeout", `Cannot ${doing}: no answer in ${limitMs} ms`));
    }, limitMs);
    function give(failure?: unknown): void {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      if (!failure && answer) return resolve(answer);
      socket.terminate();
      reject(failureOf(failure, doing));
    }
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    socket.on("error", give); // stays: a late error must never be without a listener
    socket.on("close", () => give(new Error("closed")));
    socket.once("upgrade", (message) => answer = message);
    socket.once("open", () => {
      socket.pause();
      give();
    });
    socket.once("unexpected-response", (request, { statusCode: status = 0, rawHeaders }) => {
      request.destroy();
      give(new RefusedSocket({ status, headers: pairs(rawHeaders) }));
    });
  });
}

/** An open WebSocket of a service. */
export class ServiceSocket {
  readonly head: ResponseHead;
  /** Pulled one by one; while nobody pulls, the service's socket blocks. Closes when the socket has closed. */
  readonly messages: ReadableStream<Message>;
  /** How it ended, once what came before was pulled. Never rejects. */
  readonly closed: Promise<SocketClose>;
  readonly #socket: WebSocket;

  /** `socket` is open and paused. */
  constructor(
    socket: WebSocket,
    { head, signal }: { head: ResponseHead; signal: AbortSignal },
  ) {
    this.head = head;
    this.#socket = socket;
    const onAbort = () => socket.terminate();
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    this.closed = new Promise((resolve) => {
      socket.once("close", (code, reason) => {
        signal.removeEventListener("abort", onAbort);
        resolve({ code, reason: reason.toString() });
      });
    });
    this.messages = pulledMessages(socket);
  }

  /**
   * Resolves when the service's socket can take more. A message after the close goes nowhere, as in a browser.
   * Rejects with a StreamError "protocol" or "limit" for one that may not be sent.
   */
  send({ text, bytes }: Message): Promise<void> {
    if (text && !isUtf8(bytes)) {
      return Promise.reject(new StreamError("protocol", "Cannot send a text: it is not UTF-8"));
    }
    if (bytes.length > SOCKET_MESSAGE_LIMIT_BYTES) {
      return Promise.reject(new StreamError("limit", "Cannot send a message: above the limit"));
    }
    return new Promise((resolve) => {
      if (this.#socket.readyState !== WebSocket.OPEN) return resolve();
      // Told in any case, with an error if the socket closes under it; `closed` says that already.
      this.#socket.send(bytes, { binary: !text }, () => resolve());
      if (this.#socket.bufferedAmount < SOCKET_SEND_BUFFER_BYTES) resolve();
    });
  }

  /** Closes with the page's own code and reason; one that may not be sent breaks the connection off. */
  close({ code, reason }: SocketClose): void {
    this.#socket.resume(); // else the service's own close would never be read
    if (code === NO_CODE) return this.#socket.close();
    const isSendable = code === 1000 || (code >= 3000 && code <= 4999) ||
      (code > 1000 && code < 1015 && code !== 1004 && code !== BROKEN_OFF);
    if (!isSendable) return this.#socket.terminate();
    this.#socket.close(code, cutReason(reason));
  }
}

function pulledMessages(socket: WebSocket): ReadableStream<Message> {
  let isOpen = true;
  return new ReadableStream<Message>({
    start(controller) {
      socket.on("message", (data: Uint8Array, isBinary) => {
        if (!isOpen || socket.readyState !== WebSocket.OPEN) return; // we closed: nobody listens
        controller.enqueue({ text: !isBinary, bytes: new Uint8Array(data) });
        socket.pause();
      });
      socket.once("close", () => {
        if (isOpen) controller.close();
        isOpen = false;
      });
      if (socket.readyState === WebSocket.CLOSED) controller.close();
    },
    pull() {
      socket.resume();
    },
    cancel() {
      isOpen = false;
      socket.terminate();
    },
  }, { highWaterMark: 0 });
}

function cutReason(reason: string): string {
  const bytes = new TextEncoder().encode(reason);
  if (bytes.length <= REASON_LIMIT_BYTES) return reason;
  const whole = new TextDecoder().decode(bytes.subarray(0, REASON_LIMIT_BYTES), { stream: true });
  return whole; // `stream` leaves out a character that was cut in two
}
