/**
 * Pairing windows: somebody at the device opens one, a link with a one-time secret goes to a person, and the first browser
 * that proves the secret becomes an owner. Pure but for keys and random numbers: time comes in as `now`, milliseconds of a
 * monotonic clock, for boards have no other. Nothing is kept over a restart: a claim names the run that made it.
 *
 *     (none) -- open --> open -- consume --> consumed
 *                         |
 *                         +-- time, failures, close --> closed
 */
import { type Bytes, equalBytes, toHex } from "../lib/bytes.ts";
import { claimKey } from "../trust/claim_proof.ts";
import { randomBytes } from "../trust/digest.ts";
import type { Signer } from "../trust/ed25519.ts";
import type { RefusalReason } from "../trust/handshake.ts";
import { encodePairLink, PAIR_FRAGMENT, SECRET_BYTES } from "../trust/pair_link.ts";
import { signClaim, verifyClaim } from "../trust/claim.ts";
import { BOOT_ID_BYTES, TOKEN_ID_BYTES } from "../trust/token.ts";

/** Long enough to walk to the other room with the phone. */
export const DEFAULT_WINDOW_MS = 10 * 60_000;
export const MIN_WINDOW_MS = 60_000;
/** A link sent to someone far away; beyond a day it is a key under the mat. */
export const MAX_WINDOW_MS = 24 * 60 * 60_000;
/** Windows at once: a family pairs its phones side by side. The last place is for somebody at the device. */
export const MAX_OPEN_WINDOWS = 4;
/** Of one owner. */
export const MAX_WINDOWS_OF_OWNER = 2;
/** Failed proofs that close a window, as in Matter (security.md 1.1). */
export const MAX_FAILURES = 20;
/** Ended windows of which the reason is still known. */
const MAX_ENDED_WINDOWS = 16;

/** A new window, as its opener gets it. The only place where the secret ever is. */
export interface OpenedWindow {
  /** Names the window to people and in logs; no secret. */
  readonly id: string;
  /** Goes behind `#` of the shell's address. A secret. */
  readonly fragment: string;
  /** In milliseconds of the clock that `now` is of. */
  readonly expiresAt: number;
}

/** A window that is open. */
export interface OpenWindow {
  /** 32 digits. */
  readonly id: string;
  /** Key id of the owner who opened it; absent: somebody at the device. */
  readonly opener?: string;
  /** In milliseconds of the clock that `now` is of. */
  readonly expiresAt: number;
}

/** The claim of an offer, and the test of its proof: what a DeviceHandshake has. */
export interface ClaimingOffer {
  readonly claim?: { readonly id: Bytes; readonly boot: Bytes; readonly token: Bytes };
  provesClaim(key: Bytes): Promise<boolean>;
}

type WindowState =
  | {
    readonly kind: "open";
    /** Hash of the secret: proofs are tested with it. */
    readonly key: Bytes;
    readonly expiresAt: number;
    readonly failures: number;
    /** Key id of the owner who opened it; absent: somebody at the device. */
    readonly opener: string | undefined;
  }
  | { readonly kind: "consumed" }
  | { readonly kind: "closed" };

/** All windows of one run. */
export class Pairing {
  readonly #device: Signer;
  readonly #boot = randomBytes(BOOT_ID_BYTES);
  /** By id, the oldest first. */
  readonly #windows = new Map<string, WindowState>();

  constructor(device: Signer) {
    this.#device = device;
  }

