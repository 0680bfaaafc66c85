/**
 * Request and response heads as they travel in OPEN and HEAD frames: CBOR arrays, header lines as a flat list of
 * names and values.
 *
 *   request   [kind, service, method, path, [name, value, ...]]     kind: 0 HTTP, 1 WebSocket
 *   response  [status, [name, value, ...]]
 */
import type { Bytes } from "../lib/bytes.ts";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import { ProtocolError, type StreamCode, StreamError } from "./errors.ts";
import {
  FIELD_VALUE,
  type Header,
  ORIGIN_FORM,
  type RequestHead,
  type ResponseHead,
  TOKEN,
} from "./http.ts";
import { MAX_HEAD_BYTES, MAX_HEADER_LINES } from "./limits.ts";

const KINDS = ["http", "websocket"] as const;
const SERVICE_ID = /^[a-z0-9][a-z0-9-]{0,31}$/;

/** What a writer is told of a head that may not travel. */
interface HeadFaults {
  readonly tooLarge: StreamCode;
  readonly malformed: StreamCode;
}

const REQUEST_FAULTS: HeadFaults = { tooLarge: "request_too_large", malformed: "protocol" };
const ANSWER_FAULTS: HeadFaults = { tooLarge: "answer_too_large", malformed: "upstream_broken" };

/** Writes the payload of OPEN. Throws a StreamError with a code of `REQUEST_FAULTS` for a head that may not travel. */
export function encodeRequestHead(head: RequestHead): Bytes {
  const { kind, service, method, path } = head;
  const headers = writeHeaders(head.headers, REQUEST_FAULTS);
  if (!SERVICE_ID.test(service) || !TOKEN.test(method) || !ORIGIN_FORM.test(path)) {
    throw new StreamError("protocol", "Cannot send a head: service, method or path is malformed");
  }
  const bytes = encodeCbor([KINDS.indexOf(kind), service, method, path, headers]);
  return bounded(bytes, REQUEST_FAULTS);
}

/**
 * Writes the payload of HEAD. Throws a StreamError with a code of `ANSWER_FAULTS` for a head that may not travel: it
 * must fail its own stream here, for at the peer it would end the connection.
 */
export function encodeResponseHead(head: ResponseHead): Bytes {
  const headers = writeHeaders(head.headers, ANSWER_FAULTS);
  if (!isStatus(head.status)) {
    throw new StreamError("upstream_broken", `Cannot send a head: status ${head.status}`);
  }
  return bounded(encodeCbor([head.status, headers]), ANSWER_FAULTS);
}

function bounded(bytes: Bytes, { tooLarge }: HeadFaults): Bytes {
  if (bytes.length <= MAX_HEAD_BYTES) return bytes;
  throw new StreamError(
    tooLarge,
    `Cannot send a head: ${bytes.length} bytes, limit ${MAX_HEAD_BYTES}`,
  );
}

/** Reads the payload of OPEN. Throws a ProtocolError for anything that `encodeRequestHead` would not write. */
export function decodeRequestHead(bytes: Uint8Array): RequestHead {
  const [kind, service, method, path, headers] = items(bytes, 5);
  const kindName = typeof kind === "number" ? KINDS[kind] : undefined;
  if (kindName === undefined) throw new ProtocolError("Cannot read a request head: unknown kind");
  return {
    kind: kindName,
    service: text(service, "service", SERVICE_ID),
    method: text(method, "method", TOKEN),
    path: text(path, "path", ORIGIN_FORM),
    headers: readHeaders(headers),
  };
}

/** Reads the payload of HEAD. Throws a ProtocolError for anything that `encodeResponseHead` would not write. */
export function decodeResponseHead(bytes: Uint8Array): ResponseHead {
  const [status, headers] = items(bytes, 2);
  if (!isStatus(status)) {
    throw new ProtocolError("Cannot read a response head: status is not a number of three digits");
  }
  return { status, headers: readHeaders(headers) };
}

function isStatus(status: unknown): status is number {
  return typeof status === "number" && Number.isInteger(status) && status >= 100 && status <= 999;
}

function writeHeaders(headers: readonly Header[], { tooLarge, malformed }: HeadFaults): string[] {
  if (headers.length > MAX_HEADER_LINES) {
    throw new StreamError(tooLarge, `Cannot send a head: ${headers.length} header lines`);
  }
  if (headers.every(([name, value]) => TOKEN.test(name) && FIELD_VALUE.test(value))) {
    return headers.flat();
  }
  throw new StreamError(malformed, "Cannot send a head: a header line is malformed");
}

function items(bytes: Uint8Array, count: number): unknown[] {
  const value = decodeCbor(bytes);
  if (Array.isArray(value) && value.length === count) return value;
  throw new ProtocolError(`Cannot read a head: not an array of ${count}`);
}

function text(value: unknown, what: string, pattern: RegExp): string {
  if (typeof value === "string" && pattern.test(value)) return value;
  throw new ProtocolError(`Cannot read a head: ${what} is malformed`);
}

function readHeaders(value: unknown): Header[] {
  if (!Array.isArray(value) || value.length % 2 !== 0) {
    throw new ProtocolError("Cannot read a head: headers are not pairs");
  }
  const headers: Header[] = [];
  for (let i = 0; i < value.length; i += 2) {
    headers.push([
      text(value[i], "header name", TOKEN),
      text(value[i + 1], "header value", FIELD_VALUE),
    ]);
  }
  return headers;
}
