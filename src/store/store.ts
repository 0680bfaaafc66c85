/**
 * What must survive a pulled plug: who owns the device, to whom it was lent, what was revoked, and the log of it. One
 * SQLite file in the state folder; nothing else in the program knows SQLite. Keys of the device itself are not in here:
 * they are files (`src/control/identity.ts`), so that a damaged database costs the owners and never the device's name.
 *
 * `Store` is the whole of it: each call is one transaction, put together from the tables, which are a file each. Calls are
 * synchronous: they take less than a flush to disk, and what they answer has been flushed, but for who was seen when
 * (`seen.ts`). What they throw has changed nothing: a LimitError (by its name) where there are as many as there may be, or SQLite's own error.
 */
import type { DatabaseSync } from "node:sqlite";
import { type Bytes, equalBytes } from "../lib/bytes.ts";
import { Audit } from "./audit.ts";
import { Grants } from "./grants.ts";
import { Guests } from "./guests.ts";
import { Issuers } from "./issuers.ts";
import { type NumberedKind, Numbers } from "./numbers.ts";
import { type DamagedStore, openOrReplace } from "./open_database.ts";
import { Owners } from "./owners.ts";
import { Revocations } from "./revocations.ts";
import { Seen } from "./seen.ts";
import { Settings } from "./settings.ts";
import type {
  AuditBase,
  AuditDraft,
  AuditLine,
  AuditPlace,
  Grant,
  Guest,
  Owner,
  SpentTime,
  Statement,
} from "./stored.ts";
import { inTransaction } from "./transaction.ts";

export type { DamagedStore } from "./open_database.ts";
export type { AuditBase, AuditDraft, AuditLine, Grant, Guest, Owner } from "./stored.ts";

/** The open database. One per process. */
export class Store {
  /** Set if the file was damaged and put aside at opening: the caller reports it. */
  readonly damaged: DamagedStore | undefined;
  readonly #database: DatabaseSync;
  readonly #owners: Owners;
  readonly #issuers: Issuers;
  readonly #grants: Grants;
  readonly #guests: Guests;
  readonly #revocations: Revocations;
  readonly #audit: Audit;
  readonly #settings: Settings;
  readonly #numbers: Numbers;
  readonly #seen = new Seen();

  private constructor(database: DatabaseSync, damaged: DamagedStore | undefined) {
    this.damaged = damaged;
    this.#database = database;
    this.#settings = new Settings(database);
    this.#owners = new Owners(database);
    this.#issuers = new Issuers(database, this.#settings);
    this.#grants = new Grants(database, { settings: this.#settings, issuers: this.#issuers });
    this.#guests = new Guests(database);
    this.#revocations = new Revocations(database, this.#settings);
    this.#audit = new Audit(database);
    this.#numbers = new Numbers(database);
  }

  /**
   * Opens or creates the file, checks it and brings its schema up to date. A damaged file is moved aside, and nothing that
   * was issued before holds any more. Throws if the file cannot be opened or was written by a newer porthole.
   */
  static open(path: string): Store {
    const { database, damaged } = openOrReplace(path);
    return new Store(database, damaged);
  }

  /** The owner with this key id. Compare the full key before you believe it. */
  owner(keyId: Bytes): Owner | undefined {
    const owner = this.#owners.find(keyId);
    return owner && this.#seen.owner(owner);
  }

  /** All owners, the first one first. */
  owners(): Owner[] {
    return this.#owners.all().map((owner) => this.#seen.owner(owner));
  }

  /** Whether a claim was used. */
  isConsumed(cti: Bytes): boolean {
    return this.#owners.isConsumed(cti);
  }

  /**
   * Marks a claim as used and adds the owner whom it makes, both or neither. "already_used" changes nothing. An owner who is
   * there already keeps its date and gets the new label. Throws a LimitError if 64 others are there.
   */
  consumeClaimAndAddOwner(cti: Bytes, owner: Owner, line: AuditDraft): "added" | "already_used" {
    return inTransaction(this.#database, () => {
      if (!this.#owners.consume(cti, owner.createdAt)) return "already_used";
      this.#owners.add(owner);
      this.#audit.append(line);
      return "added";
    });
  }

  /** Removes the owner and changes its epoch: what it issued never holds again, even if it pairs again. */
  removeOwner(keyId: Bytes, line: AuditDraft): "removed" | "unknown" {
    return inTransaction(this.#database, () => {
      if (!this.#owners.remove(keyId)) return "unknown";
      this.#issuers.changeEpoch(keyId);
      this.#audit.append(line);
      return "removed";
    });
  }

  /** Written with the next `spend`, like `sawGuest`. */
  sawOwner(keyId: Bytes, at: number): void {
    if (this.#owners.find(keyId)) this.#seen.sawOwner({ keyId, at });
  }

  /** The epoch of an issuer whose tokens hold, and no others: 0 at first, drawn by lot in a database that replaced a damaged one. */
  epoch(issuer: Bytes): number {
    return this.#issuers.epoch(issuer);
  }

  /** Number of the last signed statement taken from this issuer; 0 for none. */
  lastStatement(issuer: Bytes): number {
    return this.#issuers.lastStatement(issuer);
  }

  grant(id: Bytes): Grant | undefined {
    return this.#grants.find(id);
  }

  /** The newest first. */
  grants(): Grant[] {
    return this.#grants.all();
  }

  /** "full": 256 can be used by `line.at`. Ended ones make room by themselves. */
  addGrant(grant: Grant, line: AuditDraft): "added" | "known" | "full" {
    return inTransaction(this.#database, () => {
      const outcome = this.#grants.add(grant, line.at);
      if (outcome === "added") this.#audit.append(line);
      return outcome;
    });
  }