  /**
   * Opens a window of `forMs` milliseconds. Rejects with a RangeError if that is under a minute or over a day, or if too
   * many are open.
   */
  async open(options: {
    readonly now: number;
    readonly forMs?: number;
    readonly opener?: string | undefined;
  }): Promise<OpenedWindow> {
    const { now, forMs = DEFAULT_WINDOW_MS, opener } = options;
    if (!(forMs >= MIN_WINDOW_MS && forMs <= MAX_WINDOW_MS)) {
      throw new RangeError("Cannot open pairing window: it must last from 1 minute to 24 hours");
    }
    const claimId = randomBytes(TOKEN_ID_BYTES);
    const secret = randomBytes(SECRET_BYTES);
    const token = await signClaim(this.#device, { id: claimId, boot: this.#boot });
    const link = { devicePublicKey: this.#device.publicKey, secret, claim: token };
    const fragment = PAIR_FRAGMENT + encodePairLink(link);
    const key = await claimKey(secret);
    const id = toHex(claimId);
    this.#makeRoom(now, opener);
    const expiresAt = now + forMs;
    this.#set(id, { kind: "open", key, expiresAt, failures: 0, opener });
    return { id, fragment, expiresAt };
  }

  /** Closes a window before its time. False if it is not open. */
  close(id: string, now: number): boolean {
    const isOpen = this.#state(id, now)?.kind === "open";
    if (isOpen) this.#set(id, { kind: "closed" });
    return isOpen;
  }

  /** Closes what this owner opened: nobody comes in by somebody who was removed. */
  closeBy(opener: string): void {
    for (const [id, window] of this.#windows) {
      if (window.kind === "open" && window.opener === opener) this.#set(id, { kind: "closed" });
    }
  }

  /** Ids of the windows that are open now. */
  openWindows(now: number): string[] {
    return this.list(now).map(({ id }) => id);
  }

  /** The windows that are open now, the oldest first. */
  list(now: number): OpenWindow[] {
    return [...this.#windows.keys()].flatMap((id) => {
      const window = this.#state(id, now);
      if (window?.kind !== "open") return [];
      const { opener, expiresAt } = window;
      return [{ id, expiresAt, ...(opener !== undefined && { opener }) }];
    });
  }

  /** Why this offer may not pair now; undefined if it may. A proof that does not hold counts as a failure. */
  async refusal(offer: ClaimingOffer, now: number): Promise<RefusalReason | undefined> {
    const { claim } = offer;
    if (claim === undefined) return "not_paired";
    if (!equalBytes(claim.boot, this.#boot)) return "claim_expired";
    const before = this.refusalOf(claim.id, now);
    if (before !== undefined) return before;
    if (!await this.#proves(offer, claim)) {
      this.#fail(toHex(claim.id), now);
      return "claim_wrong";
    }
    return this.refusalOf(claim.id, now); // it may have been used or closed meanwhile
  }

  /** Why this claim's window makes nobody an owner now; undefined if it is open. */
  refusalOf(claimId: Bytes, now: number): RefusalReason | undefined {
    switch (this.#state(toHex(claimId), now)?.kind) {
      case "open":
        return undefined;
      case "consumed":
        return "claim_used";
      default:
        return "claim_expired";
    }
  }

  /** The claim made its owner. */
  consume(claimId: Bytes): void {
    this.#set(toHex(claimId), { kind: "consumed" });
  }

  async #proves(offer: ClaimingOffer, claim: { id: Bytes; token: Bytes }): Promise<boolean> {
    const window = this.#windows.get(toHex(claim.id));
    if (window?.kind !== "open" || !await offer.provesClaim(window.key)) return false;
    try {
      await verifyClaim(claim.token, this.#device.publicKey);
      return true;
    } catch {
      return false; // whoever knows the secret and changes the claim is no better than one who guesses
    }
  }

  #fail(id: string, now: number): void {
    const window = this.#state(id, now);
    if (window?.kind !== "open") return;
    const failures = window.failures + 1;
    this.#set(id, failures >= MAX_FAILURES ? { kind: "closed" } : { ...window, failures });
  }

  /** The state as of now: time ends a window whenever somebody looks. */
  #state(id: string, now: number): WindowState | undefined {
    const window = this.#windows.get(id);
    if (window?.kind !== "open" || now < window.expiresAt) return window;
    return this.#set(id, { kind: "closed" });
  }

  #makeRoom(now: number, opener: string | undefined): void {
    const open = this.list(now);
    const own = open.filter((window) => window.opener === opener);
    if (opener !== undefined && own.length >= MAX_WINDOWS_OF_OWNER) throw tooMany(own.length);
    const most = opener === undefined ? MAX_OPEN_WINDOWS : MAX_OPEN_WINDOWS - 1;
    if (open.length >= most) throw tooMany(open.length);
    const isOpen = new Set(open.map(({ id }) => id));
    const ended = [...this.#windows.keys()].filter((id) => !isOpen.has(id));
    for (const id of ended.slice(0, -MAX_ENDED_WINDOWS)) this.#windows.delete(id);
  }

  #set(id: string, state: WindowState): WindowState {
    this.#windows.set(id, state);
    return state;
  }
}

function tooMany(open: number): RangeError {
  return new RangeError(
    `Cannot open pairing window: ${open} are open. Use one of them, end one, or wait until it closes`,
  );
}
