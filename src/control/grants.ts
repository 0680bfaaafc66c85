/**
 * Guests: whether a chain of grants lets its holder in now, and for how long. `src/trust/chain.ts` has verified who signed
 * what; here come the rules that need a store and a clock.
 *
 *     offer with a chain -- verified, for this browser --> judged --> admitted --> redeemed when the browser has confirmed
 *                                                            |                        |
 *                                                     sealed refusal           each second: standing
 *
 * A grant ends by its date, by its `ttl`, by a revocation of any of its links, and with its lender. Where the time is not
 * known, the date says nothing: then a guest who came before goes on with the rest of the `ttl`, and a new one enters only
 * with a grant that was made while the device ran. All others are told that the time is unknown.
 *
 * What is listed, used up and ended is the first link of a chain: whoever holds a guest's grant may pass it on, but not lend by
 * links of its own. Such chains hold (`chain.ts`) and are refused here until somebody needs them: their invites would stand
 * in the list under nobody, outlive there what they hang on, and fill it.
 */
import { type Bytes, equalBytes, toHex } from "../lib/bytes.ts";
import {
  ChainError,
  type ChainRoot,
  type VerifiedChain,
  type VerifiedLink,
  verifyChain,
} from "../trust/chain.ts";
import { MAX_USES, readGrant } from "../trust/grant.ts";
import { HandshakeError, type RefusalReason } from "../trust/handshake.ts";
import type { Actor, Audit } from "./audit.ts";
import type { DeviceClock } from "./clock.ts";
import type { Passes } from "./passes.ts";
import type { GrantRecord, GuestRecord, Records } from "./records.ts";
import { TtlMeter } from "./ttl_meter.ts";

/** The device as a root of chains. */
export interface DeviceRoot {
  /** Device id, 16 bytes. */
  readonly id: Bytes;
  readonly publicKey: Bytes;
  /** Key id of the device's key, 8 bytes. */
  readonly keyId: Bytes;
}

export interface GrantsOptions {
  readonly device: DeviceRoot;
  readonly records: Records;
  readonly clock: DeviceClock;
  readonly audit: Pick<Audit, "draft">;
  readonly passes: Pick<Passes, "keep">;
  /** Milliseconds of a clock that only runs forward. */
  monotonic(): number;
}

/** What an offer says of its sender, verified but for the grants. */
export interface GuestOffer {
  readonly grants: readonly Bytes[];
  readonly publicKey: Bytes;
  readonly keyId: Bytes;
  readonly label: string;
}

/** Somebody whose chain holds. */
export interface Guest extends Omit<GuestOffer, "grants"> {
  readonly chain: VerifiedChain;
  /** What the guest is listed under, and what is used up: the first link of the chain. */
  readonly grant: VerifiedLink;
}

/** Whether a guest may stay; if not, why. */
export type Standing = "ok" | "expired" | "revoked" | "removed";

/** A lender's clock may be ahead of ours by this. */
const NOT_BEFORE_SLACK_SECONDS = 5 * 60;
/** Grants of which is known that they were made in this run: as many as the store keeps. */
const MAX_MADE = 256;
const UNNAMED = "Guest";

export class Grants {
  readonly #options: GrantsOptions;
  readonly #ttl: TtlMeter;
  /** When the grants of this run were made, by the monotonic clock. */
  readonly #made = new Map<string, number>();

  constructor(options: GrantsOptions) {
    this.#options = options;
    this.#ttl = new TtlMeter(options);
  }

  /** The guest, or why there is none. Rejects when the store fails. */
  async judge(offer: GuestOffer): Promise<Guest | RefusalReason> {
    const { grants, ...who } = offer;
    const chain = await this.#verify(grants);
    if (typeof chain === "string") return chain;
    if (!equalBytes(chain.holder, who.publicKey)) return "grant_invalid";
    const [grant, ...below] = chain.links;
    if (below.some(({ kind }) => kind === "invite")) return "grant_invalid";
    const guest = { ...who, chain, grant: grant! }; // a chain has a link
    return this.refusal(guest) ?? guest;
  }

  /** Why this guest may not come in now; undefined if it may. */
  refusal(guest: Guest): RefusalReason | undefined {
    const { records, clock } = this.#options;
    const standing = this.standing(guest);
    if (standing !== "ok") return standing === "expired" ? "grant_expired" : "grant_revoked";
    const known = this.#recordOf(guest);
    if (known && !equalBytes(known.publicKey, guest.publicKey)) return "grant_invalid";
    if (clock.knowledge() === "unknown") {
      const refusal = known ? undefined : this.#refusalWithoutTime(guest.grant);
      if (refusal) return refusal;
    } else if (guest.chain.notBefore > clock.now() + NOT_BEFORE_SLACK_SECONDS) {
      return "grant_expired"; // its time has not come
    }
    const { id, uses = MAX_USES } = guest.grant;
    return known || records.guests(id).length < uses ? undefined : "grant_used";
  }