  guests(grant: Bytes): Guest[] {
    return this.#guests.of(grant).map((guest) => this.#seen.guest(guest));
  }

  guest(grant: Bytes, keyId: Bytes): Guest | undefined {
    const guest = this.#guests.find(grant, keyId);
    return guest && this.#seen.guest(guest);
  }

  /**
   * Adds the guest, and the grant if it was not registered. "known": this browser is one of its guests. "used_up": `uses`
   * others are, or the grant was revoked, or another one has its id: it has no use for this browser.
   */
  redeem(
    grant: Grant,
    guest: Guest,
    line: AuditDraft,
  ): "added" | "known" | "used_up" | "full" {
    return inTransaction(this.#database, () => {
      const refusal = this.#whyNotRedeemed(grant, guest);
      if (refusal) return refusal;
      if (this.#grants.add(grant, line.at) === "full") return "full";
      this.#guests.add(guest);
      this.#audit.append(line);
      return "added";
    });
  }

  sawGuest(grant: Bytes, keyId: Bytes, at: number): void {
    if (this.#guests.find(grant, keyId)) this.#seen.sawGuest({ grant, keyId, at });
  }

  /** Adds what passed of these guests' `ttl`, and writes who was seen: all of it or nothing. One flush, or none. */
  spend(spent: readonly SpentTime[]): void {
    if (spent.length === 0 && this.#seen.isEmpty) return;
    inTransaction(this.#database, () => {
      for (const one of spent) this.#guests.spend(one);
      this.#seen.write({ owners: this.#owners, guests: this.#guests });
    });
    this.#seen.clear();
  }

  /**
   * Ends a grant for good; `until` says from when on nobody needs to remember. One that is revoked already stays so, and a
   * newer statement's number is taken. Throws a LimitError for a grant that was never here if 16,384 such are kept.
   */
  revoke(
    cti: Bytes,
    { until, statement }: { readonly until: number; readonly statement?: Statement },
    line: AuditDraft,
  ): "revoked" | "already_revoked" | "stale_statement" {
    return inTransaction(this.#database, () => {
      const isRevoked = this.#revocations.has(cti);
      const isStale = statement !== undefined && !this.#issuers.take(statement);
      if (isStale) return isRevoked ? "already_revoked" : "stale_statement";
      this.#revocations.add(cti, until);
      if (isRevoked) return "already_revoked";
      this.#audit.append(line);
      return "revoked";
    });
  }

  isRevoked(cti: Bytes): boolean {
    return this.#revocations.has(cti);
  }

  /** Marks a statement as taken. False if it is not newer than the last. */
  takeStatement(issuer: Bytes, sequence: number): boolean {
    return inTransaction(this.#database, () => this.#issuers.take({ issuer, sequence }));
  }

  /** All lines or none. */
  record(lines: readonly AuditDraft[]): void {
    if (lines.length === 0) return;
    inTransaction(this.#database, () => {
      for (const line of lines) this.#audit.append(line);
    });
  }

  /** The newest first, all older than `before`; at most 1,000. */
  audit(options: { readonly before?: number; readonly limit: number }): AuditLine[] {
    return this.#audit.list(options);
  }

  auditHead(): AuditPlace {
    return this.#audit.head();
  }

  auditHash(sequence: number): Bytes | undefined {
    return this.#audit.hash(sequence);
  }

  auditBase(): AuditBase | undefined {
    return this.#audit.base();
  }

  signAuditBase(sequence: number, signature: Bytes): void {
    this.#audit.signBase(sequence, signature);
  }

  /** First line whose hash does not follow from the one before; undefined if the log is whole. Reads all of it. */
  brokenAudit(): number | undefined {
    return this.#audit.firstBroken();
  }

  timeFloor(): number {
    return this.#settings.get("time_floor");
  }

  /** Nothing happens if it is there or above. */
  raiseTimeFloor(to: number): void {
    this.#settings.raise("time_floor", to);
  }

  /**
   * A number for this service or camera and never for another: made at the first call, from 1. Only for what is configured:
   * each id that is asked for is kept for ever. Throws a LimitError when all 65,535 were given.
   */
  numberOf(kind: NumberedKind, id: string): number {
    return this.#numbers.find(kind, id) ??
      inTransaction(this.#database, () => this.#numbers.findOrMake(kind, id));
  }

  close(): void {
    try {
      this.spend([]);
    } finally {
      this.#database.close();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #whyNotRedeemed(grant: Grant, guest: Guest): "known" | "used_up" | undefined {
    if (this.#revocations.has(grant.id)) return "used_up";
    const registered = this.#grants.find(grant.id);
    if (!registered) return undefined;
    if (!equalBytes(registered.token, grant.token)) return "used_up";
    const known = this.#guests.find(grant.id, guest.keyId);
    if (known) return equalBytes(known.publicKey, guest.publicKey) ? "known" : "used_up";
    return this.#guests.count(grant.id) >= registered.uses ? "used_up" : undefined;
  }
}
