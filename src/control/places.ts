/**
 * Who gets a place when many come: sessions cost memory, and the agent takes 16. Nobody's browsers may use up what others
 * need, so everybody has a bound of their own, and owners, who do not depend on what guests do, always find a place:
 *
 *     one person     4 sessions, 2 of them without a proof yet (a guest: 1); the newest offer counts
 *     guests         10 sessions together, 4 of them without a proof, 2 of these with one grant
 *     claims         4 without a proof together, 2 of these with one link; they are owners' once they have proved
 *     all            when the agent is full, an owner is given the oldest session of whoever has most
 *
 * It decides, and asks sessions to go; `Admissions` does the rest. A session that was asked to go counts for the agent's
 * room alone, until it has let go.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type Bytes, toHex } from "../lib/bytes.ts";
import type { Way } from "./entrance.ts";

/** Sessions of one person: tabs and devices that share a key. */
export const MAX_SESSIONS_OF_HOLDER = 4;
/** Of these without a proof: a page that is loaded again while its last offer is under way. */
export const MAX_PENDING_OF_HOLDER = 2;
const MAX_PENDING_OF_GUEST = 1;
/** Of guests: with four claims they leave two of the agent's 16, and an owner takes from them where that is not enough. */
export const MAX_GUEST_SESSIONS = 10;
/** Guests without a proof at once, and likewise claims. */
export const MAX_PENDING = 4;
/** Of these with one grant, or one link: whoever has it can make as many keys as it likes. */
export const MAX_PENDING_OF_LINK = 2;
/** After this a session that neither confirmed nor ended no longer keeps others out. ICE may take half of it. */
export const PENDING_LIMIT_MS = 60_000;
/** Sessions that are known here at once; the agent's own limit is lower. */
const MAX_SESSIONS = 64;
/** Time in which a session that was asked to go has let go: the agent's goodbye takes less. */
const LEAVE_LIMIT_MS = 2_000;

/** Somebody who has a place, or wants one. */
export interface Sitter {
  /** Key id, in hexadecimal digits. */
  readonly holder: string;
  readonly way: Way;
  readonly handshake: { readonly claim?: { readonly id: Bytes } | undefined };
}

/** What a newcomer meets. */
export type Turn<S> =
  | { readonly kind: "free" }
  | { readonly kind: "busy" }
  /** A place will be free once this one, or one that goes already, has let go. */
  | { readonly kind: "taken"; readonly by: S | undefined };

interface Place {
  /** Milliseconds; undefined once its browser has proved itself. */
  pendingSince: number | undefined;
  isLeaving: boolean;
}

export interface PlacesOptions<S> {
  /** Milliseconds of a clock that only runs forward. */
  monotonic(): number;
  /** Whether the agent would take one more session. */
  hasRoom(): boolean;
  /** Asks a session to go. It must end in `leave`. */
  dismiss(session: S): void;
}

export class Places<S extends Sitter> {
  readonly #options: PlacesOptions<S>;
  /** The oldest first. */
  readonly #places = new Map<S, Place>();
  #left = Promise.withResolvers<void>();

  constructor(options: PlacesOptions<S>) {
    this.#options = options;
  }

  has(session: S): boolean {
    return this.#places.has(session);
  }

  /** All who have a place, those who go included. */
  all(): IterableIterator<S> {
    return this.#places.keys();
  }

  /** Its turn must be "free". */
  take(session: S): void {
    const pendingSince = this.#options.monotonic();
    this.#places.set(session, { pendingSince, isLeaving: false });
  }

  /** Its browser has proved itself. */
  prove(session: S): void {
    const place = this.#places.get(session);
    if (place) place.pendingSince = undefined;
  }

