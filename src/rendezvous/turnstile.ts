/**
 * How many sockets of a kind there are, in all and from one address. Where all places are taken, a newcomer gets one of
 * the address that holds the most, the oldest of it: a crowd behind few addresses keeps out nobody but itself.
 */

/** A place that somebody holds. */
export interface Place {
  readonly address: string;
  /** Ends the connection: the place goes to another. */
  readonly end: () => void;
}

export class Turnstile {
  readonly #total: number;
  readonly #perAddress: number;
  /** Places by address, the oldest first. */
  readonly #places = new Map<string, Set<Place>>();
  #count = 0;

  constructor(total: number, perAddress: number) {
    this.#total = total;
    this.#perAddress = perAddress;
  }

  /** Takes a place, or says that there is none. Whoever took it calls `leave`, also after its `end` was called. */
  enter(place: Place): boolean {
    const held = this.#places.get(place.address)?.size ?? 0;
    if (held >= this.#perAddress) return false;
    if (this.#count >= this.#total && !this.#makeRoom(held + 1)) return false;
    this.#count += 1;
    const places = this.#places.get(place.address) ?? new Set();
    this.#places.set(place.address, places.add(place));
    return true;
  }

  leave(place: Place): void {
    const places = this.#places.get(place.address);
    if (!places?.delete(place)) return;
    this.#count -= 1;
    if (places.size === 0) this.#places.delete(place.address);
  }

  get count(): number {
    return this.#count;
  }

  /** Frees a place of an address that holds more than `share`, if there is one. */
  #makeRoom(share: number): boolean {
    let largest: ReadonlySet<Place> = new Set();
    for (const places of this.#places.values()) if (places.size > largest.size) largest = places;
    const [oldest] = largest;
    if (oldest === undefined || largest.size <= share) return false;
    this.leave(oldest);
    oldest.end();
    return true;
  }
}
