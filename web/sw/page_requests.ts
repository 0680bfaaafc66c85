/**
 * What a browser keeps to itself once a service worker answers a request: that the page gave it up before the answer
 * (browser-proxying.md 0.4), and how much of its body has left. Our script in the page numbers its requests in a header and
 * says which it gave up; it hears how far uploads are. Nothing here must survive the worker: a new one has no requests.
 *
 *   page -- request, number --> proxy.ts --> Exchange
 *   page -- give-up, number --> PageRequests -- abort --> Exchange
 *   page <-- sent, number ----- PageRequests <----------- Exchange
 */
import { OWN_HEADER_PREFIX } from "../../src/protocol/http.ts";
import type { SentNews } from "./port_messages.ts";

/** From a page's script to its service worker: a number that no other request of this page has. */
export const NUMBER_HEADER = `${OWN_HEADER_PREFIX}number`;

/** From one report of an upload to the next, in ms: what browsers do by themselves (XMLHttpRequest 4.5.6). */
const REPORT_EVERY_MS = 50;

/** Requests that were given up before the worker was shown them. A page that makes more is not heard for the oldest. */
const MAX_EARLY = 256;

/** Methods that a device may be asked twice (RFC 9110 9.2.1). */
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** As much of a Request as is used. */
export interface NumberedRequest {
  readonly method: string;
  readonly headers: { get(name: string): string | null };
}

/** As much of a `Client` and of `Clients` as is used. */
export interface RequestClients {
  get(id: string): Promise<{ postMessage(message: unknown): void } | undefined>;
}

/** Which requests are on their way: `SentOnce`. */
export interface SentRequests {
  begin(key: string): Promise<boolean>;
  end(key: string): void;
}

/** One request of a page, for whoever carries it. */
export interface Watched {
  /** Whether it may leave: false for one that may change something and left already, with the worker before this one. */
  mayLeave(): Promise<boolean>;
  /** Aborted when the page gives the request up. */
  readonly signal: AbortSignal;
  /** So many bytes of the body have left, all told; `done` with the last. */
  sent(bytes: number, done: boolean): void;
  /** The request was answered, or never will be. */
  release(): void;
}

/** See the head of this file. */
export class PageRequests {
  readonly #clients: RequestClients;
  readonly #sent: SentRequests;
  readonly #clock: () => number;
  readonly #open = new Map<string, AbortController>();
  readonly #early = new Set<string>();

  /** `clock` in ms. */
  constructor(
    clients: RequestClients,
    options: { sent: SentRequests; clock?: () => number },
  ) {
    this.#clients = clients;
    this.#sent = options.sent;
    this.#clock = options.clock ?? (() => performance.now());
  }

  /** Watches a request of a page; one without a number is watched by nobody. */
  watch(page: string, { method, headers }: NumberedRequest): Watched {
    const number = Number(headers.get(NUMBER_HEADER) ?? 0);
    const aborts = new AbortController();
    if (page === "" || !isNumber(number)) return unwatched(aborts.signal);
    const isSafe = SAFE.has(method);
    const key = keyOf(page, number);
    if (this.#early.delete(key)) aborts.abort();
    this.#open.set(key, aborts);
    let reported = -Infinity;
    return {
      mayLeave: async () => isSafe || await this.#sent.begin(key),
      signal: aborts.signal,
      sent: (bytes, done) => {
        const now = this.#clock();
        if (!done && now - reported < REPORT_EVERY_MS) return;
        reported = now;
        this.#tell(page, { porthole: "sent", number, bytes, done });
      },
      release: () => {
        if (this.#open.get(key) === aborts) this.#open.delete(key);
        if (!isSafe) this.#sent.end(key);
      },
    };
  }

  /** Takes a page's message. A browser may show the worker the message before the request. */
  message(page: string, message: Readonly<Record<string, unknown>>): void {
    const { porthole, number } = message;
    if (porthole !== "give-up" || !isNumber(number)) return;
    const key = keyOf(page, number);
    const open = this.#open.get(key);
    if (open !== undefined) return open.abort();
    this.#early.add(key);
    for (const oldest of this.#early) {
      if (this.#early.size <= MAX_EARLY) return;
      this.#early.delete(oldest);
    }
  }

  #tell(page: string, news: SentNews): void {
    this.#clients.get(page).then((client) => client?.postMessage(news), () => {}); // it is gone
  }
}

function unwatched(signal: AbortSignal): Watched {
  return { mayLeave: () => Promise.resolve(true), signal, sent: () => {}, release: () => {} };
}

function keyOf(page: string, number: number): string {
  return `${page} ${number}`;
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}