  /** Whether a guest may stay. */
  standing(guest: Guest): Standing {
    const [first] = guest.chain.links;
    const root = this.#root(first!.issuer); // a chain has a link
    if (root === undefined || first!.epoch !== root.epoch) return "removed";
    if (guest.chain.links.some(({ id }) => this.#options.records.isRevoked(id))) return "revoked";
    return this.remaining(guest) > 0 ? "ok" : "expired";
  }

  /** Seconds that a guest may stay, if nobody ends it before. */
  remaining(guest: Guest): number {
    const { clock } = this.#options;
    const known = this.#recordOf(guest);
    const ofTtl = guest.chain.ttl - (known ? this.#ttl.spent(known) : 0);
    const isKnown = clock.knowledge() !== "unknown";
    const { expires } = guest.chain;
    if (isKnown) return Math.max(0, Math.min(ofTtl, expires - clock.now()));
    return expires > clock.lowerBound() ? Math.max(0, ofTtl) : 0;
  }

  /** Makes a guest lasting, who has proved to be there. Throws a HandshakeError if it may not be one any more. */
  redeem(guest: Guest): void {
    const { records, clock, audit } = this.#options;
    const refusal = this.refusal(guest);
    if (refusal) throw new HandshakeError(refusal, `Cannot admit guest: ${refusal}`);
    const { keyId, publicKey, label } = guest;
    const redeemedAt = clock.now();
    const record = { grant: guest.grant.id, keyId, publicKey, label, redeemedAt, spentSeconds: 0 };
    const line = audit.draft("guest.added", actorOf(guest));
    switch (records.redeem(this.#grantRecord(guest), record, line)) {
      case "added":
        return this.#ttl.begin(record);
      case "known":
        return records.sawGuest(guest.grant.id, keyId, redeemedAt);
      case "used_up":
        throw new HandshakeError("grant_used", "Cannot admit guest: others were faster");
      case "full":
        throw new HandshakeError("busy", "Cannot admit guest: too many grants are kept");
    }
  }

  /** A grant was made, or registered, while the device runs: it holds even if nobody knows the time. */
  made(id: Bytes): void {
    this.#made.set(toHex(id), this.#options.monotonic());
    const [oldest] = this.#made.keys();
    if (this.#made.size > MAX_MADE) this.#made.delete(oldest!); // it is not empty
  }

  /** Whether the device itself made it, for somebody at it. */
  isOfBoard(grant: GrantRecord): boolean {
    return equalBytes(grant.issuer, this.#options.device.keyId);
  }

  /** Whether nobody can come or stay by this grant any more; if so, why. */
  over(grant: GrantRecord): Exclude<Standing, "ok"> | undefined {
    const root = this.#root(grant.issuer);
    const { epoch, ttl } = readGrant(grant.token);
    if (root === undefined || epoch !== root.epoch) return "removed";
    if (this.#options.records.isRevoked(grant.id)) return "revoked";
    if (this.#isPast(grant.expires)) return "expired";
    const guests = this.#options.records.guests(grant.id);
    const isSpent = guests.length >= grant.uses &&
      guests.every((guest) => this.#ttl.spent(guest) >= ttl);
    return isSpent ? "expired" : undefined;
  }

  /** Once a minute, and at the end: writes what must not begin anew after a restart. */
  keep(): void {
    const { records, clock, passes } = this.#options;
    const counting: GuestRecord[] = [];
    const bound = clock.lowerBound(); // an owner's word may say more, which is not kept
    let isTimeNews = false;
    for (const grant of records.grants()) {
      const { expires } = grant;
      if (this.#isPast(expires)) isTimeNews ||= expires > clock.kept && expires <= bound;
      else counting.push(...this.#counting(grant));
    }
    this.#ttl.keep(counting);
    passes.keep(counting);
    clock.keep(isTimeNews ? "now" : undefined); // whoever is out stays out, even if the clock forgets
  }

  #counting(grant: GrantRecord): GuestRecord[] {
    const { ttl } = readGrant(grant.token);
    return this.#options.records.guests(grant.id).filter((guest) => guest.spentSeconds < ttl);
  }

  async #verify(tokens: readonly Bytes[]): Promise<VerifiedChain | RefusalReason> {
    const audience = this.#options.device.id;
    try {
      return await verifyChain({ chain: tokens, audience, roots: (id) => this.#root(id) });
    } catch (error) {
      if (!(error instanceof ChainError)) throw error;
      return this.#isOfRemovedOwner(tokens) ? "grant_revoked" : "grant_invalid";
    }
  }

  /** Its key is gone, so this is said without proof: it only chooses the word for no. */
  #isOfRemovedOwner([first]: readonly Bytes[]): boolean {
    try {
      const { issuer, epoch } = readGrant(first!); // an offer has one at least
      return epoch !== this.#options.records.epoch(issuer);
    } catch {
      return false; // no grant at all
    }
  }

  #root(keyId: Bytes): ChainRoot | undefined {
    const { device, records } = this.#options;
    const key = equalBytes(keyId, device.keyId) ? device : records.owner(keyId);
    return key && { publicKey: key.publicKey, epoch: records.epoch(keyId) };
  }

  #recordOf(guest: Guest): GuestRecord | undefined {
    return this.#options.records.guest(guest.grant.id, guest.keyId);
  }

  #isPast(time: number): boolean {
    const { clock } = this.#options;
    return time <= (clock.knowledge() === "unknown" ? clock.lowerBound() : clock.now());
  }

  /** A grant that was made in this run is as old as this run knows. */
  #refusalWithoutTime({ id, notBefore, expires }: VerifiedLink): RefusalReason | undefined {
    const at = this.#made.get(toHex(id));
    if (at === undefined) return "time_unknown";
    const isPast = this.#options.monotonic() - at >= (expires - notBefore) * 1000;
    return isPast ? "grant_expired" : undefined;
  }

  #grantRecord({ grant, chain }: Guest): GrantRecord {
    const { records, clock } = this.#options;
    const { id, token, expires, uses = MAX_USES } = grant;
    const { issuer } = chain.links[0]!; // a chain has a link
    return records.grant(id) ??
      { id, issuer, token, label: UNNAMED, createdAt: clock.now(), expires, uses };
  }
}

/** A guest, as the log names it. */
export function actorOf(guest: Guest): Actor & { readonly holder: Bytes } {
  return { holder: guest.keyId, label: guest.label, grant: guest.grant.id };
}
