/**
 * Everybody whom the device lets in, and what can be done about them: the same acts for an owner's page (`owner_desk.ts`)
 * and for somebody at the device (`admin_routes.ts`). Each act is written with its line of the log before it is answered,
 * and takes effect on live sessions at once.
 */
import { type Bytes, equalBytes, fromHex, toHex } from "../lib/bytes.ts";
import type { Log } from "../lib/log.ts";
import type {
  GrantEntry,
  GrantState,
  OwnerEntry,
  People,
  SessionEntry,
  WindowEntry,
} from "../protocol/owner.ts";
import { readGrant } from "../trust/grant.ts";
import type { Actor, Audit } from "./audit.ts";
import type { Changes } from "./changes.ts";
import type { DeviceClock } from "./clock.ts";
import type { Grants } from "./grants.ts";
import { lendingTime } from "./lending.ts";
import type { ConnectedSession, LiveSessions } from "./live_sessions.ts";
import { OwnerRequestError } from "./owner_error.ts";
import type { OpenedWindow, Pairing } from "./pairing.ts";
import type { Passes } from "./passes.ts";
import type { GrantRecord, OwnerRecord, Records } from "./records.ts";
import type { Things } from "./things.ts";

export interface HouseholdOptions {
  readonly records: Records;
  readonly clock: DeviceClock;
  readonly grants: Grants;
  readonly live: LiveSessions;
  readonly pairing: Pairing;
  readonly passes: Pick<Passes, "forget">;
  readonly things: Things;
  readonly audit: Audit;
  readonly changes: Changes;
  readonly log: Log;
  /** Milliseconds of a clock that only runs forward. */
  monotonic(): number;
}

/** A number of an owner's signed statement. */
export interface Statement {
  readonly issuer: Bytes;
  readonly sequence: number;
}

/** What `porthole revoke` ends; a window of pairing is one too. */
export interface Revocable {
  readonly kind: "grant" | "owner" | "window";
  readonly id: string;
}

/** Owners with whom no pairing window opens any more. The store takes 64, and four windows may be open already. */
export const MAX_OWNERS = 60;
/** Grants that an owner's page lists. */
export const MAX_LISTED_GRANTS = 64;
/** A revocation is remembered this much longer than the grant would have held (security.md 1.2). */
const REMEMBERED_SECONDS = 30 * 24 * 3600;
/** Of a grant that was never seen here nobody knows how long it holds; none holds for longer than its `ttl` may be. */
const UNKNOWN_GRANT_SECONDS = 10 * 365 * 24 * 3600;

export class Household {
  readonly #options: HouseholdOptions;

  constructor(options: HouseholdOptions) {
    this.#options = options;
  }

  /* ---- what there is -------------------------------------------------------------------------------------- */

