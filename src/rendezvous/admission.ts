/** How many sockets of a kind there are, in all and from one address. */

export class Admission {
  readonly #total: number;
  readonly #perAddress: number;
  readonly #addresses = new Map<string, number>();
  #count = 0;

  constructor(total: number, perAddress: number) {
    this.#total = total;
    this.#perAddress = perAddress;
  }

  /** Takes a place, or says that there is none. Whoever took it calls `leave` once. */
  enter(address: string): boolean {
    const held = this.#addresses.get(address) ?? 0;
    if (this.#count >= this.#total || held >= this.#perAddress) return false;
    this.#count += 1;
    this.#addresses.set(address, held + 1);
    return true;
  }

  leave(address: string): void {
    const held = this.#addresses.get(address) ?? 0;
    if (held === 0) return;
    this.#count -= 1;
    if (held === 1) this.#addresses.delete(address);
    else this.#addresses.set(address, held - 1);
  }

  get count(): number {
    return this.#count;
  }
}
