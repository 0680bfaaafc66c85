/**
 * Lending: how a grant comes about, on the board (signed by the device) or in an owner's browser (signed there, and
 * registered here so that it is listed and can be ended).
 */
import { type Bytes, equalBytes, toHex } from "../lib/bytes.ts";
import { verifyEnvelope } from "../trust/cose.ts";
import type { Signer } from "../trust/ed25519.ts";
import { MAX_TTL_SECONDS, MAX_USES, openGrant } from "../trust/grant.ts";
import { makeInvite } from "../trust/invite_link.ts";
import { tidyLabel } from "../trust/label.ts";
import type { Audit } from "./audit.ts";
import type { Changes } from "./changes.ts";
import type { DeviceClock } from "./clock.ts";
import type { DeviceRoot, Grants } from "./grants.ts";
import { OwnerRequestError } from "./owner_error.ts";
import type { GrantRecord, OwnerRecord, Records } from "./records.ts";
import type { Things, WantedScope } from "./things.ts";

export interface LendingOptions {
  readonly device: DeviceRoot;
  /** The device's key. */
  readonly signer: Signer;
  readonly records: Records;
  readonly clock: DeviceClock;
  readonly grants: Grants;
  readonly things: Things;
  readonly audit: Pick<Audit, "draft">;
  readonly changes: Changes;
}

/** What somebody at the device decides. */
export interface LendTerms extends WantedScope {
  readonly seconds: number;
  /** Browsers that may come. */
  readonly uses: number;
  /** What the lender calls it. */
  readonly label?: string;
}

/** A grant that was made on the board, as its lender gets it. */
export interface LentGrant {
  /** 32 digits. */
  readonly id: string;
  /** Goes behind `#` of the shell's address. A secret. */
  readonly fragment: string;
  /** Unix seconds by the device's clock. */
  readonly expires: number;
  /** What counts: until `expires`, or so long from the first visit on, since nobody knew the time. */
  readonly begins: "now" | "first-visit";
}

const UNNAMED = "Guest";
/** How far what is known of the time may lie behind the truth: a board out of a drawer, with an image of last year. */
const MAX_UNKNOWN_SECONDS = 400 * 24 * 3600;

export class Lending {
  readonly #options: LendingOptions;

  constructor(options: LendingOptions) {
    this.#options = options;
  }

  /** Makes an invite of the device. Rejects with a RangeError, for people, where it cannot be. */
  async lend(terms: LendTerms): Promise<LentGrant> {
    const { device, signer, records, things } = this.#options;
    const { seconds, uses } = terms;
    checkCount(seconds, { max: MAX_TTL_SECONDS, what: "a time from 1 second to 10 years" });
    checkCount(uses, { max: MAX_USES, what: `1 to ${MAX_USES} browsers` });
    const { notBefore, expires, begins } = this.#term(seconds);
    const { token, fragment, id } = await makeInvite({
      devicePublicKey: device.publicKey,
      issuer: signer,
      issuerEpoch: records.epoch(device.keyId),
      scope: things.scopeOf(terms),
      notBefore,
      expires,
      ttl: seconds,
      uses,
    });
    const label = tidyLabel(terms.label?.trim() || UNNAMED);
    const grant = { id, issuer: device.keyId, token, label, createdAt: notBefore, expires, uses };
    if (this.#add(grant) === "full") {
      throw new RangeError("Cannot lend: too many grants are open. Revoke one that nobody needs");
    }
    return { id: toHex(id), fragment, expires, begins };
  }

  #term(seconds: number): Pick<LentGrant, "expires" | "begins"> & { notBefore: number } {
    const { time, slack } = lendingTime(this.#options.clock);
    const expires = time + seconds + (slack ?? 0);
    return { notBefore: time, expires, begins: slack === undefined ? "now" : "first-visit" };
  }

  /** Takes an invite that this owner signed. Rejects with an OwnerRequestError. */
  async register(
    token: Bytes,
    { owner, label }: { readonly owner: OwnerRecord; readonly label: string },
  ): Promise<void> {
    const { records, clock } = this.#options;
    const grant = await this.#read(token, owner);
    if (grant.epoch !== records.epoch(owner.keyId) || grant.expires <= clock.lowerBound()) {
      throw new OwnerRequestError("invalid", "Cannot register grant: not of now, or over already");
    }
    const { id, expires, uses } = grant;
    const createdAt = clock.now();
    const record = {
      ...{ id, issuer: owner.keyId, token, createdAt, expires, uses },
      label: tidyLabel(label.trim() || UNNAMED),
    };
    if (this.#add(record, owner) === "full") {
      throw new OwnerRequestError("limit", "Cannot register grant: too many are open");
    }
  }

  #add(grant: GrantRecord, by?: OwnerRecord): "added" | "known" | "full" {
    const { records, grants, audit, changes } = this.#options;
    const { id } = grant;
    const actor = by ? { holder: by.keyId, label: by.label, grant: id } : { grant: id };
    const added = records.addGrant(grant, audit.draft("grant.lent", actor, grant.label));
    if (added !== "added") return added;
    grants.made(id);
    changes.tell();
    return added;
  }

  async #read(token: Bytes, owner: OwnerRecord) {
    try {
      const { grant, envelope } = openGrant(token);
      const isFitting = grant.kind === "invite" && grant.parent === undefined &&
        equalBytes(grant.issuer, owner.keyId) &&
        equalBytes(grant.audience, this.#options.device.id);
      if (!isFitting) throw new TypeError("Cannot register grant: not an invite of this owner");
      await verifyEnvelope("invite", envelope, owner.publicKey);
      return { ...grant, uses: grant.uses! }; // invites have it
    } catch (cause) {
      throw new OwnerRequestError("invalid", "Cannot register grant: it does not hold", { cause });
    }
  }
}

/**
 * When what is lent now begins, in Unix seconds. An end that is counted from a wrong time would be past at the first right
 * one: while nobody knows the time, `slack` goes on top of the end, and it is the `ttl` that counts.
 */
export function lendingTime(
  clock: Pick<DeviceClock, "knowledge" | "lowerBound" | "now">,
): { readonly time: number; readonly slack?: number } {
  if (clock.knowledge() !== "unknown") return { time: clock.now() };
  return { time: clock.lowerBound(), slack: MAX_UNKNOWN_SECONDS };
}

function checkCount(value: number, { max, what }: { max: number; what: string }): void {
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return;
  throw new RangeError(`Cannot lend: expected ${what}`);
}
