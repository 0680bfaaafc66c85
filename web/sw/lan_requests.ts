/**
 * Requests of a device's page to the address that its service has on the LAN. The service worker is shown them, for they
 * are to another origin than the page's; they are answered as if they were to its own. Navigations are not shown
 * (web/inject/lan.ts).
 */
import { atOwnOrigin, isLanHost, readOrigin } from "./lan_address.ts";

/** How long a page waits for the agent's word, in ms: its own answer is a round trip away as well. */
const SOON_MS = 1000;

/** What it needs of the worker. */
export interface LanContext {
  /** The content origin. */
  readonly own: string;
  /** Asks the agent; undefined when it was not reached or does not say. */
  ask(): Promise<string | undefined>;
}

/** The service's address on its LAN, asked for once in a worker's life. */
export class LanRequests {
  readonly #context: LanContext;
  #known: string | undefined;
  #asking: Promise<string> | undefined;

  constructor(context: LanContext) {
    this.#context = context;
  }

  /** The origin; empty for none, or while nobody knows. */
  get known(): string {
    return this.#known ?? "";
  }

  /** The origin, once the agent has said it; empty for none. Never rejects. */
  async origin(): Promise<string> {
    if (this.#known !== undefined) return this.#known;
    this.#asking ??= this.#ask().finally(() => this.#asking = undefined);
    return await this.#asking;
  }

  /** Waits until `known` is right, or a moment. */
  async soon(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((resolve) => timer = setTimeout(resolve, SOON_MS));
    await Promise.race([this.origin(), late]);
    clearTimeout(timer);
  }

  /** The service may have moved. */
  forget(): void {
    this.#known = undefined;
  }

  /** Answers a request to another origin by `device`; undefined for one that goes its own way. */
  answer(
    request: Request,
    device: (request: Request) => Promise<Response>,
  ): Promise<Response> | undefined {
    const url = new URL(request.url);
    if (request.mode === "navigate") return undefined;
    const isOurs = this.#known === undefined
      ? isLanHost(url.hostname)
      : this.#ownAddress(url, this.#known) !== undefined;
    return isOurs ? this.#answer(request, device) : undefined;
  }

  async #answer(
    request: Request,
    device: (request: Request) => Promise<Response>,
  ): Promise<Response> {
    const hasBody = request.method !== "GET" && request.method !== "HEAD";
    const body = hasBody ? request.clone().arrayBuffer() : null; // before any other await: see request_body.ts
    const own = this.#ownAddress(new URL(request.url), await this.origin());
    if (own === undefined) return await fetch(request);
    const { method, headers, cache, credentials, keepalive, redirect, referrer } = request;
    return await device(
      new Request(own, {
        ...{ method, headers, cache, credentials, keepalive, redirect },
        ...(referrer.startsWith(`${this.#context.own}/`) ? { referrer } : {}),
        mode: "same-origin",
        body: await body,
      }),
    );
  }

  #ownAddress(url: URL, lan: string): string | undefined {
    return atOwnOrigin(url, { lan, own: this.#context.own });
  }

  async #ask(): Promise<string> {
    const text = await this.#context.ask();
    if (text !== undefined) this.#known = readOrigin(text);
    return this.known;
  }
}
