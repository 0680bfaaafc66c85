/**
 * One stream of a browser and the request or WebSocket at a service that answers it: what both kinds share. A stream
 * that ends early, from either side, aborts `signal`, and with it the device's socket.
 *
 *   browser --open, data, end--> Inflow --> service         http_exchange.ts, socket_exchange.ts
 *   browser <------------------- Outflow <-- service
 */
import type { Log } from "../lib/log.ts";
import { type StreamCode, StreamError } from "../protocol/errors.ts";
import type { RequestHead, ResponseHead, SocketClose } from "../protocol/http.ts";
import type { MuxEvent } from "../protocol/mux.ts";
import type { Budget } from "./budget.ts";
import { Inflow } from "./inflow.ts";
import type { RunMux } from "./mux_driver.ts";
import { Outflow } from "./outflow.ts";
import type { Services } from "./seams.ts";

/** What an exchange has at hand while it runs. */
export interface Work {
  readonly head: RequestHead;
  readonly inflow: Inflow;
  readonly outflow: Outflow;
  /** What the WebSockets of this session may hold in unfinished messages. */
  readonly messages: Budget;
  readonly services: Services;
  readonly signal: AbortSignal;
  respond(head: ResponseHead): void;
}

/** Carries a stream from its request to its last byte. Rejects with a StreamError that the browser is told. */
export type Carry = (work: Work) => Promise<Carried>;

/** How a stream was carried to its end: a WebSocket has a close code. */
export interface Carried {
  readonly close?: SocketClose;
}

/** One stream, agent side. */
export class Exchange {
  readonly #id: number;
  readonly #head: RequestHead;
  readonly #run: RunMux;
  readonly #log: Log;
  readonly #inflow: Inflow;
  readonly #outflow: Outflow;
  readonly #abort = new AbortController();

  constructor(id: number, head: RequestHead, options: { run: RunMux; log: Log }) {
    this.#id = id;
    this.#head = head;
    this.#run = options.run;
    this.#log = options.log;
    this.#inflow = new Inflow((payload) => this.#run((mux, now) => mux.consumed(now, id, payload)));
    this.#outflow = new Outflow(id, options.run);
  }

  /** Carries the stream to its end; never rejects. */
  async run(carry: Carry, parts: { services: Services; messages: Budget }): Promise<void> {
    try {
      const { close } = await carry({
        head: this.#head,
        inflow: this.#inflow,
        outflow: this.#outflow,
        ...parts,
        signal: this.#abort.signal,
        respond: (head) => this.#run((mux, now) => mux.respond(now, this.#id, head)),
      });
      this.#run((mux, now) => mux.end(now, this.#id, close));
      this.#inflow.discard();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** What the mux says about this stream. */
  event(event: MuxEvent): void {
    switch (event.type) {
      case "data":
        return this.#inflow.push(event);
      case "end":
        return this.#inflow.end(event.close);
      case "writable":
        return this.#outflow.writable();
      case "reset":
        return this.abort(event.code);
      case "open":
      case "head":
        return; // a stream opens once, and heads come from us
    }
  }

  /** The stream is gone: stops the work at the service. */
  abort(code: StreamCode): void {
    this.#abort.abort(new StreamError(code, `Cannot go on with stream ${this.#id}: ${code}`));
  }

  #fail(error: unknown): void {
    if (this.#abort.signal.aborted) return; // the browser knows, or is gone
    const code = error instanceof StreamError ? error.code : "internal";
    const fields = { service: this.#head.service, code, reason: String(error) };
    if (code === "internal") this.#log.error("stream.failed", fields);
    else this.#log.info("stream.refused", fields);
    this.#run((mux, now) => mux.reset(now, this.#id, code));
    this.#abort.abort(error); // what the service still holds for this stream, a WebSocket above all
  }
}
