/**
 * The browsers that one device connection talks to, by number. Numbers are not used again within a connection. Where all
 * places are taken, a newcomer gets one of the address that holds the most, the oldest of it: by then its handshake is
 * over, and a session does without the rendezvous. Strangers give way before people whom the device knows.
 */
import type { Mailbox } from "./switchboard.ts";
import { type Rate, TokenBucket } from "./token_bucket.ts";

export interface Peer {
  readonly number: number;
  readonly mailbox: Mailbox;
  readonly address: string;
  /** Whose tag its offer had (`people.ts`); undefined for a stranger. */
  readonly person: string | undefined;
  /** Characters that it may still send. */
  readonly budget: TokenBucket;
}

export class Peers {
  readonly #limit: number;
  readonly #budget: Rate;
  /** The oldest first. */
  readonly #peers = new Map<Mailbox, Peer>();
  readonly #mailboxes = new Map<number, Mailbox>();
  #last = 0;

  /** `budget`: characters of each. */
  constructor(limit: number, budget: Rate) {
    this.#limit = limit;
    this.#budget = budget;
  }

  find(mailbox: Mailbox): Peer | undefined {
    return this.#peers.get(mailbox);
  }

  mailboxOf(number: number): Mailbox | undefined {
    return this.#mailboxes.get(number);
  }

  /** Who must leave before another one comes; undefined while there is room. */
  get crowding(): Peer | undefined {
    if (this.#peers.size < this.#limit) return undefined;
    const all = [...this.#peers.values()];
    const strangers = all.filter(({ person }) => person === undefined);
    const crowd = strangers.length > 0 ? strangers : all;
    const counts = new Map<string, number>();
    for (const { address } of crowd) counts.set(address, (counts.get(address) ?? 0) + 1);
    const most = Math.max(...counts.values());
    return crowd.find(({ address }) => counts.get(address) === most);
  }

  /** Places that somebody has. */
  countOf(person: string): number {
    return this.#peers.values().filter((peer) => peer.person === person).toArray().length;
  }

  /** Gives a browser its number. There is room: `crowding` was asked. */
  add(
    mailbox: Mailbox,
    from: { address: string; person: string | undefined; now: number },
  ): Peer {
    const number = this.#last += 1;
    const { address, person, now } = from;
    const peer = { number, mailbox, address, person, budget: new TokenBucket(this.#budget, now) };
    this.#peers.set(mailbox, peer);
    this.#mailboxes.set(number, mailbox);
    return peer;
  }

  /** Forgets a browser; its number, if it had one. */
  remove(mailbox: Mailbox): number | undefined {
    const peer = this.#peers.get(mailbox);
    if (peer === undefined) return undefined;
    this.#peers.delete(mailbox);
    this.#mailboxes.delete(peer.number);
    return peer.number;
  }
}
