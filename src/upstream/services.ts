/**
 * Where requests end: the HTTP servers and WebSockets of the device and its LAN. The agent hands in a request that
 * names a service by its id; here it becomes a connection to that service's target, which only the owner's
 * configuration can name. Both bodies stream with back-pressure. Not here: who may use a service (`agent`, `control`),
 * frames and credit (`protocol`), redirects (they go to the browser as they are).
 *
 * flow: holder_services (account: cookies, logins) -> services -> headers, policy (pure) -> gate -> exchange -> connect
 *                                                                                  | websocket -> connect
 */
import { createHash } from "node:crypto";
import type { Log } from "../lib/log.ts";
import { StreamError } from "../protocol/errors.ts";
import type { RequestHead } from "../protocol/http.ts";
import type { Place } from "./account.ts";
import { Accounts } from "./accounts.ts";
import { nameElsewhere } from "./elsewhere.ts";
import { type BareServices, HolderServices } from "./holder_services.ts";
import { HttpClient, type HttpLimits, type HttpRequest, type HttpResponse } from "./http.ts";
import type { Addressing } from "./policy.ts";
import { hostOf, originOf, type Target } from "./target.ts";
import { openSocket, type ServiceSocket, type SocketLimits } from "./websocket.ts";

/** A service as the owner configured it. */
export interface ServiceConfig {
  readonly id: string;
  readonly title: string;
  readonly target: Target;
  /** Whose name the service sees as its own: see `policy.ts`. "target" if absent. */
  readonly host?: "target" | "keep";
}

/** What `createServices` needs beside the list. */
export interface ServicesOptions {
  readonly log: Log;
  /**
   * Whether an origin, as "https://label.example", is where pages of this service run. Without it no origin is, and
   * `Origin` and `Referer` reach the service as the browser wrote them.
   */
  readonly isContentOrigin?: (service: string, origin: string) => boolean;
  /** For tests. */
  readonly limits?: HttpLimits & SocketLimits;
}

interface Service {
  readonly config: ServiceConfig;
  readonly addressing: Addressing;
  readonly client: HttpClient;
}

/** The services of this device. Nothing is opened before a request comes; `close` when the agent ends. */
export function createServices(
  configs: readonly ServiceConfig[],
  options: ServicesOptions,
): DeviceServices {
  return new DeviceServices(configs, options);
}

/**
 * See `createServices`. All methods throw StreamErrors, whose codes may go to the browser. A person's session uses
 * `forHolder`; the others know nobody.
 */
export class DeviceServices implements BareServices {
  readonly #services: ReadonlyMap<string, Service>;
  readonly #limits: HttpLimits & SocketLimits;
  readonly #closing = new AbortController();
  readonly #accounts = new Accounts();

  constructor(
    configs: readonly ServiceConfig[],
    { log, isContentOrigin = () => false, limits = {} }: ServicesOptions,
  ) {
    this.#limits = limits;
    this.#services = new Map(configs.map((config) => {
      const addressing: Addressing = {
        target: config.target,
        host: config.host ?? "target",
        isContentOrigin: (origin) => isContentOrigin(config.id, origin),
      };
      warnOfUnverified(config, log);
      return [config.id, { config, addressing, client: new HttpClient(addressing, limits) }];
    }));
  }

  /** All of them, in the order of the configuration. */
  list(): readonly { readonly id: string; readonly title: string }[] {
    return [...this.#services.values()].map(({ config: { id, title } }) => ({ id, title }));
  }

  /** Sends a request and resolves with the head of its answer. The caller reads the body to its end, cancels or aborts. */
  async request(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    const { client, config } = this.#find(request.head, "http");
    const { head, body } = await client.request(request, this.#orClosing(signal));
    const all = [...this.#services.values()].map((service) => service.config);
    return { head: nameElsewhere(head, all.filter((other) => other !== config)), body };
  }

  /** Opens a WebSocket. `signal` ends it at any time. */
  async socket(head: RequestHead, signal: AbortSignal): Promise<ServiceSocket> {
    const { addressing } = this.#find(head, "websocket");
    return await openSocket(head, {
      addressing,
      signal: this.#orClosing(signal),
      limits: this.#limits,
    });
  }

  /**
   * The services with the cookies and logins of one person. `holder` names that person's key, and a guest's grant; sessions of the same
   * holder share them, one after the other or at once.
   */
  forHolder(holder: string): HolderServices {
    return new HolderServices(this, {
      holder: nameForBrowser(holder),
      account: (service) => {
        const { target } = this.#service(service).config;
        return this.#accounts.of(holder, { id: service, ...placeOf(target) });
      },
    });
  }

  /** Ends every exchange, WebSocket and idle connection, and forgets everybody. */
  close(): void {
    this.#accounts.clear();
    this.#closing.abort(new StreamError("session_closed", "Cannot go on: the agent ends"));
    for (const { client } of this.#services.values()) client.close();
  }

  #find(head: RequestHead, kind: RequestHead["kind"]): Service {
    const service = this.#service(head.service);
    if (head.kind === kind) return service;
    throw new StreamError("protocol", `Cannot use a service: the head is not for ${kind}`);
  }

  #service(id: string): Service {
    const service = this.#services.get(id);
    if (service) return service;
    throw new StreamError("service_unknown", "Cannot find a service: no such id");
  }

  #orClosing(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#closing.signal]);
  }
}

/** The same for as long as the holder is, so that a browser's cache outlives this process; says nothing of who it is. */
function nameForBrowser(holder: string): string {
  return createHash("sha256").update(`porthole holder ${holder}`).digest("base64url").slice(0, 22);
}

function placeOf(target: Target): Place {
  return { host: hostOf(target), origin: target.type === "unix" ? "" : originOf(target) };
}

function warnOfUnverified({ id, target }: ServiceConfig, log: Log): void {
  if (target.type !== "https" || target.tls?.type !== "unverified") return;
  log.warn("upstream.unverified", { service: id });
}
