/** The stored answers of a service without their bodies: by path, in the order of use, within bounds. Pure. */
import { costOf, type StoredResponse } from "./stored_response.ts";
import { sameVariant } from "./vary.ts";

/** Bounds of a cache. */
export interface CacheLimits {
  /** All answers together, in bytes. */
  readonly total: number;
  /** The body of one answer, in bytes. */
  readonly body: number;
  /** Answers. */
  readonly entries: number;
  /** Answers for one path. */
  readonly variants: number;
}

/** Room for a large web interface; a browser gives a site gigabytes, but a person may have many devices. */
export const CACHE_LIMITS: CacheLimits = {
  total: 64 << 20,
  body: 8 << 20,
  entries: 2000,
  variants: 4,
};

/** See the head of this file. */
export class Entries {
  readonly #limits: CacheLimits;
  /** The longest unused first. */
  readonly #all = new Map<string, StoredResponse>();
  readonly #byPath = new Map<string, Set<string>>();
  #cost = 0;

  constructor(limits: CacheLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#all.size;
  }

  /** What all answers count for, in bytes. */
  get cost(): number {
    return this.#cost;
  }

  /** The answers for a path. */
  at(path: string): StoredResponse[] {
    return [...this.#byPath.get(path) ?? []].map((id) => this.#all.get(id)!); // both maps change together
  }

  has(id: string): boolean {
    return this.#all.has(id);
  }

  /** Adds an answer, or its changed head. Gives the ids that had to go for it. */
  put(entry: StoredResponse): string[] {
    const { path, id } = entry;
    this.#drop(id);
    const replaced = this.at(path)
      .filter((one) => one.holder === entry.holder && sameVariant(one, entry))
      .map((one) => one.id);
    this.remove(replaced);
    this.#all.set(id, entry);
    this.#byPath.set(path, (this.#byPath.get(path) ?? new Set()).add(id));
    this.#cost += costOf(entry);
    return [...replaced, ...this.#shrink(path)];
  }

  /** It was used just now. */
  touch(entry: StoredResponse): void {
    if (this.#all.delete(entry.id)) this.#all.set(entry.id, entry);
  }

  remove(ids: readonly string[]): void {
    for (const id of ids) this.#drop(id);
  }

  /** Those that a question is answered with yes for. */
  idsOf(question: (entry: StoredResponse) => boolean): string[] {
    return [...this.#all.values()].filter(question).map(({ id }) => id);
  }

  #shrink(path: string): string[] {
    const gone: string[] = [];
    const drop = (id: string) => {
      this.#drop(id);
      gone.push(id);
    };
    const [oldestHere] = this.#byPath.get(path) ?? [];
    if (oldestHere !== undefined && this.at(path).length > this.#limits.variants) drop(oldestHere);
    for (const id of this.#all.keys()) {
      if (this.#all.size <= this.#limits.entries && this.#cost <= this.#limits.total) break;
      drop(id);
    }
    return gone;
  }

  #drop(id: string): void {
    const entry = this.#all.get(id);
    if (entry === undefined) return;
    this.#all.delete(id);
    this.#cost -= costOf(entry);
    const here = this.#byPath.get(entry.path);
    here?.delete(id);
    if (here?.size === 0) this.#byPath.delete(entry.path);
  }
}
