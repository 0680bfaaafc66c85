/**
 * The injected script and the doorway's, kept at hand: pages wait for them before anything else, and the rendezvous may be
 * far. Read anew with every bridge that starts, so that page and pump are of one release; until then the network has it.
 */
import { DOORWAY_PATH } from "./doorway.ts";
import { INJECT_PATH } from "./inject_html.ts";

const CACHE = "porthole-own";
/** What pages wait for. */
const KEPT = [INJECT_PATH, DOORWAY_PATH];

/** As much of `caches` as is used. */
export type OwnFilesCache = Pick<CacheStorage, "open" | "match">;

/** Our files on a content origin. */
export class OwnFiles {
  readonly #caches: OwnFilesCache;

  constructor(caches: OwnFilesCache) {
    this.#caches = caches;
  }

  /** Reads the scripts anew. Never rejects: without them pages ask the network. */
  async refresh(): Promise<void> {
    try {
      const cache = await this.#caches.open(CACHE);
      await cache.addAll(KEPT.map((path) => new Request(path, { cache: "no-cache" })));
    } catch {
      // offline, or storage is refused or full: what is there stays
    }
  }

  /** Answers a request for one of the scripts; undefined for our other files. */
  answer(request: Request, url: URL): Promise<Response> | undefined {
    return KEPT.includes(url.pathname) ? this.#find(request, url.pathname) : undefined;
  }

  /** Text of the injected script, for those that must hold it themselves. Rejects when nobody has it. */
  async injectedScript(): Promise<string> {
    const answer = await this.#find(new Request(INJECT_PATH), INJECT_PATH);
    if (!answer.ok) throw new TypeError(`Cannot read our script: status ${answer.status}`);
    return await answer.text();
  }

  async #find(request: Request, path: string): Promise<Response> {
    const kept = await this.#caches.match(path, { cacheName: CACHE }).catch(() => undefined);
    return kept ?? await fetch(request);
  }
}
