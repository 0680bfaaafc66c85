/**
 * What an owner sees of the people whom a device lets in, and what the owner does about it: lend, revoke, remove, kick,
 * add a browser, read the log. Everything that needs a signature is signed here, in the browser, with its own key; the
 * device checks it. Not drawn here (`views/`), not sent here (`owner_requests.ts`).
 *
 * Outlives connections as `cameras.ts` does: `attach` when the device greeted an owner, `detach` when the connection ends.
 * What was known stays on the page until then.
 */
import { type Bytes, fromHex, toHex } from "../../src/lib/bytes.ts";
import type { ControlMessage } from "../../src/protocol/control.ts";
import type { AuditEntry, People } from "../../src/protocol/owner.ts";
import { tidyLabel } from "../../src/trust/label.ts";
import { compareHash, compareHeads, type History } from "./audit_head.ts";
import type { AuditHead } from "./devices.ts";
import { type LentScope, scopeOf, type Things, type Wish } from "./lending.ts";
import { LostError } from "./lost.ts";
import { Observable, type Observed } from "./observable.ts";
import { OwnerRequests, RequestError } from "./owner_requests.ts";

const PAIR_SECONDS = 600; // as `porthole pair` without --for
const MAX_LOG = 10_000; // as many lines as a device keeps
const UNNAMED = "Guest";

/** What signs for the owner: this browser's key. `main.tsx` makes it of `src/trust`. */
export interface Signing {
  /** Times are Unix seconds by the device's clock, `ttl` seconds. Rejects with a RangeError for what does not fit a QR code. */
  invite(options: {
    readonly scope: LentScope;
    readonly epoch: number;
    readonly notBefore: number;
    readonly expires: number;
    readonly ttl: number;
    readonly uses: number;
  }): Promise<{ readonly token: Bytes; readonly fragment: string; readonly id: Bytes }>;
  /** `issuedAt`: Unix seconds by this browser's clock. */
  revocation(options: {
    readonly target: Ended;
    readonly issuedAt: number;
    readonly sequence: number;
  }): Promise<Bytes>;
}

/** What a revocation ends: a grant by its `cti`, an owner by its key id. */
export interface Ended {
  readonly kind: "grant" | "owner";
  readonly id: Bytes;
}

/** The people whom the device lets in, as far as they are known. */
export type PeopleView =
  | { readonly phase: "unknown" }
  /** `clockAhead`: milliseconds by which the device's clock is ahead of this one. */
  | { readonly phase: "known"; readonly people: People; readonly clockAhead: number }
  | { readonly phase: "failed" };

/** The log as far as it was read, the newest first. */
export interface LogView {
  readonly entries: readonly AuditEntry[];
  readonly phase: "unread" | "reading" | "more" | "whole" | "failed";
}

/** A link that gives something away to whoever opens it first. */
export interface OpenLink {
  /** `cti`, in hexadecimal digits. */
  readonly id: string;
  readonly url: string;
  /** Milliseconds since 1970 by this browser's clock. */
  readonly expires: number;
}

/** What the console needs of a connection. */
export interface OwnerLink {
  send(message: ControlMessage): void;
}

export interface OwnerConsoleOptions {
  readonly signing: Signing;
  /** Where links lead: the origin of this page. */
  readonly origin: string;
  /** Newest entry of the log that this browser has seen. */
  readonly seen: AuditHead | undefined;
  /** Remembers an entry that was found sound. */
  keepHead(head: AuditHead): void;
}

export type OwnerMessage = ControlMessage & { readonly type: "owner-reply" | "people-changed" };

export class OwnerConsole {
  readonly #options: OwnerConsoleOptions;
  readonly #people = new Observable<PeopleView>({ phase: "unknown" });
  readonly #log = new Observable<LogView>({ entries: [], phase: "unread" });
  readonly #history = new Observable<History>("sound");
  #requests: OwnerRequests | undefined;
  #refreshing: Promise<People> | undefined;
  /** The last reading of the log: one at a time, in order. */
  #reading: Promise<void> = Promise.resolve();
  #newest: Promise<void> | undefined;
  #seen: AuditHead | undefined;
  #said: AuditHead | undefined;

