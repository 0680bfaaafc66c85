/**
 * Answers what one owner asks in one session. Nothing is taken on the session's word alone: whoever asks must still be an
 * owner, and what ends a grant or an owner is signed by one.
 */
import { type Bytes, equalBytes } from "../lib/bytes.ts";
import type { OwnerReply, OwnerRequest } from "../protocol/owner.ts";
import { readRevocation, type Revocation, verifyRevocation } from "../trust/revocation.ts";
import type { OwnerDesk } from "./admission_types.ts";
import type { Audit } from "./audit.ts";
import type { Changes } from "./changes.ts";
import type { DeviceRoot } from "./grants.ts";
import type { Household } from "./household.ts";
import type { Lending } from "./lending.ts";
import { OwnerRequestError } from "./owner_error.ts";
import type { OwnerRecord, Records } from "./records.ts";

export interface OwnerDeskParts {
  readonly device: Pick<DeviceRoot, "id">;
  readonly records: Records;
  readonly household: Household;
  readonly lending: Lending;
  readonly audit: Audit;
  readonly changes: Changes;
}

/** Lines of the log in one reply. The agent sees to it that any reply fits its message. */
export const AUDIT_PAGE = 32;

export class SessionDesk implements OwnerDesk {
  readonly #parts: OwnerDeskParts;
  readonly #keyId: Bytes;
  readonly #sessionId: string;
  #listener: (() => void) | undefined;
  #stopListening: (() => void) | undefined;

  constructor(
    parts: OwnerDeskParts,
    session: { readonly keyId: Bytes; readonly sessionId: string },
  ) {
    this.#parts = parts;
    this.#keyId = session.keyId;
    this.#sessionId = session.sessionId;
  }

  onChange(listener: () => void): void {
    this.#listener = listener;
    this.#stopListening ??= this.#parts.changes.listen(() => this.#listener?.());
  }

  /** The session is over. */
  close(): void {
    this.#stopListening?.();
    this.#listener = undefined;
  }

  /** Waits for signatures and the store alone; the agent's relay bounds it (`src/agent/owner_relay.ts`). */
  async answer(request: OwnerRequest): Promise<OwnerReply> {
    try {
      return await this.#answer(request);
    } catch (cause) {
      if (cause instanceof OwnerRequestError) throw cause;
      const isFull = cause instanceof Error && cause.name === "LimitError"; // the store's
      throw new OwnerRequestError(isFull ? "limit" : "failed", `Cannot answer: ${String(cause)}`, {
        cause,
      });
    }
  }

  async #answer(request: OwnerRequest): Promise<OwnerReply> {
    const { records, household, lending, audit } = this.#parts;
    const owner = this.#owner();
    switch (request.kind) {
      case "people":
        return { kind: "people", ...household.people(owner, this.#sessionId) };
      case "pair":
        return await this.#pair(request.forSeconds, owner);
      case "lend":
        await lending.register(request.token, { owner, label: request.label });
        return { kind: "done" };
      case "revoke":
        await this.#revoke(request.statement);
        return { kind: "done" };
      case "kick":
        if (household.kick(request.session, owner)) return { kind: "done" };
        throw new OwnerRequestError("unknown", "Cannot end session: there is none of this id");
      case "unpair":
        if (household.closePairing(request.id)) return { kind: "done" };
        throw new OwnerRequestError("unknown", "Cannot end pairing link: none of this id is open");
      case "audit":
        return { kind: "audit", entries: audit.page({ ...request, limit: AUDIT_PAGE }) };
      case "audit-hash": {
        const hash = records.auditHash(request.sequence);
        return { kind: "audit-hash", ...(hash && { hash }) };
      }
    }
  }

  #owner(): OwnerRecord {
    const owner = this.#parts.records.owner(this.#keyId);
    if (owner !== undefined) return owner;
    throw new OwnerRequestError("refused", "Cannot answer: not an owner any more");
  }

  async #pair(forSeconds: number, owner: OwnerRecord): Promise<OwnerReply> {
    try {
      const { id, fragment } = await this.#parts.household.openPairing(forSeconds * 1000, owner);
      return { kind: "pair", id, fragment, forSeconds };
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw new OwnerRequestError("limit", cause.message, { cause });
    }
  }

  async #revoke(statement: Bytes): Promise<void> {
    const { household } = this.#parts;
    const { by, revocation } = await this.#verify(statement);
    const { issuer, sequence, target } = revocation;
    const how = { by, statement: { issuer, sequence } };
    if (target.kind === "owner") return household.removeOwner(target.id, how);
    if (household.revokeGrant(target.id, how) === "stale_statement") {
      throw new OwnerRequestError("invalid", "Cannot revoke: an old statement");
    }
  }

  /** A statement of any owner of now, whoever brings it. */
  async #verify(bytes: Bytes): Promise<{ by: OwnerRecord; revocation: Revocation }> {
    const { records, device } = this.#parts;
    try {
      const { issuer } = readRevocation(bytes);
      const signer = records.owner(issuer);
      if (signer === undefined) throw new TypeError("Cannot revoke: signed by nobody known");
      const expected = { audience: device.id, issuerKey: signer.publicKey };
      const revocation = await verifyRevocation(bytes, expected);
      const by = records.owner(issuer); // it may be gone by now
      if (!by || !equalBytes(by.publicKey, signer.publicKey)) {
        throw new TypeError("Cannot revoke: its signer was removed");
      }
      return { by, revocation };
    } catch (cause) {
      throw new OwnerRequestError("invalid", "Cannot revoke: the statement does not hold", {
        cause,
      });
    }
  }
}
