/**
 * The rules of the door: by what right somebody comes, and what becomes lasting once the browser has proved to be there.
 *
 *     claim    proves the secret of an open pairing window        becomes an owner on entering, if it is none; the link is used
 *     owner    its key is in the store                            enters always, whatever the clock says
 *     guest    shows a chain of grants that holds                 is written down on entering, once
 *
 * `judge` looks before anything of WebRTC exists; `enter` looks again, for minutes and other people may have passed.
 */
import { type Bytes, equalBytes, toHex } from "../lib/bytes.ts";
import type { Log } from "../lib/log.ts";
import type { ByeCode } from "../protocol/control.ts";
import { type DeviceHandshake, HandshakeError, type RefusalReason } from "../trust/handshake.ts";
import type { Greeting, SessionAccess, Use } from "./admission_types.ts";
import type { Audit } from "./audit.ts";
import type { Changes } from "./changes.ts";
import type { DeviceClock } from "./clock.ts";
import type { DeviceRoot, Grants, Guest } from "./grants.ts";
import { GuestEntry } from "./guest_entry.ts";
import type { Household } from "./household.ts";
import type { Lending } from "./lending.ts";
import type { SessionDesk } from "./owner_desk.ts";
import { OwnerEntry } from "./owner_entry.ts";
import type { Pairing } from "./pairing.ts";
import type { Records } from "./records.ts";
import type { Things } from "./things.ts";

export interface EntranceOptions {
  readonly device: Pick<DeviceRoot, "id">;
  readonly records: Records;
  readonly clock: DeviceClock;
  readonly pairing: Pairing;
  readonly grants: Grants;
  readonly lending: Lending;
  readonly household: Household;
  readonly things: Things;
  readonly audit: Audit;
  readonly changes: Changes;
  readonly log: Log;
  /** Milliseconds of a clock that only runs forward. */
  monotonic(): number;
}

/** By what right somebody comes. */
export type Way =
  | { readonly kind: "owner" }
  | { readonly kind: "claim" }
  | { readonly kind: "guest"; readonly guest: Guest };

/** Somebody who was judged and has confirmed. */
export interface Candidate {
  readonly sessionId: string;
  readonly holderId: Bytes;
  readonly handshake: DeviceHandshake;
  readonly way: Way;
  readonly pass: Bytes;
  /** What its browser shows as well. */
  readonly checkNumber: string;
}

/** What somebody who came in has. */
export interface Entry {
  readonly access: SessionAccess;
  /** Id of the grant, 32 digits. */
  readonly grant?: string;
  readonly desk: SessionDesk | undefined;
  /** Unix seconds. */
  readonly since: number;
  greeting(): Greeting;
  used(use: Use): void;
  /** Why it must end now; undefined while it may stay. */
  verdict(): ByeCode | undefined;
  /** It is over: by itself, or because of this. Never throws. */
  close(code?: ByeCode): void;
}

/** Digits of a pairing window's id in the line that tells of its owner: whoever opened it finds the line by them. */
export const LINK_DIGITS = 8;

export class Entrance {
  readonly #options: EntranceOptions;

  constructor(options: EntranceOptions) {
    this.#options = options;
  }

  /** The right by which this browser may come, or why it may not. Rejects when the store fails. */
  async judge(handshake: DeviceHandshake, keyId: Bytes): Promise<Way | RefusalReason> {
    const { claim, grants, browserPublicKey: publicKey, label } = handshake;
    const refusal = claim && await this.#claimRefusal(handshake);
    if (claim && refusal === undefined) return { kind: "claim" };
    if (this.#isOwner(keyId, publicKey)) return { kind: "owner" };
    if (grants === undefined) return refusal ?? "not_paired";
    const guest = await this.#options.grants.judge({ grants, publicKey, keyId, label });
    return typeof guest === "string" ? guest : { kind: "guest", guest };
  }

  /**
   * Lets the browser in. Throws a HandshakeError if it may not come any more. Synchronous from the last look to the
   * commit: of two browsers with one claim or one place, one comes first.
   */
  enter(candidate: Candidate): Entry {
    const { handshake, holderId, way } = candidate;
    const isOwner = this.#isOwner(holderId, handshake.browserPublicKey);
    switch (way.kind) {
      case "claim":
        if (!isOwner || this.#isOpen(handshake)) this.#makeOwner(candidate);
        return this.#ownerEntry(candidate);
      case "owner":
        if (isOwner) return this.#ownerEntry(candidate);
        throw new HandshakeError("not_paired", "Cannot admit browser: it is no owner any more");
      case "guest":
        if (isOwner) return this.#ownerEntry(candidate); // meanwhile, in another tab
        this.#options.grants.redeem(way.guest);
        return new GuestEntry(this.#options, { guest: way.guest, pass: candidate.pass });
    }
  }

  #ownerEntry({ sessionId, holderId, handshake, pass }: Candidate): Entry {
    const { browserPublicKey: publicKey, label, time } = handshake;
    const owner = { keyId: holderId, publicKey, label, time };
    const isOwner = () => this.#isOwner(holderId, publicKey);
    return new OwnerEntry(this.#options, { sessionId, owner, pass, isOwner });
  }

  #isOwner(keyId: Bytes, publicKey: Bytes): boolean {
    const owner = this.#options.records.owner(keyId);
    return owner !== undefined && equalBytes(owner.publicKey, publicKey);
  }

  async #claimRefusal(handshake: DeviceHandshake): Promise<RefusalReason | undefined> {
    const { pairing, records, monotonic } = this.#options;
    const { claim } = handshake;
    if (claim && records.isConsumed(claim.id)) return "claim_used";
    return await pairing.refusal(handshake, monotonic());
  }

  #isOpen({ claim }: DeviceHandshake): boolean {
    const { pairing, monotonic } = this.#options;
    return claim !== undefined && pairing.refusalOf(claim.id, monotonic()) === undefined;
  }

  #makeOwner({ handshake, holderId, checkNumber }: Candidate): void {
    const { pairing, records, monotonic, clock, audit, log } = this.#options;
    const { claim, browserPublicKey: publicKey, label } = handshake;
    if (claim === undefined) {
      throw new HandshakeError("not_paired", "Cannot admit browser: no claim");
    }
    const refusal = pairing.refusalOf(claim.id, monotonic());
    if (refusal) throw new HandshakeError(refusal, `Cannot admit browser: ${refusal}`);
    const owner = { keyId: holderId, publicKey, label, createdAt: clock.now() };
    const detail = `check ${checkNumber}, link ${toHex(claim.id).slice(0, LINK_DIGITS)}`;
    const line = audit.draft("owner.added", { holder: holderId, label }, detail);
    const result = records.consumeClaimAndAddOwner(claim.id, owner, line);
    pairing.consume(claim.id);
    if (result === "already_used") {
      throw new HandshakeError("claim_used", "Cannot admit browser: its claim was used meanwhile");
    }
    log.info("owner.added", { holder: toHex(holderId), label, check: checkNumber });
  }
}
