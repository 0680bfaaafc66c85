/** All streams of one browser: the mux on channel 1 `bulk` and an exchange for each open stream. */
import type { Log } from "../lib/log.ts";
import type { RequestHead } from "../protocol/http.ts";
import type { MuxEvent } from "../protocol/mux.ts";
import { Budget } from "./budget.ts";
import { type Carry, Exchange } from "./exchange.ts";
import { carryHttp } from "./http_exchange.ts";
import { MAX_ASSEMBLED_BYTES, MAX_EXCHANGES, RELEASE_LIMIT_MS } from "./limits.ts";
import { MuxDriver } from "./mux_driver.ts";
import type { Channel, Services } from "./seams.ts";
import { carrySocket } from "./socket_exchange.ts";

const CARRIERS: Readonly<Record<RequestHead["kind"], Carry>> = {
  http: carryHttp,
  websocket: carrySocket,
};

/** Opens, feeds and ends exchanges as the mux says. The mux bounds those that are open. */
export class Streams {
  readonly #driver: MuxDriver;
  readonly #services: Services;
  readonly #log: Log;
  readonly #releaseLimit: number;
  readonly #messages = new Budget(MAX_ASSEMBLED_BYTES);
  readonly #exchanges = new Map<number, Exchange>();
  readonly #running = new Set<Promise<void>>();

  /** `closed` is told once when the channel ended by itself or the browser broke the protocol. */
  constructor(
    channel: Channel,
    options: {
      services: Services;
      log: Log;
      closed: (reason: "channel-closed" | "protocol") => void;
      /** ms; tests shorten it. */
      releaseLimit?: number;
    },
  ) {
    this.#services = options.services;
    this.#log = options.log;
    this.#releaseLimit = options.releaseLimit ?? RELEASE_LIMIT_MS;
    this.#driver = new MuxDriver(channel, {
      event: (event) => this.#event(event),
      closed: (reason, error) => {
        if (error !== undefined) {
          this.#log.warn("session.protocol_broken", { reason: error.message });
        }
        options.closed(reason);
      },
    });
  }

  start(): void {
    this.#driver.start();
  }

  /** Exchanges that are open. */
  get size(): number {
    return this.#running.size;
  }

  /** Ends every exchange and waits until their sockets are let go, within a limit. */
  async close(): Promise<void> {
    this.#driver.close();
    for (const exchange of this.#exchanges.values()) exchange.abort("session_closed");
    await this.#released();
  }

  async #released(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#log.error("session.exchanges_stuck", { exchanges: this.#running.size });
      late.resolve();
    }, this.#releaseLimit);
    await Promise.race([Promise.all(this.#running), late.promise]);
    clearTimeout(timer);
  }

  #event(event: MuxEvent): void {
    if (event.type === "open") return this.#open(event.id, event.head);
    const exchange = this.#exchanges.get(event.id);
    exchange?.event(event);
    if (event.type === "reset") this.#exchanges.delete(event.id);
    // The answer was complete before the upload: the rest goes nowhere, and must not hold the browser up.
    if (exchange === undefined && event.type === "data") this.#drop(event.id, event.bytes.length);
  }

  #drop(id: number, payload: number): void {
    this.#driver.run((mux, now) => mux.consumed(now, id, payload));
  }

  #open(id: number, head: RequestHead): void {
    if (this.#running.size >= MAX_EXCHANGES) {
      return this.#driver.run((mux, now) => mux.reset(now, id, "limit"));
    }
    const exchange = new Exchange(id, head, { run: this.#driver.run, log: this.#log });
    this.#exchanges.set(id, exchange);
    const parts = { services: this.#services, messages: this.#messages };
    const running = exchange.run(CARRIERS[head.kind], parts).finally(() => {
      this.#exchanges.delete(id);
      this.#running.delete(running);
    });
    this.#running.add(running);
  }
}
