/**
 * Admission: who may have a session. Offers come from the rendezvous, which is hostile; each is limited, opened, verified
 * and judged here before anything of WebRTC exists. Whoever is admitted goes to the agent as an `Admission`; whoever is
 * not gets a sealed refusal, or silence where there is nobody to seal to.
 *
 *     offer -- size, tag --> a known person's lane, or the strangers' --> open, one signature --> judge --> Admission
 *                                   |                                         |                     |
 *                                silence                                   silence            sealed refusal
 *
 * A session outlives its signalling: when the browser's socket is gone, candidates can no longer pass, and nothing else
 * changes. A session that never confirms is ended by the agent. Not here: by what right somebody comes (`entrance.ts`).
 */
import { type Bytes, toHex } from "../lib/bytes.ts";
import type { Log } from "../lib/log.ts";
import { DeviceHandshake, HandshakeError, type RefusalReason } from "../trust/handshake.ts";
import { keyId } from "../trust/key_id.ts";
import { HANDSHAKE_VERSION, MESSAGE } from "../trust/message.ts";
import { offerTag } from "../trust/offer.ts";
import { signPresence } from "../trust/presence.ts";
import type { Admission, OfferLink } from "./admission_types.ts";
import { AdmittedSession } from "./admitted_session.ts";
import type { Audit } from "./audit.ts";
import type { Entrance, Entry, Way } from "./entrance.ts";
import type { Identity } from "./identity.ts";
import { Lane } from "./lane.ts";
import type { LiveSessions } from "./live_sessions.ts";
import type { Known, Passes } from "./passes.ts";
import { ReplayGuard } from "./replay_guard.ts";

/** Handshakes of strangers that are being opened, or of one kind of people admitted and not confirmed, at once. */
export const MAX_PENDING = 4;
/** Of these with one grant: whoever has an invite can make as many keys as it likes. */
const MAX_PENDING_OF_GRANT = 2;
/** After this a session that neither confirmed nor ended no longer keeps others out. ICE may take half of it. */
export const PENDING_LIMIT_MS = 60_000;
/** Sessions that are known here at once; the agent's own limit is lower. */
const MAX_SESSIONS = 64;
/** Of guests: the agent takes 16, and owners always find four places. */
export const MAX_GUEST_SESSIONS = 12;
/** Tabs of one guest's browser. */
export const MAX_SESSIONS_OF_GUEST = 4;
/** All strangers (security.md 5): one a second, and a household that comes together for the first time. */
const STRANGERS = { capacity: 20, perSecond: 1, atOnce: MAX_PENDING };
/** Refusals that owners read about; the others tell of load and old pages, not of people. */
const REPORTED: readonly RefusalReason[] = [
  "not_paired",
  "claim_used",
  "claim_expired",
  "claim_wrong",
  "grant_invalid",
  "grant_expired",
  "grant_revoked",
  "grant_used",
  "time_unknown",
];

export interface AdmissionsOptions {
  readonly identity: Pick<Identity, "signer" | "sealing">;
  readonly entrance: Entrance;
  readonly passes: Passes;
  readonly live: LiveSessions;
  readonly audit: Audit;
  readonly log: Log;
  /** Milliseconds of a clock that only runs forward. */
  monotonic(): number;
  /** Whether the agent would take one more session. */
  hasRoom(): boolean;
  /** Takes a session over. It must end in `release`. */
  onAdmission(admission: Admission): void;
  /** What `presence` gave is out of date: give the rendezvous a new one. */
  onPresenceChange(): void;
}

/** The browser behind a peer number of the rendezvous, from its offer on. The number may come again for another. */
interface Route {
  /** Undefined while the offer is judged. */
  session: AdmittedSession | undefined;
}

export class Admissions {
  readonly #options: AdmissionsOptions;
  readonly #strangers = new Lane(STRANGERS);
  readonly #replays = new ReplayGuard();
  readonly #routes = new Map<number, Route>();
  readonly #sessions = new Map<AdmittedSession, Route>();
  /** Sessions that did not confirm yet, and since when. */
  readonly #pending = new Map<AdmittedSession, number>();
  #sequence = 0;

  constructor(options: AdmissionsOptions) {
    this.#options = options;
  }

