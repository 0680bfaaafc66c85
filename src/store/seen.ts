/**
 * When people were here last. It is only nice to know, and people come and go every few seconds: so it waits in memory until
 * something is written anyway, and a pulled plug costs a minute of it. Whoever reads gets the newest.
 */
import { type Bytes, toHex } from "../lib/bytes.ts";
import type { Guests } from "./guests.ts";
import type { Owners } from "./owners.ts";
import type { Guest, Owner } from "./stored.ts";

interface SeenOwner {
  readonly keyId: Bytes;
  readonly at: number;
}

interface SeenGuest extends SeenOwner {
  readonly grant: Bytes;
}

export class Seen {
  /** By key id. Bounded like `#guests` by what the tables hold: only who is in them gets in. */
  readonly #owners = new Map<string, SeenOwner>();
  /** By grant and key id. */
  readonly #guests = new Map<string, SeenGuest>();

  sawOwner(seen: SeenOwner): void {
    this.#owners.set(toHex(seen.keyId), seen);
  }

  sawGuest(seen: SeenGuest): void {
    this.#guests.set(nameOf(seen), seen);
  }

  get isEmpty(): boolean {
    return this.#owners.size === 0 && this.#guests.size === 0;
  }

  owner(owner: Owner): Owner {
    const seen = this.#owners.get(toHex(owner.keyId));
    return seen ? { ...owner, lastSeen: seen.at } : owner;
  }

  guest(guest: Guest): Guest {
    const seen = this.#guests.get(nameOf(guest));
    return seen ? { ...guest, lastSeen: seen.at } : guest;
  }

  /** To be called in a transaction, and `clear` when it is on disk. */
  write(tables: { readonly owners: Owners; readonly guests: Guests }): void {
    for (const { keyId, at } of this.#owners.values()) tables.owners.saw(keyId, at);
    for (const seen of this.#guests.values()) tables.guests.saw(seen.grant, seen);
  }

  clear(): void {
    this.#owners.clear();
    this.#guests.clear();
  }
}

function nameOf({ grant, keyId }: { readonly grant: Bytes; readonly keyId: Bytes }): string {
  return `${toHex(grant)} ${toHex(keyId)}`;
}
