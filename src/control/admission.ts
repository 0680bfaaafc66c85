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
 * changes. Its browser may come back by any socket and ask for another path (M5): the message names the session. A session that never confirms is ended by the agent. Not here: by what right somebody comes (`entrance.ts`),
 * and who gives way when many come (`places.ts`).
 */
import { type Bytes, toHex } from "../lib/bytes.ts";
import type { Log } from "../lib/log.ts";
import { DeviceHandshake, HandshakeError, type RefusalReason } from "../trust/handshake.ts";
import { keyId } from "../trust/key_id.ts";
import { HANDSHAKE_VERSION, MESSAGE } from "../trust/message.ts";
import { offerTag } from "../trust/offer.ts";
import { signPresence } from "../trust/presence.ts";
import { restartSession } from "../trust/restart.ts";
import type { Admission, OfferLink } from "./admission_types.ts";
import { AdmittedSession } from "./admitted_session.ts";
import type { Audit } from "./audit.ts";
import type { Entrance, Entry, Way } from "./entrance.ts";
import type { Identity } from "./identity.ts";
import { Lane } from "./lane.ts";
import type { LiveSessions } from "./live_sessions.ts";
import type { Known, Passes } from "./passes.ts";
import { Places } from "./places.ts";
import { ReplayGuard } from "./replay_guard.ts";

/** Handshakes of strangers that are being opened at once. */
export const MAX_OPENING = 4;
/** All strangers (security.md 5): one a second, and a household that comes together for the first time. */
const STRANGERS = { capacity: 20, perSecond: 1, atOnce: MAX_OPENING };
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

/** What owners read of somebody who was admitted and did not confirm. */
const UNPROVED = "no_proof";

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
  readonly #places: Places<AdmittedSession>;
  #sequence = 0;

  constructor(options: AdmissionsOptions) {
    this.#options = options;
    const { monotonic, hasRoom, live } = options;
    const dismiss = (session: AdmittedSession) => live.end(session, "limit");
    this.#places = new Places({ monotonic, hasRoom, dismiss });
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

  /**
   * Takes what a browser sent through the rendezvous: an offer, a candidate of its session, or a wish for another path.
   * Never rejects.
   */
  async receive(peer: number, sealed: Bytes, link: OfferLink): Promise<void> {
    if (sealed[0] === MESSAGE.offer) return await this.#takeOffer(peer, sealed, link);
    try {
      if (sealed[0] === MESSAGE.restart) return await this.#takeRestart(peer, sealed, link);
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
      if (session) await this.#seat(session, { peer, route });
    } catch (error) {
      this.#reportDrop(error);
    } finally {
      lane.leave();
      if (!route.session) this.#forget(route);
    }
  }

  /** Of a session that is over, or a stranger's guess, nothing is said: there is nobody to seal to. */
  async #takeRestart(peer: number, sealed: Bytes, link: OfferLink): Promise<void> {
    const { monotonic, live } = this.#options;
    const sessionId = restartSession(sealed);
    const session = [...this.#places.all()].find((one) => one.sessionId === sessionId);
    const message = await session?.openRestart(sealed, monotonic());
    if (session === undefined || message === undefined) return;
    const code = session.verdict();
    if (code !== undefined) return live.end(session, code);
    const known = this.#routes.get(peer);
    const route = known?.session === session ? known : { session };
    this.#routes.set(peer, route);
    session.takeRestart(message, this.#guarded(link, { peer, route }));
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
    return await this.#options.entrance.judge(handshake, holder);
  }

  /** Browsers choose the id, and could choose another's: under another nonce it is no replay. */
  #isTaken(sessionId: string): boolean {
    return [...this.#places.all()].some((session) => session.sessionId === sessionId);
  }

  /** The tags of our people are known before anybody can make an offer for the new nonce. */
  async #changeNonce(): Promise<void> {
    await this.#options.passes.follow(this.#replays.nonces);
    this.#options.onPresenceChange();
  }

  /** Gives the session a place, if need be somebody else's, or says why there is none. */
  async #seat(session: AdmittedSession, from: { peer: number; route: Route }): Promise<void> {
    for (;;) {
      if (this.#routes.get(from.peer) !== from.route) return;
      if (this.#isTaken(session.sessionId)) return await this.#turnAway(session, "stale");
      const turn = this.#places.turn(session);
      if (turn.kind === "free") return this.#hand(session, from.route);
      const hasLeft = turn.kind === "taken" && await this.#places.vacate(turn.by);
      if (!hasLeft) return await this.#turnAway(session, "busy");
    }
  }

  async #turnAway(session: AdmittedSession, reason: RefusalReason): Promise<void> {
    this.#options.log.info("admission.refused", { reason, holder: session.holder });
    await session.refuse(reason);
  }

  /** Gives the session to the agent. */
  #hand(session: AdmittedSession, route: Route): void {
    const { log, onAdmission } = this.#options;
    route.session = session;
    this.#places.take(session);
    log.info("admission.admitted", { session: session.sessionId, holder: session.holder });
    try {
      onAdmission(session);
    } catch (error) {
      route.session = undefined;
      this.#places.leave(session);
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
    const { live, entrance } = this.#options;
    if (!this.#places.has(session) || !session.confirmation.done) {
      throw new HandshakeError("malformed", "Cannot admit browser: it did not confirm");
    }
    if (live.find(session.sessionId)) {
      throw new HandshakeError("stale", "Cannot admit browser: its session's id is taken");
    }
    const entry = entrance.enter(session);
    this.#places.prove(session);
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
    for (const [peer, { session: other }] of this.#routes) {
      if (other === session) this.#routes.delete(peer);
    }
    if (this.#places.has(session) && !session.hasEntered) this.#reportUnproved(session);
    this.#places.leave(session);
    this.#options.live.remove(session);
  }

  /** It was judged well, and then nobody proved to be there: a key without its browser, or a path that never came up. */
  #reportUnproved({ holderId: holder, label, way }: AdmittedSession): void {
    const { audit } = this.#options;
    const actor = { holder, label, ...(way.kind === "guest" && { grant: way.guest.grant.id }) };
    if (way.kind === "owner") audit.person("session.refused", actor, UNPROVED);
    else audit.stranger("session.refused", actor, UNPROVED);
  }

  #forget(route: Route): void {
    for (const [peer, current] of this.#routes) if (current === route) this.#routes.delete(peer);
  }
}
