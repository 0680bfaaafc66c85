/**
 * THE messages between the content origin (service worker, bridge, injected code) and the pump, and the checks on them.
 * Both ends treat the other as hostile: a device's page can reach every port of its own origin.
 *
 *   page, service worker             bridge                        pump
 *      | -- ping (port) -------------> | -- ping (port) ------------> |
 *      | <-- pong, or no-session ------------------------------------ |
 *      | -- stream, head (port) -----> | -- open, head (port) ------> |   ports, never bytes
 *      |                                                              |
 *      | -- body*, body-end ----------------------------------------> |   on the stream's own port, within credit
 *      | <-- pull (credit for body) --------------------------------- |
 *      | <-- head, data*, end | error ------------------------------- |   both close the port afterwards
 *      | -- pull (taken from data) | cancel ------------------------> |
 *
 * No message names a service: the shell bound the bridge's port to one.
 */
import type { Bytes } from "../../src/lib/bytes.ts";
import type { CookieWrite } from "../../src/protocol/cookie_writes.ts";
import { STREAM_CODES, type StreamCode } from "../../src/protocol/errors.ts";
import {
  COOKIES_PATH,
  FIELD_VALUE,
  type Header,
  LOGIN_PATH,
  ORIGIN_FORM,
  type RequestHead,
  RESERVED_PREFIX,
  type SocketClose,
  TARGET_PATH,
  TOKEN,
} from "../../src/protocol/http.ts";
import { MAX_HEADER_LINES } from "../../src/protocol/limits.ts";

export { RESERVED_PREFIX };

/** What of it the agent answers; all else of it is never tunnelled. */
const AGENT_PATHS: ReadonlySet<string> = new Set([COOKIES_PATH, LOGIN_PATH, TARGET_PATH]);

/** Where a worker asks for a WebSocket (`worker_sockets.ts`). Answered by the service worker. */
export const SOCKET_PATH = `${RESERVED_PREFIX}socket`;

/** Where the file of a `download` link is asked for (`download.ts`). Answered by the service worker. */
export const DOWNLOAD_PATH = `${RESERVED_PREFIX}download`;

/** Where a page that a page made itself is asked for (`blob_page.ts`). Answered by the service worker. */
export const BLOB_PATH = `${RESERVED_PREFIX}blob`;

/** A request without its service. */
export type StreamHead = Omit<RequestHead, "service">;

/** On a stream's port, from the pump. */
export type FromPump =
  | { readonly type: "head"; readonly status: number; readonly headers: readonly Header[] }
  | { readonly type: "data"; readonly bytes: Bytes; readonly text: boolean; readonly last: boolean }
  | { readonly type: "end"; readonly close?: SocketClose | undefined }
  | { readonly type: "error"; readonly code: StreamCode }
  /** So much more of the body may be sent, in units of `bodyCost`. */
  | { readonly type: "pull"; readonly bytes: number };

/** On a stream's port, to the pump. */
export type ToPump =
  | { readonly type: "body"; readonly bytes: Bytes; readonly text: boolean; readonly last: boolean }
  | { readonly type: "body-end"; readonly close?: SocketClose | undefined }
  /** So many payload bytes of `data` were taken by the reader. */
  | { readonly type: "pull"; readonly bytes: number }
  | { readonly type: "cancel" };

/** On the bridge's port, to the pump; a port is transferred with each. */
export type BridgeToPump =
  | { readonly type: "open"; readonly head: StreamHead }
  /** Asks whether a session is up; `title` comes back with the answer. */
  | { readonly type: "ping"; readonly title: string };

/** On the bridge's port, from the pump: a session is up. */
export type PumpToBridge = { readonly type: "ready" };