  constructor(options: OwnerConsoleOptions) {
    this.#options = options;
    this.#seen = options.seen;
  }

  get people(): Observed<PeopleView> {
    return this.#people;
  }
  get log(): Observed<LogView> {
    return this.#log;
  }
  /** Whether the device's log goes on from what this browser saw before. */
  get history(): Observed<History> {
    return this.#history;
  }

  /** A connection is live, and the device greeted an owner. */
  attach(link: OwnerLink, head: AuditHead | undefined): void {
    this.#requests = new OwnerRequests((message) => link.send(message));
    this.#passively(this.#refresh());
    if (head !== undefined) this.#passively(this.#checkHistory(head));
    if (this.#log.value.phase !== "unread") this.#passively(this.#readNewest());
  }

  /** The connection ended. */
  detach(): void {
    this.#requests?.close();
    this.#requests = undefined;
    this.#refreshing = undefined;
  }

  /** A message of the device. Throws a LostError when it breaks the protocol. */
  receive(message: OwnerMessage): void {
    if (this.#requests === undefined) {
      throw new LostError("protocol", `The device sent ${message.type} to one who is no owner`);
    }
    if (message.type === "owner-reply") return this.#requests.answered(message);
    this.#passively(this.#refreshAnew());
    if (this.#log.value.phase !== "unread") this.#passively(this.#readNewest());
  }

  /** Signs an invite, registers it at the device and gives its link. Rejects with a RequestError or RangeError. */
  async lend(wish: Wish, things: Things): Promise<OpenLink> {
    const scope = scopeOf(wish, things);
    const { issuing } = await this.#refreshAnew(); // numbers and the clock as they are now
    const expires = issuing.time + wish.seconds + (issuing.slack ?? 0);
    const invite = await this.#options.signing.invite({
      scope,
      epoch: issuing.epoch,
      notBefore: issuing.time,
      expires,
      ttl: wish.seconds,
      uses: wish.uses,
    });
    const label = tidyLabel(wish.label.trim() || UNNAMED);
    await this.#ask({ kind: "lend", token: invite.token, label });
    this.#passively(this.#refreshAnew());
    return {
      id: toHex(invite.id),
      url: this.#url(invite.fragment),
      expires: Date.now() + wish.seconds * 1000,
    };
  }