  /** Learns the offers of everybody whom the store knows. Before the first `presence`. */
  async start(): Promise<void> {
    await this.#options.passes.start(this.#replays.nonces);
  }

  /** M0 as of now: register it with the rendezvous. */
  async presence(): Promise<Bytes> {
    const { identity } = this.#options;
    const sealing = identity.sealing[0]!; // there is always a current one
    return await signPresence(identity.signer, {
      sealingKey: sealing.publicKey,
      epoch: sealing.epoch,
      bootNonce: this.#replays.nonces[0]!, // likewise
      sequence: ++this.#sequence,
      minVersion: HANDSHAKE_VERSION,
    });
  }

  /** Takes what a browser sent through the rendezvous: an offer, or a candidate of its session. Never rejects. */
  async receive(peer: number, sealed: Bytes, link: OfferLink): Promise<void> {
    if (sealed[0] === MESSAGE.offer) return await this.#takeOffer(peer, sealed, link);
    try {
      await this.#routes.get(peer)?.session?.takeCandidate(sealed);
    } catch (error) {
      this.#reportDrop(error); // the agent's listener threw
    }
  }

  /** The rendezvous has lost this browser's socket. Its session, if any, lives on without signalling. */
  gone(peer: number): void {
    this.#routes.delete(peer);
  }

