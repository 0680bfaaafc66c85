/**
 * One request and its answer, as the service worker sees them. All state of a request lives here and ends with it: the
 * worker may be stopped and started between any two requests.
 */
import type { Bytes } from "../../src/lib/bytes.ts";
import type { StreamCode } from "../../src/protocol/errors.ts";
import type { ResponseHead } from "../../src/protocol/http.ts";
import { PulledBody, Upload } from "./body.ts";
import type { Bridge } from "./bridges.ts";
import type { KeepAlive } from "./keepalive.ts";
import type { Watched } from "./page_requests.ts";
import type { StreamHead } from "./port_messages.ts";
import { StreamPort } from "./stream_port.ts";

/** Beats (10 s each) that an upload may still take once its answer is complete. */
const UPLOAD_GRACE_BEATS = 3;

/** What an exchange needs of the worker. */
export interface ExchangeContext {
  readonly keepAlive: KeepAlive;
  /** Whether the bridge that carries this exchange is still there. */
  exists(bridgeId: string): Promise<boolean>;
  /** Whether somebody may still wait: before the answer, a browser tells the worker of no abort (browser-proxying.md 0.4). */
  wanted(): Promise<boolean>;
  /** What the page itself says of it, and hears; missing for requests that are no page's. */
  readonly watched?: Watched;
}

/** An HTTP exchange through a bridge. */
export class Exchange {
  readonly #port: StreamPort;
  readonly #otherEnd: MessagePort;
  readonly #body: PulledBody;
  readonly #upload: Upload;
  readonly #answer = Promise.withResolvers<ResponseHead | StreamCode>();
  readonly #context: ExchangeContext;
  #release: () => void = () => {};
  /** Beats since the answer was complete; undefined before. */
  #beatsSinceEnd: number | undefined;
  #uploading = false;

  constructor(context: ExchangeContext) {
    const { port1, port2 } = new MessageChannel();
    this.#context = context;
    this.#otherEnd = port2;
    this.#port = new StreamPort(port1, {
      head: (head) => this.#answer.resolve(head),
      data: (bytes) => this.#body.push(bytes),
      end: () => this.#ended(),
      error: (code) => this.#failed(code),
      credit: () => this.#upload.wake(),
    });
    this.#body = new PulledBody({
      taken: (bytes) => this.#port.taken(bytes),
      cancel: () => this.#cancel(),
    });
    this.#upload = new Upload(this.#port, (bytes, done) => context.watched?.sent(bytes, done));
  }

  /** The answer's body. */
  get body(): ReadableStream<Bytes> {
    return this.#body.stream;
  }

  /** Sends the request; gives the head of the answer as soon as it is there, or why there is none. */
  run(
    bridge: Bridge,
    request: { head: StreamHead; body: ReadableStream<Uint8Array> | null },
  ): Promise<ResponseHead | StreamCode> {
    const signal = this.#context.watched?.signal;
    if (signal?.aborted) {
      request.body?.cancel().catch(() => {}); // nobody reads it
      return Promise.resolve("cancelled");
    }
    const letGo = this.#context.keepAlive.hold(() => this.#beat(bridge));
    const abort = () => this.#abort();
    signal?.addEventListener("abort", abort);
    this.#release = () => {
      letGo();
      signal?.removeEventListener("abort", abort);
    };
    this.#port.start();
    bridge.post({ porthole: "stream", head: request.head }, this.#otherEnd);
    if (request.body === null) this.#port.endBody();
    else this.#send(request.body);
    return this.#answer.promise;
  }

  #send(body: ReadableStream<Uint8Array>): void {
    this.#uploading = true;
    this.#upload.run(body).then((whole) => {
      this.#uploading = false;
      if (!whole) this.#abort();
      else if (this.#beatsSinceEnd !== undefined) this.#release();
    });
  }

  /** The page's own body broke off, or the page is gone: the device must not take the part for the whole. */
  #abort(): void {
    this.#port.cancel();
    this.#failed("cancelled");
  }

  #ended(): void {
    this.#answer.resolve("upstream_broken"); // no head came: if one did, this says nothing
    this.#body.end();
    this.#beatsSinceEnd = 0;
    if (!this.#uploading) this.#release();
  }

  #failed(code: StreamCode): void {
    this.#answer.resolve(code);
    this.#body.fail(code);
    this.#upload.wake();
    this.#release();
  }

  /** The page does not want the answer any more. */
  #cancel(): void {
    this.#port.cancel();
    this.#upload.wake();
    this.#release();
  }

  #beat(bridge: Bridge): void {
    if (this.#beatsSinceEnd !== undefined && ++this.#beatsSinceEnd > UPLOAD_GRACE_BEATS) {
      return this.#cancel();
    }
    this.#context.exists(bridge.id).then(
      (there) => there || this.#port.fail("session_closed"),
      () => this.#port.fail("session_closed"),
    );
    this.#context.wanted().then(
      (wanted) => wanted || this.#abort(),
      () => {}, // not known: the answer will show it
    );
  }
}