  /** Opens a pairing window: whoever opens the link first becomes an owner. */
  async addOwner(): Promise<OpenLink> {
    const { id, fragment, forSeconds } = await this.#ask({
      kind: "pair",
      forSeconds: PAIR_SECONDS,
    });
    return { id, url: this.#url(fragment), expires: Date.now() + forSeconds * 1000 };
  }

  /** Makes a pairing link useless before its time. */
  async withdraw(id: string): Promise<void> {
    await this.#ask({ kind: "unpair", id });
    this.#passively(this.#refreshAnew());
  }

  /** Ends a grant, and the sessions of its guests. `id` in hexadecimal digits, as all ids here. */
  async endGrant(id: string): Promise<void> {
    await this.#revoke({ kind: "grant", id: fromHex(id) });
  }

  /** Removes an owner; its guests go too. */
  async removeOwner(id: string): Promise<void> {
    await this.#revoke({ kind: "owner", id: fromHex(id) });
  }

  /** Ends one session, and takes nothing else away. */
  async kick(session: string): Promise<void> {
    await this.#ask({ kind: "kick", session });
    this.#passively(this.#refreshAnew());
  }

  /** Reads the log: its newest part first, older ones after that. Never rejects: `log` says how it went. */
  async readLog(): Promise<void> {
    const { phase, entries } = this.#log.value;
    if (phase === "reading" || phase === "whole") return;
    if (entries.length === 0) return await this.#passively(this.#readNewest());
    this.#reading = this.#reading.then(() => this.#passively(this.#readOlder()));
    await this.#reading;
  }

  /** A person knows why the log is another one: from now on it is the one to compare with. */
  acceptHistory(): void {
    if (this.#said !== undefined) this.#believe(this.#said);
  }

  async #revoke(target: Ended): Promise<void> {
    const { issuing } = await this.#refreshAnew();
    const statement = await this.#options.signing.revocation({
      target,
      issuedAt: Math.floor(Date.now() / 1000),
      sequence: issuing.sequence,
    });
    await this.#ask({ kind: "revoke", statement });
    this.#passively(this.#refreshAnew());
  }

  /* ---- what is known ------------------------------------------------------------------------------------- */

  /** One question at a time: whoever asks meanwhile waits for the same answer. */
  #refresh(): Promise<People> {
    this.#refreshing ??= this.#readPeople().finally(() => this.#refreshing = undefined);
    return this.#refreshing;
  }

  /** An answer to a question that is asked from now on. */
  async #refreshAnew(): Promise<People> {
    await this.#refreshing?.catch(() => {}); // whoever asked was told
    return await this.#refresh();
  }

  async #readPeople(): Promise<People> {
    try {
      const people = await this.#ask({ kind: "people" });
      const clockAhead = people.issuing.time * 1000 - Date.now();
      this.#people.set({ phase: "known", people, clockAhead });
      return people;
    } catch (error) {
      if (this.#people.value.phase !== "known") this.#people.set({ phase: "failed" });
      throw error;
    }
  }

  /** However many ask while one waits for its turn: one reading answers all of them. */
  #readNewest(): Promise<void> {
    this.#newest ??= this.#reading = this.#reading.then(() => {
      this.#newest = undefined;
      return this.#passively(this.#joinNewest());
    });
    return this.#newest;
  }

  async #joinNewest(): Promise<void> {
    const before = this.#log.value;
    const newest = await this.#readPart(undefined);
    const known = before.entries[0]?.sequence ?? 0;
    const added = newest.filter(({ sequence }) => sequence > known);
    // Without an overlap something may lie between: then only what was read now counts.
    const joins = before.entries.length > 0 && added.length < newest.length;
    const entries = joins ? [...added, ...before.entries] : newest;
    this.#setLog(entries, joins && before.phase === "whole" || newest.length === 0);
  }

  async #readOlder(): Promise<void> {
    const { entries } = this.#log.value;
    const older = await this.#readPart(entries.at(-1)?.sequence);
    this.#setLog([...entries, ...older], older.length === 0);
  }

  async #readPart(before: number | undefined): Promise<readonly AuditEntry[]> {
    this.#log.set({ ...this.#log.value, phase: "reading" });
    try {
      const request = before === undefined ? {} : { before };
      return (await this.#ask({ kind: "audit", ...request })).entries;
    } catch (error) {
      this.#log.set({ ...this.#log.value, phase: "failed" });
      throw error;
    }
  }

  #setLog(entries: readonly AuditEntry[], whole: boolean): void {
    const isFirst = entries.at(-1)?.sequence === 1;
    const phase = whole || isFirst || entries.length >= MAX_LOG ? "whole" : "more";
    this.#log.set({ entries: entries.slice(0, MAX_LOG), phase });
  }

  /* ---- whether it is the same log ------------------------------------------------------------------------ */

  async #checkHistory(said: AuditHead): Promise<void> {
    this.#said = said;
    const verdict = compareHeads(this.#seen, said);
    const history = verdict === "ask" ? await this.#askHistory(this.#seen!) : verdict; // "ask" needs one seen
    if (history === "sound") this.#believe(said);
    else this.#history.set(history);
  }

  async #askHistory(seen: AuditHead): Promise<History> {
    const { hash } = await this.#ask({ kind: "audit-hash", sequence: seen.sequence });
    return compareHash(seen, hash);
  }

  #believe(head: AuditHead): void {
    this.#seen = head;
    this.#history.set("sound");
    this.#options.keepHead(head);
  }

  /* ---- small things -------------------------------------------------------------------------------------- */

  #ask: OwnerRequests["ask"] = async (request) => {
    if (this.#requests === undefined) {
      throw new RequestError("parted", "Cannot ask the device: not connected");
    }
    return await this.#requests.ask(request);
  };

  #url(fragment: string): string {
    return `${this.#options.origin}/#${fragment}`;
  }

  /** What nobody waits for: a failure shows in what is observed, or with the connection's end. */
  #passively(work: Promise<unknown>): Promise<void> {
    return work.then(() => {}, (error: unknown) => {
      if (!(error instanceof RequestError)) reportError(error);
    });
  }
}
