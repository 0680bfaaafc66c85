/**
 * What must survive a pulled plug, as the control folder needs it; `src/store/store.ts` has it by structure. Calls are
 * synchronous, and what they answer has been flushed to disk but for who was seen when. A change and the line of the log that tells of it are
 * written together or not at all. Times are Unix seconds by the device's clock.
 */
import type { Bytes } from "../lib/bytes.ts";

/** An owner, as it is stored. */
export interface OwnerRecord {
  /** 8 bytes. */
  readonly keyId: Bytes;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Bytes;
  readonly label: string;
  readonly createdAt: number;
  readonly lastSeen?: number;
}

/** An invite that was registered or redeemed. */
export interface GrantRecord {
  /** `cti`, 16 bytes. */
  readonly id: Bytes;
  /** Key id of its issuer, an owner or the device; 8 bytes. */
  readonly issuer: Bytes;
  /** The signed invite as a whole. */
  readonly token: Bytes;
  readonly label: string;
  readonly createdAt: number;
  readonly expires: number;
  /** How many browsers may redeem it. */
  readonly uses: number;
}

/** A browser that redeemed an invite. */
export interface GuestRecord {
  readonly grant: Bytes;
  /** Key id of the browser. The pair (grant, keyId) is unique. */
  readonly keyId: Bytes;
  readonly publicKey: Bytes;
  readonly label: string;
  readonly redeemedAt: number;
  readonly lastSeen?: number;
  /** Seconds of its `ttl` that have passed while the device ran. */
  readonly spentSeconds: number;
}

/** Whole seconds of a guest's `ttl` that have passed. */
export interface SpentTime {
  readonly grant: Bytes;
  readonly keyId: Bytes;
  readonly seconds: number;
}

/** A line for the log, without its place in it. */
export interface AuditDraft {
  readonly at: number;
  readonly event: string;
  readonly holder?: Bytes;
  readonly label?: string;
  readonly grant?: Bytes;
  readonly detail?: string;
}

export interface AuditRecord extends AuditDraft {
  readonly sequence: number;
  /** SHA-256 over the hash before and this entry. */
  readonly hash: Bytes;
}

/** Where the kept part of the log begins: the last entry that was dropped. */
export interface AuditBase {
  readonly sequence: number;
  readonly hash: Bytes;
  /** The device's, once it was made. */
  readonly signature?: Bytes;
}

export interface Records {
  owner(keyId: Bytes): OwnerRecord | undefined;
  owners(): OwnerRecord[];
  isConsumed(cti: Bytes): boolean;
  /** Both or neither. */
  consumeClaimAndAddOwner(
    cti: Bytes,
    owner: OwnerRecord,
    line: AuditDraft,
  ): "added" | "already_used";
  /** Removes the owner and changes its epoch: nothing that it issued holds any more, also if it pairs again. */
  removeOwner(keyId: Bytes, line: AuditDraft): "removed" | "unknown";
  /** This, as `sawGuest`, is told at once and written with the next `spend`: only nice to know. */
  sawOwner(keyId: Bytes, at: number): void;

  /** Epoch of an issuer whose tokens hold, and no others: by lot after each removal, so that nobody can sign for it before. */
  epoch(issuer: Bytes): number;
  /** Number of the last signed statement taken from this issuer; 0 for none. */
  lastStatement(issuer: Bytes): number;

  grant(id: Bytes): GrantRecord | undefined;
  /** The newest first. */
  grants(): GrantRecord[];
  /** "known": it is there already. "full": 256 unexpired ones exist; expired ones make room by themselves. */
  addGrant(grant: GrantRecord, line: AuditDraft): "added" | "known" | "full";
  guests(grant: Bytes): GuestRecord[];
  guest(grant: Bytes, keyId: Bytes): GuestRecord | undefined;
  /** Adds the guest, and the grant if it was not registered, unless `uses` guests are there. "known": this browser is one. */
  redeem(
    grant: GrantRecord,
    guest: GuestRecord,
    line: AuditDraft,
  ): "added" | "known" | "used_up" | "full";
  sawGuest(grant: Bytes, keyId: Bytes, at: number): void;
  /** Adds seconds of `ttl` that passed, and writes who was seen. Nothing at all costs nothing. */
  spend(spent: readonly SpentTime[]): void;

  /** Ends a grant for good; `until` says from when on nobody needs to remember. With the statement's number, if it came signed. */
  revoke(
    cti: Bytes,
    options: { until: number; statement?: { issuer: Bytes; sequence: number } },
    line: AuditDraft,
  ): "revoked" | "already_revoked" | "stale_statement";
  isRevoked(cti: Bytes): boolean;
  /** Marks a statement as taken: for one that removes an owner. False if it is not newer than the last. */
  takeStatement(issuer: Bytes, sequence: number): boolean;

  record(lines: readonly AuditDraft[]): void;
  /** The newest first, all older than `before`. */
  audit(options: { before?: number; limit: number }): AuditRecord[];
  auditHead(): { readonly sequence: number; readonly hash: Bytes };
  auditHash(sequence: number): Bytes | undefined;
  auditBase(): AuditBase | undefined;
  signAuditBase(sequence: number, signature: Bytes): void;
  /** First entry whose hash does not follow from the one before; undefined if the log is whole. */
  brokenAudit(): number | undefined;

  /** Time that the device's clock never goes below again; 0 at first. */
  timeFloor(): number;
  raiseTimeFloor(to: number): void;
  /** A number that stands for this service or camera in grants, and never for another: made at the first call. From 1. */
  numberOf(kind: "service" | "camera", id: string): number;
}