  owners(you?: Bytes): OwnerEntry[] {
    return this.#options.records.owners().map((owner) => ({
      id: toHex(owner.keyId),
      label: owner.label,
      createdAt: owner.createdAt,
      ...(owner.lastSeen !== undefined && { lastSeen: owner.lastSeen }),
      you: you !== undefined && equalBytes(owner.keyId, you),
    }));
  }

  /** At most so many: those that may still let somebody in first, then the newest. */
  grants(limit: number): GrantEntry[] {
    const { records, clock } = this.#options;
    const bound = clock.lowerBound();
    const all = records.grants().map((grant) => ({
      grant,
      // Of many, most are past: they are not looked at.
      isOpen: grant.expires > bound && this.#options.grants.over(grant) === undefined,
    }));
    const sorted = [...all.filter(({ isOpen }) => isOpen), ...all.filter(({ isOpen }) => !isOpen)];
    return sorted.slice(0, limit).map(({ grant }) => this.#grantEntry(grant));
  }

  /** Pairing windows that are open. */
  windows(): WindowEntry[] {
    const { records, pairing, clock, monotonic } = this.#options;
    const now = monotonic();
    return pairing.list(now).map(({ id, opener, expiresAt }) => {
      const label = opener === undefined ? undefined : records.owner(fromHex(opener))?.label;
      const expires = clock.now() + Math.ceil((expiresAt - now) / 1000);
      return { id, ...(label !== undefined && { label }), expires };
    });
  }

  sessions(you?: string): SessionEntry[] {
    return this.#options.live.list().map((session) => sessionEntry(session, you));
  }

  /** What a page shows to an owner. */
  people(owner: OwnerRecord, sessionId: string): People {
    const { records, clock } = this.#options;
    const grants = this.grants(MAX_LISTED_GRANTS);
    const windows = this.windows();
    const omitted = records.grants().length - grants.length;
    return {
      owners: this.owners(owner.keyId),
      grants,
      sessions: this.sessions(sessionId),
      ...(windows.length > 0 && { windows }),
      ...(omitted > 0 && { omitted }),
      issuing: {
        epoch: records.epoch(owner.keyId),
        sequence: records.lastStatement(owner.keyId) + 1,
        ...lendingTime(clock),
      },
    };
  }

  #grantEntry(grant: GrantRecord): GrantEntry {
    const { records, grants, things } = this.#options;
    const { scope } = readGrant(grant.token);
    const guests = records.guests(grant.id);
    return {
      id: toHex(grant.id),
      label: grant.label,
      ...(!grants.isOfBoard(grant) && { issuer: toHex(grant.issuer) }),
      ...things.idsOf(scope),
      operations: scope.operations,
      expires: grant.expires,
      uses: grant.uses,
      state: this.#grantState(grant, guests.length),
      guests: guests.map((guest) => ({
        id: toHex(guest.keyId),
        label: guest.label,
        redeemedAt: guest.redeemedAt,
        ...(guest.lastSeen !== undefined && { lastSeen: guest.lastSeen }),
      })),
    };
  }

  #grantState(grant: GrantRecord, guests: number): GrantState {
    switch (this.#options.grants.over(grant)) {
      case "expired":
        return "expired";
      case "revoked":
      case "removed":
        return "revoked";
      case undefined:
        return guests < grant.uses ? "waiting" : "used";
    }
  }

  /* ---- what is done --------------------------------------------------------------------------------------- */

  /** Opens a pairing window. Rejects with a RangeError, for people, where it cannot be. */
  async openPairing(forMs: number, by?: OwnerRecord): Promise<OpenedWindow> {
    const { records, pairing, audit, changes, monotonic } = this.#options;
    if (records.owners().length >= MAX_OWNERS) {
      throw new RangeError(`Cannot open pairing window: ${MAX_OWNERS} browsers are owners already`);
    }
    const opener = by && toHex(by.keyId);
    const window = await pairing.open({ now: monotonic(), forMs, opener });
    if (by && !records.owner(by.keyId)) {
      pairing.close(window.id, monotonic());
      throw new OwnerRequestError("refused", "Cannot open pairing window: not an owner any more");
    }
    audit.note("pairing.opened", actorOf(by), `for ${Math.round(forMs / 1000)} s`);
    audit.flush();
    changes.tell();
    return window;
  }

  /** Closes a pairing window: its link lets nobody in any more. False if none of this id is open. */
  closePairing(id: string): boolean {
    const { pairing, changes, log, monotonic } = this.#options;
    if (!pairing.close(id, monotonic())) return false;
    log.info("pairing.closed", { window: id });
    changes.tell();
    return true;
  }

  /** Ends a grant and the sessions of its guests. "stale_statement": a newer one of this owner was taken. */
  revokeGrant(
    id: Bytes,
    how: { readonly by?: OwnerRecord; readonly statement?: Statement } = {},
  ): "revoked" | "already_revoked" | "stale_statement" {
    const { records, clock, audit } = this.#options;
    const grant = records.grant(id);
    const last = grant?.expires ?? clock.now() + UNKNOWN_GRANT_SECONDS;
    const line = audit.draft("grant.revoked", { ...actorOf(how.by), grant: id }, grant?.label);
    const until = last + REMEMBERED_SECONDS;
    const result = records.revoke(id, { until, statement: how.statement }, line);
    if (result === "stale_statement") return result;
    this.#forgetGuests(id);
    this.#settle();
    return result;
  }

  /** The session whose id begins so. Throws an OwnerRequestError unless it is one. */
  findSession(beginning: string): string {
    const all = this.#options.live.list().map(({ sessionId: id }) => ({ id }));
    return findOne(all, { beginning, what: "session" }).id;
  }

  /** What can be revoked and has an id that begins so. Throws an OwnerRequestError unless it is one thing. */
  findRevocable(beginning: string): Revocable {
    const { records, pairing, monotonic } = this.#options;
    const all: Revocable[] = [
      ...records.grants().map(({ id }) => ({ kind: "grant", id: toHex(id) }) as const),
      ...records.owners().map(({ keyId }) => ({ kind: "owner", id: toHex(keyId) }) as const),
      ...pairing.openWindows(monotonic()).map((id) => ({ kind: "window", id }) as const),
    ];
    return findOne(all, { beginning, what: "grant, owner or pairing link" });
  }

  /** Removes an owner; its grants go with it, also if it pairs again. Throws an OwnerRequestError. */
  removeOwner(
    keyId: Bytes,
    how: { readonly by?: OwnerRecord; readonly statement?: Statement } = {},
  ): void {
    const { records, pairing, passes, audit } = this.#options;
    const owner = records.owner(keyId);
    if (owner === undefined) {
      throw new OwnerRequestError("unknown", "Cannot remove owner: there is none of this id");
    }
    if (records.owners().length === 1) {
      throw new OwnerRequestError(
        "refused",
        "Cannot remove the last owner: pair another browser first",
      );
    }
    const { statement } = how;
    if (statement && !records.takeStatement(statement.issuer, statement.sequence)) {
      throw new OwnerRequestError("invalid", "Cannot remove owner: an old statement");
    }
    const detail = `${toHex(keyId)} ${owner.label}`;
    records.removeOwner(keyId, audit.draft("owner.removed", actorOf(how.by), detail));
    passes.forget(toHex(keyId));
    pairing.closeBy(toHex(keyId));
    for (const grant of records.grants()) {
      if (equalBytes(grant.issuer, keyId)) this.#forgetGuests(grant.id);
    }
    this.#settle();
  }

  /** Ends one session, and takes nothing else away. False if there is none of this id. */
  kick(sessionId: string, by?: OwnerRecord): boolean {
    const { live, audit } = this.#options;
    const session = live.find(sessionId);
    if (session === undefined) return false;
    audit.note("session.kicked", actorOf(by), `${session.holder} ${session.label}`);
    audit.flush();
    live.end(session, "kicked");
    return true;
  }

  /** Ends the sessions of whoever may not stay, and tells the pages. */
  #settle(): void {
    this.#options.live.look();
    this.#options.changes.tell();
  }

  /** They are strangers from now on, unless another grant is theirs: then they are known again once they came. */
  #forgetGuests(grant: Bytes): void {
    const { records, passes } = this.#options;
    for (const { keyId } of records.guests(grant)) {
      if (!records.owner(keyId)) passes.forget(toHex(keyId));
    }
  }
}

function findOne<T extends { readonly id: string }>(
  all: readonly T[],
  { beginning, what }: { readonly beginning: string; readonly what: string },
): T {
  const [found, other] = all.filter(({ id }) => id.startsWith(beginning));
  if (found === undefined) {
    throw new OwnerRequestError("unknown", `There is no ${what} '${beginning}'`);
  }
  if (other === undefined) return found;
  throw new OwnerRequestError("unknown", `More than one ${what} begins with '${beginning}'`);
}

function sessionEntry(session: ConnectedSession, you: string | undefined): SessionEntry {
  const { sessionId, holder, label, role, grant, since } = session;
  return {
    id: sessionId,
    holder,
    label,
    role,
    ...(grant !== undefined && { grant }),
    since,
    you: sessionId === you,
  };
}

function actorOf(owner: OwnerRecord | undefined): Actor {
  return owner ? { holder: owner.keyId, label: owner.label } : {};
}