  leave(session: S): void {
    if (!this.#places.delete(session)) return;
    this.#left.resolve();
    this.#left = Promise.withResolvers();
  }

  /** Whether there is a place for this newcomer, and who gives way to it. */
  turn(newcomer: S): Turn<S> {
    const own = this.#sitting(({ holder }) => holder === newcomer.holder);
    const pending = own.filter((session) => this.#isPending(session));
    const mostPending = newcomer.way.kind === "guest"
      ? MAX_PENDING_OF_GUEST
      : MAX_PENDING_OF_HOLDER;
    if (pending.length >= mostPending) return { kind: "taken", by: pending[0] };
    if (newcomer.way.kind !== "owner" && this.#areMany(newcomer)) return { kind: "busy" };
    if (own.length >= MAX_SESSIONS_OF_HOLDER) {
      return newcomer.way.kind === "guest" ? { kind: "busy" } : { kind: "taken", by: own[0] };
    }
    return this.#isFull() ? this.#turnWhenFull(newcomer, own) : { kind: "free" };
  }

  /** Asks whoever is in the way to go, and waits for room if there is none. False: nobody let go in time. */
  async vacate(by: S | undefined): Promise<boolean> {
    const place = by && this.#places.get(by);
    if (by && place) {
      place.isLeaving = true;
      this.#options.dismiss(by);
    }
    if (!this.#isFull()) return true;
    const stop = new AbortController();
    const late = delay(LEAVE_LIMIT_MS, false, { signal: stop.signal }).catch(() => false);
    const hasLeft = await Promise.race([this.#left.promise.then(() => true), late]);
    stop.abort();
    await delay(0); // the agent counts after it has told us
    return hasLeft;
  }

  /** Bounds of guests, and of those who are not known at all. */
  #areMany({ way, handshake }: S): boolean {
    const alike = this.#sitting((session) => session.way.kind === way.kind);
    const pending = alike.filter((session) => this.#isPending(session));
    const link = linkOf({ way, handshake });
    const ofLink = pending.filter((session) => linkOf(session) === link);
    return (way.kind === "guest" && alike.length >= MAX_GUEST_SESSIONS) ||
      pending.length >= MAX_PENDING ||
      ofLink.length >= MAX_PENDING_OF_LINK;
  }

  /** The holder with most gives its oldest: a guest before an owner, and no owner its only one. */
  #turnWhenFull({ way }: S, own: readonly S[]): Turn<S> {
    if (way.kind !== "owner") return { kind: "busy" };
    if ([...this.#places.values()].some(({ isLeaving }) => isLeaving)) {
      return { kind: "taken", by: undefined };
    }
    const sitting = this.#sitting(() => true);
    const share = (one: S) => {
      const count = sitting.filter(({ holder }) => holder === one.holder).length;
      return count + (this.#isOutsider(one) ? 0.5 : 0);
    };
    const [most] = sitting.toSorted((a, b) => share(b) - share(a)); // stable: the oldest of equals
    if (most !== undefined && share(most) > Math.max(1, own.length)) {
      return { kind: "taken", by: most };
    }
    return own.length > 0 ? { kind: "taken", by: own[0] } : { kind: "busy" };
  }

  #sitting(isMeant: (session: S) => boolean): S[] {
    return [...this.#places].filter(([session, { isLeaving }]) => !isLeaving && isMeant(session))
      .map(([session]) => session);
  }

  #isPending(session: S): boolean {
    const since = this.#places.get(session)?.pendingSince;
    return since !== undefined && since >= this.#options.monotonic() - PENDING_LIMIT_MS;
  }

  #isOutsider(session: S): boolean {
    const { kind } = session.way;
    return kind === "guest" || (kind === "claim" && this.#isPending(session));
  }

  #isFull(): boolean {
    return this.#places.size >= MAX_SESSIONS || !this.#options.hasRoom();
  }
}

function linkOf({ way, handshake }: Pick<Sitter, "way" | "handshake">): string | undefined {
  if (way.kind === "guest") return toHex(way.guest.grant.id);
  return handshake.claim && toHex(handshake.claim.id);
}
