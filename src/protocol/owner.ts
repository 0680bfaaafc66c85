/**
 * What an owner asks of a device inside channel 0, and what it answers. Each request has an id of the page's choice, and
 * exactly one reply. A guest's requests are refused unread.
 *
 *   page                                              agent
 *     | -- owner-request {id, people | lend | …} ------> |
 *     | <-- owner-reply {id, …} ------------------------ |
 *     | <-- people-changed ---------------------------- |   something that `people` shows is different now
 */
import type { Bytes } from "../lib/bytes.ts";
import type { Operation } from "./access.ts";

export type OwnerRequest =
  | { readonly kind: "people" }
  /** Opens a pairing window: another browser becomes an owner. */
  | { readonly kind: "pair"; readonly forSeconds: number }
  /** Closes a pairing window, whoever opened it: its link lets nobody in any more. `id` is that of the reply to `pair`. */
  | { readonly kind: "unpair"; readonly id: string }
  /** Registers an invite that this owner signed, so that it is listed and can be revoked. */
  | { readonly kind: "lend"; readonly token: Bytes; readonly label: string }
  /** A signed statement (`src/trust/revocation.ts`): ends a grant or removes an owner. */
  | { readonly kind: "revoke"; readonly statement: Bytes }
  | { readonly kind: "kick"; readonly session: string }
  /** Entries older than `before`, the newest first; the newest of all if absent. Without an entry: there is none older. */
  | { readonly kind: "audit"; readonly before?: number }
  /** Whether the log still is the one that this page has seen. */
  | { readonly kind: "audit-hash"; readonly sequence: number };

export type OwnerReply =
  | ({ readonly kind: "people" } & People)
  | {
    readonly kind: "pair";
    readonly fragment: string;
    readonly id: string;
    readonly forSeconds: number;
  }
  | { readonly kind: "done" }
  | { readonly kind: "audit"; readonly entries: readonly AuditEntry[] }
  /** Absent: that entry is not kept any more, or does not exist. */
  | { readonly kind: "audit-hash"; readonly hash?: Bytes };

/** refused: not an owner, or not one's own to do; invalid: not readable or not signed; limit: too many; unknown: no such thing. */
export const OWNER_ERRORS = ["refused", "invalid", "limit", "unknown", "failed"] as const;
export type OwnerError = (typeof OWNER_ERRORS)[number];

/** Entries of one reply to `audit`; as many as fit into a control message, and at least one while there is one. */
export const MAX_AUDIT_PAGE = 50;

/** Everybody whom the device lets in. Times are Unix seconds by the device's clock; ids are hexadecimal digits. */
export interface People {
  readonly owners: readonly OwnerEntry[];
  /** The newest first, ended ones last; at most 64. */
  readonly grants: readonly GrantEntry[];
  readonly sessions: readonly SessionEntry[];
  /** Pairing links that are still good; absent for none. */
  readonly windows?: readonly WindowEntry[];
  /** Entries of these lists, guests included, that found no place in the message (`fit.ts`); absent for none. */
  readonly omitted?: number;
  /** What this owner's next signed object must carry. */
  readonly issuing: Issuing;
}

export interface Issuing {
  readonly epoch: number;
  readonly sequence: number;
  readonly time: number;
  /** Seconds to add to the end of what is lent: nobody knows the time, only its `ttl` counts. Absent: the time is known. */
  readonly slack?: number;
}

export interface OwnerEntry {
  /** Key id, 16 digits. */
  readonly id: string;
  readonly label: string;
  readonly createdAt: number;
  readonly lastSeen?: number;
  /** The one who asks. */
  readonly you: boolean;
}

/** A pairing window: whoever opens its link first becomes an owner. */
export interface WindowEntry {
  /** 32 digits. */
  readonly id: string;
  /** Label of the owner who opened it; absent: somebody at the device. */
  readonly label?: string;
  readonly expires: number;
}

/** waiting: nobody came yet; used: as many as may have come; ended ones say why. */
export const GRANT_STATES = ["waiting", "used", "expired", "revoked"] as const;
export type GrantState = (typeof GRANT_STATES)[number];

export interface GrantEntry {
  /** `cti` of the invite, 32 digits. */
  readonly id: string;
  /** What the lender called it, like "Plumber". */
  readonly label: string;
  /** Key id of the owner who signed it; absent: made on the board. */
  readonly issuer?: string;
  /** Ids, as in hello; what is not configured any more is left out. */
  readonly services: readonly string[];
  readonly cameras: readonly string[];
  readonly operations: readonly Operation[];
  readonly expires: number;
  readonly uses: number;
  readonly state: GrantState;
  readonly guests: readonly GuestEntry[];
}

export interface GuestEntry {
  /** Key id, 16 digits. */
  readonly id: string;
  readonly label: string;
  readonly redeemedAt: number;
  readonly lastSeen?: number;
}

export interface SessionEntry {
  /** 32 digits. */
  readonly id: string;
  /** Key id of the browser. */
  readonly holder: string;
  readonly label: string;
  readonly role: "owner" | "guest";
  readonly grant?: string;
  readonly since: number;
  readonly you: boolean;
}

/** One line of the log: who did what, when, allowed or not. */
export interface AuditEntry {
  readonly sequence: number;
  readonly at: number;
  /** A fixed word, like "owner.added", "session.refused", "service.used". */
  readonly event: string;
  /** Key id; absent: the device itself, or somebody at it. */
  readonly holder?: string;
  readonly label?: string;
  readonly grant?: string;
  /** Short, without secrets: an id of a service, a reason, a scope. */
  readonly detail?: string;
}
