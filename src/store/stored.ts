/**
 * What is stored, as the program sees it. The same by structure as `src/control/records.ts`. Times are Unix seconds by the
 * device's clock; numbers are safe integers.
 */
import type { Bytes } from "../lib/bytes.ts";

/** A browser that may do everything. */
export interface Owner {
  /** 8 bytes. */
  readonly keyId: Bytes;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Bytes;
  /** At most 256 bytes, without NUL, like every label here. */
  readonly label: string;
  readonly createdAt: number;
  readonly lastSeen?: number;
}

/** An invite that was registered or redeemed. */
export interface Grant {
  /** 16 bytes. */
  readonly id: Bytes;
  /** Key id of its issuer, 8 bytes. */
  readonly issuer: Bytes;
  /** The signed invite as a whole, at most 1024 bytes. */
  readonly token: Bytes;
  readonly label: string;
  readonly createdAt: number;
  readonly expires: number;
  /** How many browsers may redeem it: 1 to 64. */
  readonly uses: number;
}

/** A browser that redeemed an invite. */
export interface Guest {
  readonly grant: Bytes;
  readonly keyId: Bytes;
  readonly publicKey: Bytes;
  readonly label: string;
  readonly redeemedAt: number;
  readonly lastSeen?: number;
  readonly spentSeconds: number;
}

/** A line for the log, without its place in it. */
export interface AuditDraft {
  readonly at: number;
  /** 1 to 64 bytes. */
  readonly event: string;
  readonly holder?: Bytes;
  readonly label?: string;
  readonly grant?: Bytes;
  /** At most 1024 bytes, without NUL. */
  readonly detail?: string;
}

export interface AuditLine extends AuditDraft {
  /** From 1, without gaps. */
  readonly sequence: number;
  readonly hash: Bytes;
}

/** The last line that was dropped. */
export interface AuditBase {
  readonly sequence: number;
  readonly hash: Bytes;
  readonly signature?: Bytes;
}

/** A place in the log. Sequence 0, 32 zero bytes: before its first line. */
export interface AuditPlace {
  readonly sequence: number;
  readonly hash: Bytes;
}

/** Whole seconds of a guest's `ttl` that have passed. */
export interface SpentTime {
  readonly grant: Bytes;
  readonly keyId: Bytes;
  readonly seconds: number;
}

/** The number that an owner gave to a signed statement: each is greater than the one before. */
export interface Statement {
  readonly issuer: Bytes;
  readonly sequence: number;
}
