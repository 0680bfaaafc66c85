import { createBrotliDecompress } from "node:zlib";
import type { IncomingMessage } from "node:http";
import { pipeline, type Readable } from "node:stream";
import type { Bytes } from "../lib/bytes.ts";
import { StreamError } from "../protocol/errors.ts";
import type { Header, RequestHead, ResponseHead } from "../protocol/http.ts";
import { pulledStream } from "./body.ts";
import { TargetAgent } from "./connect.ts";
import { Exchange, StaleConnection } from "./exchange.ts";
import { Gate } from "./gate.ts";
import { checkRequestHead, claimedLength, pairs, valueOf } from "./headers.ts";
import { type Addressing, browserHeaders, serviceHeaders } from "./policy.ts";

/** A request as it comes in; the seam of `services.ts`. */
export interface HttpRequest {
  readonly head: RequestHead;
  readonly body: ReadableStream<Bytes> | null;
}

/** An answer as it goes out. The body must be read to its end or cancelled, or the request's signal aborted. */
export interface HttpResponse {
  readonly head: ResponseHead;
  readonly body: ReadableStream<Bytes>;
}

/** Limits that tests shorten. */
export interface HttpLimits {
  readonly connectLimitMs?: number;
  readonly answerLimitMs?: number;
}

/** Safe to send twice (RFC 9110 9.2.2), so they may use a connection that the service might just be closing. */
const REPEATABLE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Without a body these say nothing of its length; all others say 0 (RFC 9110 8.6). */
const BODILESS: ReadonlySet<string> = new Set([...REPEATABLE, "DELETE"]);

/** Status codes whose answers have no body, whatever their headers say (RFC 9112 6.3). */
const EMPTY_STATUS: ReadonlySet<number> = new Set([204, 304]);

/** HTTP/1.1 to one service: its connections and the order in which they are used. */
export class HttpClient {
  readonly #addressing: Addressing;
  readonly #limits: HttpLimits;
  readonly #gate = new Gate();
  readonly #kept: TargetAgent;
  readonly #fresh: TargetAgent;

  constructor(addressing: Addressing, limits: HttpLimits) {
    this.#addressing = addressing;
    this.#limits = limits;
    const limitMs = limits.connectLimitMs;
    this.#kept = new TargetAgent(addressing.target, { keep: true, limitMs });
    this.#fresh = new TargetAgent(addressing.target, { keep: false, limitMs });
  }

  /** Sends a request; resolves with the head of the answer. Rejects with a StreamError. */
  async request(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    checkRequestHead(request.head);
    const leave = await this.#gate.enter(signal);
    try {
      return await this.#exchange(request, { signal, leave });
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Ends all connections. */
  close(): void {
    this.#kept.destroy();
    this.#fresh.destroy();
  }

  async #exchange(
    request: HttpRequest,
    { signal, leave }: { signal: AbortSignal; leave: () => void },
  ): Promise<HttpResponse> {
    const { head, body } = request;
    const isRepeatable = body === null && REPEATABLE.has(head.method);
    let exchange = this.#prepare(request, {
      agent: isRepeatable ? this.#kept : this.#fresh,
      signal,
    });
    let message: IncomingMessage;
    try {
      message = await exchange.answer();
    } catch (error) {
      if (!isRepeatable || !(error instanceof StaleConnection)) throw error;
      exchange = this.#prepare(request, { agent: this.#fresh, signal });
      message = await exchange.answer();
    }
    const over = () => {
      exchange.over();
      leave();
    };
    return this.#response(message, { isHead: head.method === "HEAD", over });
  }

  #prepare(
    { head, body }: HttpRequest,
    { agent, signal }: { agent: TargetAgent; signal: AbortSignal },
  ): Exchange {
    const length = body ? claimedLength(head.headers) : undefined;
    return new Exchange({
      agent,
      method: head.method,
      path: head.path,
      headers: [
        ...serviceHeaders(head, this.#addressing),
        ...encodingHeaders(head.headers),
        ...framingHeaders(head.method, { hasBody: body !== null, length }),
      ],
      body,
      length,
      signal,
      answerLimitMs: this.#limits.answerLimitMs,
    });
  }

  #response(
    message: IncomingMessage,
    { isHead, over }: { isHead: boolean; over: () => void },
  ): HttpResponse {
    const status = message.statusCode ?? 0;
    if (status < 200 || status > 599) {
      over();
      message.destroy();
      throw new StreamError("upstream_broken", `Cannot use an answer: status ${status}`);
    }
    const headers = browserHeaders(pairs(message.rawHeaders), this.#addressing.target);
    if (isHead || EMPTY_STATUS.has(status)) {
      message.resume(); // reaches its end at once and frees the connection
      over();
      return { head: { status, headers }, body: emptyStream() };
    }
    if (valueOf(headers, "content-encoding")?.toLowerCase() === "br") {
      const body = pulledStream(unbrotli(message), over);
      return { head: { status, headers: withoutEncoding(headers) }, body };
    }
    return { head: { status, headers }, body: pulledStream(message, over) };
  }
}

/** What the browser's side can decode; the tunnel is the bottleneck. A range of an encoded body could not be decoded. */
function encodingHeaders(headers: readonly Header[]): readonly Header[] {
  const isRange = valueOf(headers, "range") !== undefined;
  const asked = valueOf(headers, "accept-encoding");
  return [["Accept-Encoding", asked ?? (isRange ? "identity" : "gzip, deflate")]];
}

function framingHeaders(
  method: string,
  { hasBody, length }: { hasBody: boolean; length: number | undefined },
): readonly Header[] {
  if (length !== undefined) return [["Content-Length", String(length)]];
  if (hasBody) return [["Transfer-Encoding", "chunked"]];
  return BODILESS.has(method) ? [] : [["Content-Length", "0"]];
}

/** Nobody asked for Brotli, which the browser's side cannot decode by itself, but some servers send it regardless. */
function unbrotli(message: IncomingMessage): Readable {
  return pipeline(message, createBrotliDecompress(), () => {}); // errors reach the reader of the result
}

function withoutEncoding(headers: readonly Header[]): readonly Header[] {
  return headers.filter(([name]) => !/^content-(encoding|length)$/i.test(name));
}

function emptyStream(): ReadableStream<Bytes> {
  return new ReadableStream({ start: (controller) => controller.close() });
}
