/**
 * Knows the offers of this device's people by their tags (`src/trust/pass.ts`), before any is opened: each person has a
 * lane of their own, so that a flood of strangers keeps none of them out.
 */
import { type Bytes, concat, fromHex, toHex, utf8 } from "../lib/bytes.ts";
import { MAX_SHORT_TAGS, SHORT_TAG_BYTES } from "../protocol/signal.ts";
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
  /** `shortTags` gives something else from now on. Must not throw. */
  onChange(): void;
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
/** Short tags are told in multiples of this, so that their number does not say how many people there are. */
const TAGS_TOLD = 64;

interface Person extends Known {
  readonly pass: Bytes;
}

/** Tags for one boot nonce. */
interface Table {
  readonly nonce: Bytes;
  /** By tag. */
  readonly holders: Map<string, string>;
}

export class Passes {
  readonly #options: PassesOptions;
  /** By key id; who came last is the last one. */
  readonly #people = new Map<string, Person>();
  /** Holders by tag, for each boot nonce that is honoured. */
  #tables = new Map<string, Table>();

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
    this.#options.onChange();
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
    if (known) return;
    await this.#mark(person, [...this.#tables.values()]);
    this.#options.onChange();
  }

  /** Forgets all but owners and these guests: the time of the others is over. */
  keep(guests: readonly Pick<GuestRecord, "keyId">[]): void {
    const kept = new Set([...this.#options.records.owners(), ...guests].map(holderOf));
    for (const holder of this.#people.keys()) if (!kept.has(holder)) this.forget(holder);
  }

  /** Somebody is none of our people any more. */
  forget(holder: string): void {
    if (this.#people.delete(holder)) this.#options.onChange(); // its tags lead to nobody, and go with their nonce
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

  /**
   * The first bytes of all tags, for the rendezvous: it lets these offers through before strangers'. Those for the current
   * nonce come first where there are too many; what is told is in the order of the bytes, between tags of nobody.
   */
  async shortTags(): Promise<Bytes> {
    const told: string[] = [];
    for (const { nonce, holders } of this.#tables.values()) {
      const tags = [...holders.keys()].filter((tag) => this.#people.has(holders.get(tag)!));
      for (let index = 0; tags.length === 0 || tags.length % TAGS_TOLD > 0; index++) {
        tags.push(await this.#decoy(index, nonce));
      }
      told.push(...tags.slice(0, MAX_SHORT_TAGS - told.length));
    }
    return concat(...told.sort().map((tag) => fromHex(tag.slice(0, 2 * SHORT_TAG_BYTES))));
  }

  /** The tag of nobody; always the same under a nonce, so that a change does not give the others away. */
  async #decoy(index: number, nonce: Bytes): Promise<string> {
    const pass = await passFor(this.#options.secret, utf8(`porthole/decoy ${index}`));
    return toHex(await passTag(pass, nonce));
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
    tables: readonly Table[],
  ): Promise<void> {
    for (const { nonce, holders } of tables) holders.set(toHex(await passTag(pass, nonce)), holder);
  }
}

function holderOf({ keyId }: { readonly keyId: Bytes }): string {
  return toHex(keyId);
}
