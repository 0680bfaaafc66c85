/**
 * The rules of the door: by what right somebody comes, and what becomes lasting once the browser has proved to be there.
 *
 *     owner    its key is in the store                            enters always, whatever the clock says
 *     claim    proves the secret of an open pairing window        becomes an owner on entering
 *     guest    shows a chain of grants that holds                 is written down on entering, once
 *
 * `judge` looks before anything of WebRTC exists; `enter` looks again, for minutes and other people may have passed.
 */
import { type Bytes, equalBytes, toHex } from "../lib/bytes.ts";
import type { Log } from "../lib/log.ts";
import type { ByeCode } from "../protocol/control.ts";
import { type DeviceHandshake, HandshakeError, type RefusalReason } from "../trust/handshake.ts";
import type { Greeting, SessionAccess, Use } from "./admission_types.ts";
import { type Audit, useLine } from "./audit.ts";
import type { Changes } from "./changes.ts";
import type { DeviceClock } from "./clock.ts";
import { actorOf, type DeviceRoot, type Grants, type Guest } from "./grants.ts";
import type { Household } from "./household.ts";
import type { Lending } from "./lending.ts";
import { SessionDesk } from "./owner_desk.ts";
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

export class Entrance {
  readonly #options: EntranceOptions;

  constructor(options: EntranceOptions) {
    this.#options = options;
  }

  /** The right by which this browser may come, or why it may not. Rejects when the store fails. */
  async judge(handshake: DeviceHandshake, keyId: Bytes): Promise<Way | RefusalReason> {
    if (this.#isOwner(keyId, handshake.browserPublicKey)) return { kind: "owner" };
    const { grants, browserPublicKey: publicKey, label } = handshake;
    if (grants === undefined) return await this.#claimRefusal(handshake) ?? { kind: "claim" };
    const guest = await this.#options.grants.judge({ grants, publicKey, keyId, label });
    return typeof guest === "string" ? guest : { kind: "guest", guest };
  }

  /**
   * Lets the browser in. Throws a HandshakeError if it may not come any more. Synchronous from the last look to the
   * commit: of two browsers with one claim or one place, one comes first.
   */
  enter(candidate: Candidate): Entry {
    const { handshake, holderId, way } = candidate;
    if (this.#isOwner(holderId, handshake.browserPublicKey)) return this.#ownerEntry(candidate);
    switch (way.kind) {
      case "guest":
        this.#options.grants.redeem(way.guest);
        return this.#guestEntry(candidate, way.guest);
      case "claim":
        this.#makeOwner(candidate);
        return this.#ownerEntry(candidate);
      case "owner":
        throw new HandshakeError("not_paired", "Cannot admit browser: it is no owner any more");
    }
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

  #makeOwner({ handshake, holderId, checkNumber }: Candidate): void {
    const { pairing, records, monotonic, clock, audit, log } = this.#options;
    const { claim, browserPublicKey: publicKey, label } = handshake;
    if (claim === undefined) {
      throw new HandshakeError("not_paired", "Cannot admit browser: no claim");
    }
    const refusal = pairing.refusalOf(claim.id, monotonic());
    if (refusal) throw new HandshakeError(refusal, `Cannot admit browser: ${refusal}`);
    const owner = { keyId: holderId, publicKey, label, createdAt: clock.now() };
    const line = audit.draft("owner.added", { holder: holderId, label }, `check ${checkNumber}`);
    const result = records.consumeClaimAndAddOwner(claim.id, owner, line);
    pairing.consume(claim.id);
    if (result === "already_used") {
      throw new HandshakeError("claim_used", "Cannot admit browser: its claim was used meanwhile");
    }
    log.info("owner.added", { holder: toHex(holderId), label, check: checkNumber });
  }

  #ownerEntry(candidate: Candidate): Entry {
    const { records, clock, things, audit } = this.#options;
    const { sessionId, holderId: keyId, handshake } = candidate;
    const { browserPublicKey: publicKey, label, time } = handshake;
    clock.attest(time);
    const saw = () => records.sawOwner(keyId, clock.now());
    saw();
    audit.person("session.opened", { holder: keyId, label }, "owner");
    const desk = new SessionDesk(this.#options, { keyId, sessionId });
    return {
      access: { role: "owner" },
      desk,
      since: clock.now(),
      greeting: () => ({
        access: { role: "owner" },
        pass: candidate.pass,
        audit: records.auditHead(),
        numberOf: (kind, id) => things.numberOf(kind, id),
      }),
      used() {}, // owners may do everything: a line for each would hide what guests do
      verdict: () => this.#isOwner(keyId, publicKey) ? undefined : "removed",
      close: (code) => {
        desk.close();
        this.#guarded(saw);
        if (code && code !== "kicked") {
          audit.person("session.ended", { holder: keyId, label }, code);
        }
      },
    };
  }

  #guestEntry(candidate: Candidate, guest: Guest): Entry {
    const { records, clock, grants, things, audit } = this.#options;
    const actor = actorOf(guest);
    const { services, cameras } = things.idsOf(guest.chain.scope);
    const { operations } = guest.chain.scope;
    const lent = [...services, ...cameras.map((id) => `camera:${id}`)].join(",");
    const since = clock.now();
    const startedAt = this.#options.monotonic();
    audit.person("session.opened", actor, `${operations.join(",")} ${lent}`);
    return {
      access: {
        role: "guest",
        services: new Set(services),
        cameras: new Set(cameras),
        operations: new Set(operations),
      },
      grant: toHex(guest.grant.id),
      desk: undefined,
      since,
      greeting: () => ({
        access: { role: "guest", operations, remainingSeconds: grants.remaining(guest) },
        pass: candidate.pass,
      }),
      used: (use) => {
        const line = useLine(use);
        if (line) audit.person(line.event, actor, line.thing);
      },
      verdict: () => {
        const standing = grants.standing(guest);
        return standing === "ok" ? undefined : standing;
      },
      close: (code) => {
        this.#guarded(() => records.sawGuest(guest.grant.id, guest.keyId, clock.now()));
        const seconds = Math.round((this.#options.monotonic() - startedAt) / 1000);
        if (code === "kicked") return; // whoever did it has written so
        if (code) audit.person("session.ended", actor, code);
        else audit.person("session.closed", actor, `after ${seconds} s`);
      },
    };
  }

  /** What is only nice to know must not disturb the end of a session. */
  #guarded(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#options.log.error("admission.failed", { error: String(error) });
    }
  }
}
