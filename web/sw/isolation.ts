/**
 * Which pages are cross-origin isolated: those of a service whose pages have sent a synchronous XMLHttpRequest, which only
 * an isolated page can wait for (web/inject/sync_requests.ts). Document-Isolation-Policy does it for one document, in a
 * frame too, and asks nothing of the shell around it. Remembered in this browser until the device is forgotten.
 */
import { INJECT_PATH, INJECT_READY_SEARCH } from "./inject_html.ts";
import { ISOLATE_PATH } from "./port_messages.ts";

const CACHE = "porthole-own";
const POLICY = "document-isolation-policy";
/** Other origins' pictures and scripts load as before, without their cookies. */
const ISOLATED = "isolate-and-credentialless";
/** How long a page's scripts wait for our worker in it, in ms. */
const READY_LIMIT_MS = 5000;
/** Pages that are waited for, or whose worker was first. */
const MAX_PAGES = 64;

const DESTINATIONS = new Set(["document", "iframe", "frame", "worker", "sharedworker"]);

/** As much of `caches` as is used. */
export type IsolationCache = Pick<CacheStorage, "open" | "match">;

/** See the head of this file. */
export class Isolation {
  readonly #caches: IsolationCache;
  #wanted: Promise<boolean> | undefined;
  readonly #pages = new Map<string, PromiseWithResolvers<void>>();

  constructor(caches: IsolationCache) {
    this.#caches = caches;
  }

  /** Whether pages are to be isolated. Never rejects. */
  wanted(): Promise<boolean> {
    this.#wanted ??= this.#caches.match(ISOLATE_PATH, { cacheName: CACHE }).then(
      (kept) => kept !== undefined,
      () => false, // storage is refused
    );
    return this.#wanted;
  }

  /** Answers our own paths of it; undefined for any other. `page` is the client that asks. */
  answer(request: Request, page: string): Promise<Response> | undefined {
    const { pathname, search } = new URL(request.url);
    if (pathname === ISOLATE_PATH && request.method === "POST") return this.#want();
    if (pathname === INJECT_PATH && search === INJECT_READY_SEARCH) return this.#hold(page);
    return undefined;
  }

  /** A page's worker runs. */
  ready(page: string): void {
    this.#page(page).resolve();
  }

  /** The answer as an isolated page or worker needs it. */
  async apply(request: Pick<Request, "destination">, answer: Response): Promise<Response> {
    if (!DESTINATIONS.has(request.destination) || !await this.wanted()) return answer;
    if (answer.type === "opaqueredirect" || answer.type === "error") return answer;
    const { status, statusText, body } = answer;
    const headers = new Headers(answer.headers);
    headers.set(POLICY, ISOLATED);
    return new Response(body, { status, statusText, headers });
  }

  async #want(): Promise<Response> {
    const cache = await this.#caches.open(CACHE);
    await cache.put(ISOLATE_PATH, new Response());
    this.#wanted = Promise.resolve(true);
    return new Response(null, { status: 204 });
  }

  async #hold(page: string): Promise<Response> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, READY_LIMIT_MS));
    await Promise.race([this.#page(page).promise, late]);
    clearTimeout(timer);
    this.#pages.delete(page);
    const headers = { "content-type": "text/javascript", "cache-control": "no-store" };
    return new Response("", { headers });
  }

  #page(page: string): PromiseWithResolvers<void> {
    const known = this.#pages.get(page) ?? Promise.withResolvers<void>();
    this.#pages.delete(page);
    this.#pages.set(page, known);
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= MAX_PAGES) break;
      this.#pages.delete(oldest);
    }
    return known;
  }
}
