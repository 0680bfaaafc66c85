/** All streams of one browser: the mux on channel 1 `bulk` and an exchange for each open stream. */
import type { Log } from "../lib/log.ts";
import type { RequestHead } from "../protocol/http.ts";
import type { MuxEvent } from "../protocol/mux.ts";
import { type Carry, Exchange } from "./exchange.ts";
import { carryHttp } from "./http_exchange.ts";
import { MuxDriver } from "./mux_driver.ts";
import type { Channel, Services } from "./seams.ts";
import { carrySocket } from "./socket_exchange.ts";

const CARRIERS: Readonly<Record<RequestHead["kind"], Carry>> = {
  http: carryHttp,
  websocket: carrySocket,
};

/** Opens, feeds and ends exchanges as the mux says. Their number is bounded by the mux. */
export class Streams {
  readonly #driver: MuxDriver;
  readonly #services: Services;
  readonly #log: Log;
  readonly #exchanges = new Map<number, Exchange>();
  readonly #running = new Set<Promise<void>>();

  /** `closed` is told once when the channel ended by itself or the browser broke the protocol. */
  constructor(
    channel: Channel,
    options: {
      services: Services;
      log: Log;
      closed: (reason: "channel-closed" | "protocol") => void;
    },
  ) {
    this.#services = options.services;
    this.#log = options.log;
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

  /** Ends every exchange and waits until their sockets are let go. */
  async close(): Promise<void> {
    this.#driver.close();
    for (const exchange of this.#exchanges.values()) exchange.abort("session_closed");
    await Promise.all(this.#running);
  }

  #event(event: MuxEvent): void {
    if (event.type === "open") return this.#open(event.id, event.head);
    this.#exchanges.get(event.id)?.event(event);
    if (event.type === "reset") this.#exchanges.delete(event.id);
  }

  #open(id: number, head: RequestHead): void {
    const exchange = new Exchange(id, head, { run: this.#driver.run, log: this.#log });
    this.#exchanges.set(id, exchange);
    const running = exchange.run(CARRIERS[head.kind], this.#services).finally(() => {
      this.#exchanges.delete(id);
      this.#running.delete(running);
    });
    this.#running.add(running);
  }
}
