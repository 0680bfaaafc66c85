/** One request on one connection, up to the head of its answer and, through the body, to its end. */
import { type Agent, type ClientRequest, type IncomingMessage, request as send } from "node:http";
import type { Bytes } from "../lib/bytes.ts";
import { StreamError } from "../protocol/errors.ts";
import type { Header } from "../protocol/http.ts";
import { upload } from "./body.ts";
import { abortFailure, failureOf, systemCode } from "./failure.ts";
import { ANSWER_LIMIT_MS, HEAD_LIMIT_BYTES } from "./limits.ts";

export interface ExchangeOptions {
  readonly agent: Agent;
  readonly method: string;
  readonly path: string;
  readonly headers: readonly Header[];
  readonly body: ReadableStream<Bytes> | null;
  /** Bytes of the body as the head says; undefined if it is sent in chunks. */
  readonly length: number | undefined;
  readonly signal: AbortSignal;
  readonly answerLimitMs?: number;
}

/** An idle connection had been closed by the service when we used it: the request may be sent again. */
export class StaleConnection extends StreamError {
  override name = "StaleConnection";
}

/** See `answer`. Single use. */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #head = Promise.withResolvers<IncomingMessage>();
  #request: ClientRequest | undefined;
  #message: IncomingMessage | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  /**
   * Sends the request and resolves with the head of the answer, its body unread and paused. Rejects with a StreamError.
   * An abort later on destroys the message with a StreamError. Call `over` when the body has ended.
   */
  answer(): Promise<IncomingMessage> {
    const { signal, body } = this.#options;
    if (signal.aborted) return Promise.reject(abortFailure(signal));
    signal.addEventListener("abort", this.#onAbort);
    const request = this.#send();
    if (body) this.#upload(body, request);
    else {
      this.#serviceActs();
      request.end();
    }
    return this.#head.promise;
  }

  /** Lets go of the signal and the timer, and of a connection whose service answered without reading the whole body. */
  over(): void {
    clearTimeout(this.#timer);
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    if (this.#message && this.#request?.writableFinished === false) this.#destroy();
  }

  #send(): ClientRequest {
    const { agent, method, path, headers } = this.#options;
    const request = send({
      agent,
      method,
      path,
      headers: headers.flat(),
      maxHeaderSize: HEAD_LIMIT_BYTES,
    });
    this.#request = request;
    request.maxHeadersCount = 0; // the size is limited, and Node drops what is above the count without a word
    request.on("error", (error) => this.#reject(error));
    request.on("close", () => this.#reject(new Error("closed without an answer")));
    request.on("response", (message) => this.#accept(message));
    request.on("upgrade", (_message, socket) => {
      socket.destroy();
      this.#reject(new Error("101 without having been asked"));
    });
    return request;
  }

  #accept(message: IncomingMessage): void {
    clearTimeout(this.#timer);
    this.#message = message;
    message.pause();
    message.on("error", () => {}); // until the body's own listener is there; the state says enough
    this.#head.resolve(message);
  }

  #upload(body: ReadableStream<Bytes>, request: ClientRequest): void {
    const turns = {
      serviceActs: () => this.#serviceActs(),
      browserActs: () => clearTimeout(this.#timer),
    };
    upload(body, request, { length: this.#options.length, turns })
      .catch((error) => this.#fail(failureOf(error, "send a request's body")));
  }

  #serviceActs(): void {
    clearTimeout(this.#timer);
    if (this.#message) return; // once it answers it may take its time
    const limitMs = this.#options.answerLimitMs ?? ANSWER_LIMIT_MS;
    this.#timer = setTimeout(() => {
      this.#fail(new StreamError("upstream_timeout", `Cannot go on: silent for ${limitMs} ms`));
    }, limitMs);
  }

  readonly #onAbort = () => this.#fail(abortFailure(this.#options.signal));

  #fail(failure: StreamError): void {
    this.#reject(failure);
    this.#message?.destroy(failure);
    this.#destroy(failure);
  }

  #destroy(failure?: StreamError): void {
    if (!this.#request) return;
    // Deno sends a request again that is destroyed on a reused connection (denoland/deno#36786).
    this.#request.reusedSocket = false;
    this.#request.destroy(failure);
  }

  /** Without effect once the head was given. */
  #reject(error: unknown): void {
    if (this.#message) return;
    this.over();
    this.#head.reject(this.#isStale(error) ? stale(error) : failureOf(error, "get an answer"));
  }

  #isStale(error: unknown): boolean {
    return this.#request?.reusedSocket === true && /^(ECONNRESET|EPIPE)$/.test(systemCode(error));
  }
}

function stale(cause: unknown): StaleConnection {
  return new StaleConnection(
    "upstream_broken",
    "Cannot get an answer: idle connection was closed",
    {
      cause,
    },
  );
}
