/**
 * The heads that travel in OPEN and HEAD frames: an HTTP request, a WebSocket request and their answers, as values.
 * How they are written as bytes is `head.ts`.
 */

/** One header line. Repeated names are repeated pairs; order is kept. */
export type Header = readonly [name: string, value: string];

/** What an opener asks for. A service is named by its id; no address ever travels (DESIGN 8). */
export interface RequestHead {
  readonly kind: "http" | "websocket";
  readonly service: string;
  readonly method: string;
  /** Origin-form target, byte for byte as the page wrote it: begins with "/", no fragment. */
  readonly path: string;
  readonly headers: readonly Header[];
}

/** What the service answered. For a WebSocket: status 101 and the chosen subprotocol among the headers. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: readonly Header[];
}

/** How a WebSocket ended. 1005 and 1006 stand for "no code" and "broken off" (RFC 6455 7.1.5). */
export interface SocketClose {
  readonly code: number;
  readonly reason: string;
}
