/** A test double of the cache's store: what a browser keeps on disk. */
import type { Bytes } from "../../src/lib/bytes.ts";
import type { CacheStore } from "../sw/cache/store.ts";
import type { StoredResponse } from "../sw/cache/stored_response.ts";

/** Any call rejects while `broken`. */
export class MemoryStore implements CacheStore {
  readonly heads = new Map<string, StoredResponse>();
  readonly bodies = new Map<string, Bytes>();
  broken = false;

  load(): Promise<StoredResponse[]> {
    return this.#run(() => [...this.heads.values()]);
  }

  find(path: string): Promise<StoredResponse[]> {
    return this.#run(() => [...this.heads.values()].filter((entry) => entry.path === path));
  }

  body(id: string): Promise<Bytes | undefined> {
    return this.#run(() => this.bodies.get(id));
  }

  put(entry: StoredResponse, body: Bytes): Promise<void> {
    return this.#run(() => {
      this.heads.set(entry.id, entry);
      this.bodies.set(entry.id, body);
    });
  }

  update(entry: StoredResponse): Promise<void> {
    return this.#run(() => {
      if (this.heads.has(entry.id)) this.heads.set(entry.id, entry);
    });
  }

  remove(ids: readonly string[]): Promise<void> {
    return this.#run(() => {
      for (const id of ids) {
        this.heads.delete(id);
        this.bodies.delete(id);
      }
    });
  }

  #run<T>(work: () => T): Promise<T> {
    return this.broken
      ? Promise.reject(new DOMException("refused", "QuotaExceededError"))
      : Promise.resolve(work());
  }
}
