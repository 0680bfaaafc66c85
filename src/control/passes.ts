/**
 * Knows the offers of this device's people by their tags (`src/trust/pass.ts`), before any is opened: each person has a
 * lane of their own, so that a flood of strangers keeps none of them out.
 */
import { type Bytes, toHex } from "../lib/bytes.ts";
import { keyId } from "../trust/key_id.ts";
import { passFor, passTag } from "../trust/pass.ts";
import { Lane } from "./lane.ts";
import type { GrantRecord, GuestRecord, Records } from "./records.ts";

export interface PassesOptions {
  /** 32 bytes of the device's own. */
  readonly secret: Bytes;
  readonly records: Pick<Records, "owners" | "grants" | "guests">;
  /** Whether nobody can come by this grant any more. */
  isOver(grant: GrantRecord): boolean;
}

/** Somebody whose offers are known. */
export interface Known {
  /** Key id, in hexadecimal digits. */
  readonly holder: string;
  readonly lane: Lane;
}

/** One person: a handful of tabs that come back together, and then one every two seconds. */
const PERSON = { capacity: 10, perSecond: 0.5, atOnce: 2 };
/** People whose tags are kept: owners, and the guests who came last. All others are strangers until they confirmed. */
const MAX_KNOWN = 1024;

interface Person extends Known {
  readonly pass: Bytes;
}

export class Passes {
  readonly #options: PassesOptions;
  /** By key id; who came last is the last one. */
  readonly #people = new Map<string, Person>();
  /** Holders by tag, for each boot nonce that is honoured. */
  #tables = new Map<string, { readonly nonce: Bytes; readonly holders: Map<string, string> }>();

  constructor(options: PassesOptions) {
    this.#options = options;
  }

  /** Learns everybody whom the store knows and who may still come. */
  async start(nonces: readonly Bytes[]): Promise<void> {
    await this.follow(nonces);
    const { records, isOver } = this.#options;
    const owners = records.owners();
    const guests = records.grants() // the newest first
      .filter((grant) => !isOver(grant))
      .flatMap(({ id }) => records.guests(id))
      .slice(0, MAX_KNOWN - owners.length)
      .reverse();
    for (const { publicKey } of [...owners, ...guests]) await this.learn(publicKey);
  }

  /** The boot nonces have changed: tags for the new one are made, those for one that is gone forgotten. */
  async follow(nonces: readonly Bytes[]): Promise<void> {
    const before = this.#tables;
    this.#tables = new Map(nonces.map((nonce) => {
      const name = toHex(nonce);
      return [name, before.get(name) ?? { nonce, holders: new Map() }];
    }));
    const fresh = [...this.#tables.values()].filter(({ holders }) => holders.size === 0);
    for (const person of [...this.#people.values()]) await this.#mark(person, fresh);
  }

  /** The pass to give to this browser. */
  async pass(publicKey: Bytes): Promise<Bytes> {
    return await passFor(this.#options.secret, publicKey);
  }

  /** Somebody became one of our people. */
  async learn(publicKey: Bytes): Promise<void> {
    const holder = toHex(await keyId(publicKey));
    const pass = await this.pass(publicKey);
    const known = this.#people.get(holder);
    const person = known ?? { holder, lane: new Lane(PERSON), pass };
    this.#people.delete(holder);
    this.#people.set(holder, person);
    this.#makeRoom();
    if (!known) await this.#mark(person, [...this.#tables.values()]);
  }

  /** Forgets all but owners and these guests: the time of the others is over. */
  keep(guests: readonly Pick<GuestRecord, "keyId">[]): void {
    const kept = new Set([...this.#options.records.owners(), ...guests].map(holderOf));
    for (const holder of this.#people.keys()) if (!kept.has(holder)) this.forget(holder);
  }

  /** Somebody is none of our people any more. */
  forget(holder: string): void {
    this.#people.delete(holder); // its tags lead to nobody, and go with their nonce
  }

  /** Whose offer this is, if the tag is right; the offer itself must prove it. */
  known(tag: Bytes | undefined): Known | undefined {
    if (tag === undefined) return undefined;
    const name = toHex(tag);
    for (const { holders } of this.#tables.values()) {
      const holder = holders.get(name);
      if (holder !== undefined) return this.#people.get(holder);
    }
    return undefined;
  }

  /** The guest who has not come for longest is a stranger from now on. */
  #makeRoom(): void {
    if (this.#people.size <= MAX_KNOWN) return;
    const owners = new Set(this.#options.records.owners().map(holderOf));
    const oldest = [...this.#people.keys()].find((holder) => !owners.has(holder));
    if (oldest !== undefined) this.forget(oldest);
  }

  async #mark(
    { holder, pass }: Person,
    tables: readonly { readonly nonce: Bytes; readonly holders: Map<string, string> }[],
  ): Promise<void> {
    for (const { nonce, holders } of tables) holders.set(toHex(await passTag(pass, nonce)), holder);
  }
}

function holderOf({ keyId }: { readonly keyId: Bytes }): string {
  return toHex(keyId);
}
