/** The browsers that one device connection talks to, by number. Numbers are not used again within a connection. */
import type { Mailbox } from "./switchboard.ts";
import type { TokenBucket } from "./token_bucket.ts";

export class Peers {
  readonly #limit: number;
  readonly #newcomers: TokenBucket;
  readonly #numbers = new Map<Mailbox, number>();
  readonly #mailboxes = new Map<number, Mailbox>();
  #last = 0;

  constructor(limit: number, newcomers: TokenBucket) {
    this.#limit = limit;
    this.#newcomers = newcomers;
  }

  /** The number of a browser, a new one if need be; undefined when there are too many, or too many at once. */
  numberOf(mailbox: Mailbox, now: number): number | undefined {
    const known = this.#numbers.get(mailbox);
    if (known !== undefined) return known;
    if (this.#numbers.size >= this.#limit || !this.#newcomers.take(now)) return undefined;
    this.#last += 1;
    this.#numbers.set(mailbox, this.#last);
    this.#mailboxes.set(this.#last, mailbox);
    return this.#last;
  }

  mailboxOf(peer: number): Mailbox | undefined {
    return this.#mailboxes.get(peer);
  }

  /** Forgets a browser; its number, if it had one. */
  remove(mailbox: Mailbox): number | undefined {
    const peer = this.#numbers.get(mailbox);
    if (peer === undefined) return undefined;
    this.#numbers.delete(mailbox);
    this.#mailboxes.delete(peer);
    return peer;
  }
}