/** From the service worker to a bridge frame; a port is transferred with each. */
export type WorkerToBridge =
  | { readonly porthole: "ping" }
  /** Asks for the address at which the shell shows this service, as text; it is empty while unknown. */
  | { readonly porthole: "where" }
  | { readonly porthole: "stream"; readonly head: StreamHead }
  /** Wants an event in return, without a port: those of a page keep a service worker alive. */
  | { readonly porthole: "beat" };

/** The answer on the port of a ping: the pump's, or that of a bridge which has no port yet. */
export type Pong =
  /** `session` counts those that this pump has had. */
  | { readonly porthole: "pong"; readonly title: string; readonly session: number }
  | { readonly porthole: "no-session" };

/** To the service worker: from a bridge that got its port or whose session came back, from a page's WebSocket (with a port), from itself. */
export type ToWorker =
  | { readonly porthole: "bridge-ready" }
  | { readonly porthole: "open"; readonly head: StreamHead }
  | { readonly porthole: "keepalive" }
  | CookieMessage
  | GiveUp;

/** From a page about a request that it numbered (`page_requests.ts`): it wants no answer any more. */
export type GiveUp = { readonly porthole: "give-up"; readonly number: number };

/** From the service worker to a page: so many bytes of such a request's body have left; `done` with the last. */
export type SentNews = {
  readonly porthole: "sent";
  readonly number: number;
  readonly bytes: number;
  readonly done: boolean;
};

/** From a page about its cookies: it is there; an assignment, with the page's own running number; a wish to be told the state. */
export type CookieMessage =
  | { readonly porthole: "cookies-here" }
  | ({ readonly porthole: "cookie-write"; readonly number: number } & CookieWrite)
  | { readonly porthole: "cookies-read" };

/**
 * From the service worker to a page: the state of its cookies (`encodeCookieState`), the last of its own writes that the
 * agent has taken, and perhaps a port that wants to hear when this was read.
 */
export type CookieNews = {
  readonly porthole: "cookies";
  readonly state: string;
  readonly written: number;
};

/** Likewise, with a port: the number of the last write that is not confirmed is to come back on it, 0 without one. */
export type CookieQuestion = { readonly porthole: "cookies-ask" };

/** From a bridge to the shell. */
export type BridgeToShell =
  | { readonly porthole: "bridge-hello" }
  | { readonly porthole: "bridge-failed"; readonly reason: string }
  /** All that this origin kept in the browser is gone. */
  | { readonly porthole: "bridge-forgotten" };

/** From the shell to a bridge: a port of the pump, transferred with it; or the wish that the origin forgets all. */
export type ShellToBridge =
  /** `address`: where the shell shows this service. */
  | { readonly porthole: "bridge-port"; readonly title: string; readonly address?: string }
  | { readonly porthole: "forget" };

/** From injected code to the shell. */
export type PageToShell =
  | { readonly porthole: "navigated"; readonly href: string; readonly title: string }
  /** It does not work in a frame. */
  | { readonly porthole: "wants-tab" };

/** From a doorway to the shell, with a port: any answer on it means that the frame is the shell's own. */
export type DoorToShell = { readonly porthole: "door" };

/** What a client may have on its way to the pump unacknowledged, in units of `bodyCost`: fills 100 Mbit/s at 20 ms. */
export const BODY_WINDOW = 256 << 10;

/** Largest part of a body in one message, in bytes: measured, ports gain little above it (browser-proxying.md 3.3). */
export const MAX_BODY_PART_BYTES = 64 << 10;

/** What a message costs beside its bytes, so that a flood of empty WebSocket messages runs out of credit as well. */
const MESSAGE_COST_BYTES = 64;

/** Characters of a path and of a header value: more than a head may have, so that the mux says which one is too long. */
const MAX_TEXT_LENGTH = 256 << 10;
/** Characters of a title that travels between frames. */
export const MAX_TITLE_LENGTH = 256;
/** Characters of an address of the shell that travels between frames. */
export const MAX_ADDRESS_LENGTH = 16 << 10;