  async #takeOffer(peer: number, sealed: Bytes, link: OfferLink): Promise<void> {
    const { log, monotonic, passes } = this.#options;
    const known = passes.known(offerTag(sealed));
    const lane = known?.lane ?? this.#strangers;
    if (!lane.enter(monotonic())) {
      log.debug("admission.limited", { holder: known?.holder });
      return;
    }
    const route: Route = { session: undefined };
    this.#routes.set(peer, route);
    try {
      const handshake = await this.#open(sealed);
      const session = await this.#judge(handshake, {
        known,
        link: this.#guarded(link, { peer, route }),
      });
      if (session && this.#routes.get(peer) === route) this.#hand(session, route);
    } catch (error) {
      this.#reportDrop(error);
    } finally {
      lane.leave();
      if (!route.session) this.#forget(route);
    }
  }

  /** The link, until its browser is gone or makes another offer. */
  #guarded(link: OfferLink, from: { readonly peer: number; readonly route: Route }): OfferLink {
    return {
      iceServers: link.iceServers,
      reply: (sealed) => {
        if (this.#routes.get(from.peer) === from.route) link.reply(sealed);
      },
    };
  }

  #reportDrop(error: unknown): void {
    const { log } = this.#options;
    if (error instanceof HandshakeError) log.debug("admission.dropped", { reason: error.code });
    else log.error("admission.failed", { error: String(error) });
  }

  async #open(offer: Bytes): Promise<DeviceHandshake> {
    const { identity } = this.#options;
    const bootNonces = this.#replays.nonces;
    const own = { device: identity.signer, sealing: identity.sealing, bootNonces };
    return await DeviceHandshake.receive({ offer, ...own });
  }

  /** Admits, or replies with a refusal. */
  async #judge(
    handshake: DeviceHandshake,
    { known, link }: { known: Known | undefined; link: OfferLink },
  ): Promise<AdmittedSession | undefined> {
    const holder = await keyId(handshake.browserPublicKey);
    if (known && known.holder !== toHex(holder)) {
      throw new HandshakeError("malformed", "Cannot accept offer: it bears somebody else's tag");
    }
    const way = await this.#way(handshake, holder);
    if (typeof way !== "string") {
      const pass = await this.#options.passes.pass(handshake.browserPublicKey);
      const owner = this.#sessionOwner;
      return new AdmittedSession(handshake, { holder, way, pass, link, owner });
    }
    this.#reportRefusal(way, { handshake, holder, known });
    link.reply(await handshake.refuse(way));
  }

  #reportRefusal(
    reason: RefusalReason,
    who: { handshake: DeviceHandshake; holder: Bytes; known: Known | undefined },
  ): void {
    const { log, audit } = this.#options;
    const { handshake: { label }, holder, known } = who;
    log.info("admission.refused", { reason, holder: toHex(holder) });
    if (!REPORTED.includes(reason)) return;
    if (known) audit.person("session.refused", { holder, label }, reason);
    else audit.stranger("session.refused", { holder, label }, reason);
  }

  async #way(handshake: DeviceHandshake, holder: Bytes): Promise<Way | RefusalReason> {
    if (handshake.objection) return handshake.objection;
    const nonce = this.#replays.nonces[0];
    if (!this.#replays.admit(handshake)) return "stale";
    if (this.#replays.nonces[0] !== nonce) await this.#changeNonce();
    const way = await this.#options.entrance.judge(handshake, holder);
    return typeof way !== "string" && this.#isBusy(way, toHex(holder)) ? "busy" : way;
  }

  /** The tags of our people are known before anybody can make an offer for the new nonce. */
  async #changeNonce(): Promise<void> {
    await this.#options.passes.follow(this.#replays.nonces);
    this.#options.onPresenceChange();
  }

  #isBusy(way: Way, holder: string): boolean {
    const { monotonic, hasRoom } = this.#options;
    const oldest = monotonic() - PENDING_LIMIT_MS;
    for (const [session, since] of this.#pending) if (since < oldest) this.#pending.delete(session);
    const isOwner = way.kind === "owner";
    const pending = [...this.#pending.keys()].filter((other) =>
      (other.way.kind === "owner") === isOwner
    );
    if (pending.length >= MAX_PENDING || this.#sessions.size >= MAX_SESSIONS || !hasRoom()) {
      return true;
    }
    return way.kind === "guest" && this.#areGuestsMany(way, { holder, pending });
  }

  /** A guest's rate is its own, but for what an invite gives to many keys at once. */
  #areGuestsMany(
    way: Way & { readonly kind: "guest" },
    { holder, pending }: { holder: string; pending: readonly AdmittedSession[] },
  ): boolean {
    const guests = [...this.#sessions.keys()].filter((session) => session.way.kind === "guest");
    const own = guests.filter((session) => session.holder === holder);
    const grant = toHex(way.guest.grant.id);
    const ofGrant = pending.filter((session) => grantOf(session.way) === grant);
    return guests.length >= MAX_GUEST_SESSIONS || own.length >= MAX_SESSIONS_OF_GUEST ||
      ofGrant.length >= MAX_PENDING_OF_GRANT;
  }

  /** Gives the session to the agent. */
  #hand(session: AdmittedSession, route: Route): void {
    const { log, monotonic, onAdmission } = this.#options;
    route.session = session;
    this.#sessions.set(session, route);
    this.#pending.set(session, monotonic());
    log.info("admission.admitted", { session: session.sessionId, holder: session.holder });
    try {
      onAdmission(session);
    } catch (error) {
      this.#released(session);
      throw error;
    }
  }

  readonly #sessionOwner = {
    enter: (session: AdmittedSession) => this.#enter(session),
    entered: (session: AdmittedSession) => this.#entered(session),
    released: (session: AdmittedSession) => this.#released(session),
  };

  /** The browser proved itself in the channel: what it came for becomes lasting, or the session must end. */
  #enter(session: AdmittedSession): Entry {
    if (!this.#sessions.has(session) || !session.confirmation.done) {
      throw new HandshakeError("malformed", "Cannot admit browser: it did not confirm");
    }
    const entry = this.#options.entrance.enter(session);
    this.#pending.delete(session);
    return entry;
  }

  /** From now on it can be ended, and its browser's next offers are known. */
  async #entered(session: AdmittedSession): Promise<void> {
    const { live, passes, log } = this.#options;
    live.add(session);
    try {
      await passes.learn(session.handshake.browserPublicKey);
    } catch (error) {
      log.error("admission.failed", { error: String(error) });
    }
  }

  #released(session: AdmittedSession): void {
    const route = this.#sessions.get(session);
    if (route) this.#forget(route);
    this.#sessions.delete(session);
    this.#pending.delete(session);
    this.#options.live.remove(session);
  }

  #forget(route: Route): void {
    for (const [peer, current] of this.#routes) if (current === route) this.#routes.delete(peer);
  }
}

function grantOf(way: Way): string | undefined {
  return way.kind === "guest" ? toHex(way.guest.grant.id) : undefined;
}
