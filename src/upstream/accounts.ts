import { Account, type Place } from "./account.ts";
import { ACCOUNTS } from "./limits.ts";

/** The accounts of this device, by person and service: a bounded map in memory. */
export class Accounts {
  /** The longest unused first. */
  readonly #accounts = new Map<string, Account>();

  /** What this person has at this service; nothing yet, if it is new. */
  of(holder: string, service: { readonly id: string } & Place): Account {
    const key = keyOf(holder, service.id);
    const account = this.#accounts.get(key) ?? new Account(service);
    account.touch();
    this.#accounts.delete(key);
    this.#accounts.set(key, account);
    for (const oldest of this.#accounts.keys()) {
      if (this.#accounts.size <= ACCOUNTS) break;
      this.#accounts.delete(oldest);
    }
    return account;
  }

  clear(): void {
    this.#accounts.clear();
  }
}

/** Holders are hexadecimal digits and blanks, ids of services have no blank. */
function keyOf(holder: string, service: string): string {
  return `${holder} ${service}`;
}
