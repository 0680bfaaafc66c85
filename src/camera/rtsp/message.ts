/**
 * RTSP 1.0 on the wire (RFC 2326 4 to 7, 10.12): a parser that takes bytes as they come, and the
 * writer of requests. Pure. Everything has a limit, because a camera is a stranger too.
 */
import { concat, utf8 } from "../../lib/bytes.ts";
import { CameraError } from "../source.ts";

export const MAX_HEAD_BYTES = 16 * 1024;
/** A description of many tracks is a few KiB. */
export const MAX_BODY_BYTES = 64 * 1024;

const DOLLAR = 0x24;
const INTERLEAVED_HEAD_BYTES = 4;
const LINE_END = [13, 10] as const;

/** Names in lower case; a name may come several times. */
export type Headers = ReadonlyMap<string, readonly string[]>;

export interface RtspResponse {
  readonly type: "response";
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

export interface RtspRequest {
  readonly type: "request";
  readonly method: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** An embedded packet (RFC 2326 10.12). */
export interface InterleavedPacket {
  readonly type: "interleaved";
  readonly channel: number;
  readonly bytes: Uint8Array;
}

export type RtspItem = RtspResponse | RtspRequest | InterleavedPacket;

type Head = Omit<RtspResponse, "body"> | Omit<RtspRequest, "body">;

export class RtspParser {
  #held: Uint8Array = new Uint8Array();
  #searched = 0;
  #head: { head: Head; length: number } | undefined;

  /**
   * Takes the next bytes and gives what they complete. Throws a CameraError `broken`; the parser is
   * then of no more use.
   */
  push(chunk: Uint8Array): RtspItem[] {
    this.#held = this.#held.length === 0 ? chunk : concat(this.#held, chunk);
    const items: RtspItem[] = [];
    for (let item = this.#next(); item !== undefined; item = this.#next()) items.push(item);
    return items;
  }

  #next(): RtspItem | undefined {
    if (this.#head !== undefined) return this.#takeBody(this.#head);
    // stray line ends are common
    while (this.#held[0] === LINE_END[0] || this.#held[0] === LINE_END[1]) this.#drop(1);
    if (this.#held.length === 0) return undefined;
    if (this.#held[0] === DOLLAR) return this.#takeInterleaved();
    const end = this.#headEnd();
    if (end === undefined) return undefined;
    const head = parseHead(this.#held.subarray(0, end));
    this.#drop(end);
    this.#head = { head, length: bodyLength(head.headers) };
    return this.#takeBody(this.#head);
  }

  #takeInterleaved(): InterleavedPacket | undefined {
    if (this.#held.length < INTERLEAVED_HEAD_BYTES) return undefined;
    const end = INTERLEAVED_HEAD_BYTES + ((this.#held[2]! << 8) | this.#held[3]!);
    if (this.#held.length < end) return undefined;
    const channel = this.#held[1]!;
    const bytes = this.#held.subarray(INTERLEAVED_HEAD_BYTES, end);
    this.#drop(end);
    return { type: "interleaved", channel, bytes };
  }

  #takeBody(waiting: { head: Head; length: number }): RtspItem | undefined {
    if (this.#held.length < waiting.length) return undefined;
    const body = this.#held.subarray(0, waiting.length);
    this.#drop(waiting.length);
    this.#head = undefined;
    return { ...waiting.head, body };
  }

  /** Offset behind the empty line; undefined when it has not come. */
  #headEnd(): number | undefined {
    const bytes = this.#held;
    for (let i = bytes.indexOf(10, this.#searched); i >= 0; i = bytes.indexOf(10, i + 1)) {
      if (i + 1 > MAX_HEAD_BYTES) break;
      const before = bytes[i - 1] === 13 ? i - 2 : i - 1;
      if (bytes[before] === 10) return i + 1;
    }
    this.#searched = bytes.length;
    if (bytes.length > MAX_HEAD_BYTES) throw broken(`head above ${MAX_HEAD_BYTES} B`);
    return undefined;
  }

  #drop(count: number): void {
    this.#held = this.#held.subarray(count);
    this.#searched = 0;
  }
}

function parseHead(bytes: Uint8Array): Head {
  const [first = "", ...lines] = new TextDecoder("latin1").decode(bytes).split(/\r?\n/);
  const headers = parseHeaders(lines);
  const status = /^RTSP\/[12]\.\d (\d{3})(?: |$)/.exec(first);
  if (status !== null) return { type: "response", status: Number(status[1]), headers };
  const request = /^([A-Z_]{1,32}) \S+ RTSP\/[12]\.\d$/.exec(first);
  if (request !== null) return { type: "request", method: request[1]!, headers };
  throw broken("what the camera says is not RTSP");
}

/**
 * Folded lines are read as one (RFC 2326 15.1 takes them from HTTP); lines without a colon are
 * skipped.
 */
function parseHeaders(lines: readonly string[]): Headers {
  const headers = new Map<string, string[]>();
  const unfolded = lines.join("\n").replace(/\n[ \t]+/g, " ").split("\n");
  for (const line of unfolded) {
    const colon = line.indexOf(":");
    // deno-lint-ignore no-control-regex -- they have no place in a header and every place in an attack
    if (colon <= 0 || /[\u0000-\u0008\u000b-\u001f\u007f]/.test(line)) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    const values = headers.get(name) ?? [];
    values.push(line.slice(colon + 1).trim());
    headers.set(name, values);
  }
  return headers;
}

function bodyLength(headers: Headers): number {
  const text = headers.get("content-length")?.[0] ?? "0";
  const length = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (!(length <= MAX_BODY_BYTES)) throw broken(`body above ${MAX_BODY_BYTES} B`);
  return length;
}

function broken(reason: string): CameraError {
  return new CameraError("broken", `Cannot read camera's answer: ${reason}`);
}

/** A request without body. Values come from checked texts: they hold no line ends. */
export function writeRequest(
  line: { method: string; url: string },
  headers: Readonly<Record<string, string>>,
): Uint8Array {
  return writeMessage(`${line.method} ${line.url} RTSP/1.0`, headers);
}

/** An answer to what a camera asks of us. */
export function writeResponse(
  status: "200 OK" | "501 Not Implemented",
  sequence: string | undefined,
): Uint8Array {
  return writeMessage(`RTSP/1.0 ${status}`, sequence === undefined ? {} : { CSeq: sequence });
}

function writeMessage(first: string, headers: Readonly<Record<string, string>>): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return utf8([first, ...lines, "", ""].join("\r\n"));
}

/** An embedded packet. `bytes` is below 64 KiB. */
export function writeInterleaved(channel: number, bytes: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(DOLLAR, channel, bytes.length >> 8, bytes.length & 0xff), bytes);
}