/** Credit that one body message uses. */
export function bodyCost(bytes: Uint8Array): number {
  return bytes.length + MESSAGE_COST_BYTES;
}

/**
 * Checks a head from a page or service worker; undefined for one that may not travel: the agent ends the whole connection
 * for what breaks these patterns (src/protocol/head.ts), and a page must not reach that.
 */
export function parseStreamHead(value: unknown): StreamHead | undefined {
  if (!isRecord(value)) return undefined;
  const { kind, method, path, headers } = value;
  if (kind !== "http" && kind !== "websocket") return undefined;
  if (!matches(method, TOKEN) || !matches(path, ORIGIN_FORM)) return undefined;
  if (path.startsWith(RESERVED_PREFIX) && !AGENT_PATHS.has(path)) return undefined;
  const lines = parseHeaders(headers);
  return lines && { kind, method, path, headers: lines };
}

/** Checks a message that a stream's client sent; undefined for anything else. */
export function parseToPump(value: unknown): ToPump | undefined {
  if (!isRecord(value)) return undefined;
  switch (value.type) {
    case "body": {
      const { bytes, text, last } = value;
      if (!isBytes(bytes) || bytes.length > MAX_BODY_PART_BYTES) return undefined;
      return { type: "body", bytes, text: text === true, last: last === true };
    }
    case "body-end":
      return parseEnd("body-end", value.close);
    case "pull":
      return isCount(value.bytes) ? { type: "pull", bytes: value.bytes } : undefined;
    case "cancel":
      return { type: "cancel" };
    default:
      return undefined;
  }
}

/** Checks a message that a pump sent; undefined for anything else. */
export function parseFromPump(value: unknown): FromPump | undefined {
  if (!isRecord(value)) return undefined;
  switch (value.type) {
    case "head": {
      const headers = parseHeaders(value.headers);
      return isCount(value.status) && headers
        ? { type: "head", status: value.status, headers }
        : { type: "error", code: "protocol" }; // the stream waits for a head: to drop this one would hang it
    }
    case "data": {
      const { bytes, text, last } = value;
      if (!isBytes(bytes)) return undefined;
      return { type: "data", bytes, text: text === true, last: last === true };
    }
    case "end":
      return parseEnd("end", value.close);
    case "error":
      return { type: "error", code: isStreamCode(value.code) ? value.code : "internal" };
    case "pull":
      return isCount(value.bytes) ? { type: "pull", bytes: value.bytes } : undefined;
    default:
      return undefined;
  }
}

/** Text of at most `limit` characters; undefined for what is no text. */
export function boundedText(value: unknown, limit: number): string | undefined {
  return typeof value === "string" ? value.slice(0, limit) : undefined;
}

/** Whether a message is an object whose fields may be looked at. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function parseEnd<T extends string>(type: T, close: unknown) {
  if (!isRecord(close)) return { type };
  const { code, reason } = close;
  if (!isCount(code) || code > 0xffff || typeof reason !== "string") return { type };
  return { type, close: { code, reason: reason.slice(0, MAX_TITLE_LENGTH) } };
}

function parseHeaders(value: unknown): Header[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_HEADER_LINES) return undefined;
  const lines: Header[] = [];
  for (const line of value) {
    if (!Array.isArray(line) || line.length !== 2) return undefined;
    const [name, text] = line as unknown[];
    if (!matches(name, TOKEN) || !matches(text, FIELD_VALUE)) return undefined;
    lines.push([name, text]);
  }
  return lines;
}

function matches(value: unknown, pattern: RegExp): value is string {
  return typeof value === "string" && value.length <= MAX_TEXT_LENGTH && pattern.test(value);
}

function isBytes(value: unknown): value is Bytes {
  return value instanceof Uint8Array && value.buffer instanceof ArrayBuffer;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isStreamCode(value: unknown): value is StreamCode {
  return typeof value === "string" && Object.hasOwn(STREAM_CODES, value);
}
