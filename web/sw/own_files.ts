/**
 * The injected script, kept at hand: every page of a device waits for it before anything else, and the rendezvous may be
 * far. Read anew with every bridge that starts, so that page and pump are of one release; until then the network has it.
 */
import { INJECT_PATH } from "./inject_html.ts";

const CACHE = "porthole-own";

/** As much of `caches` as is used. */
export type OwnFilesCache = Pick<CacheStorage, "open" | "match">;

/** Our files on a content origin. */
export class OwnFiles {
  readonly #caches: OwnFilesCache;

  constructor(caches: OwnFilesCache) {
    this.#caches = caches;
  }

  /** Reads the script anew. Never rejects: without it pages ask the network. */
  async refresh(): Promise<void> {
    try {
      const cache = await this.#caches.open(CACHE);
      await cache.add(new Request(INJECT_PATH, { cache: "no-cache" }));
    } catch {
      // offline, or storage is refused or full: what is there stays
    }
  }

  /** Answers a request for the script; undefined for our other files. */
  answer(request: Request, url: URL): Promise<Response> | undefined {
    return url.pathname === INJECT_PATH ? this.#find(request) : undefined;
  }

  /** Text of the injected script, for those that must hold it themselves. Rejects when nobody has it. */
  async injectedScript(): Promise<string> {
    const answer = await this.#find(new Request(INJECT_PATH));
    if (!answer.ok) throw new TypeError(`Cannot read our script: status ${answer.status}`);
    return await answer.text();
  }

  async #find(request: Request): Promise<Response> {
    const kept = await this.#caches.match(INJECT_PATH, { cacheName: CACHE }).catch(() => undefined);
    return kept ?? await fetch(request);
  }
}
