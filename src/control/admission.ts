/**
 * Admission: who may have a session. Offers come from the rendezvous, which is hostile; each is limited, opened, verified
 * and judged here before anything of WebRTC exists. Whoever is admitted goes to the agent as an `Admission`; whoever is
 * not gets a sealed refusal, or silence where there is nobody to seal to.
 *
 *     offer -- rate, size --> open, one signature --> new? known owner, or open claim? --> Admission
 *                  |                  |                              |
 *                silence           silence                     sealed refusal
 *
 * A session outlives its signalling: when the browser's socket is gone, candidates can no longer pass, and nothing else
 * changes. A session that never confirms is ended by the agent.
 */
import { type Bytes, equalBytes, toHex } from "../lib/bytes.ts";
import type { Log } from "../lib/log.ts";
import { DeviceHandshake, HandshakeError, type RefusalReason } from "../trust/handshake.ts";
import { keyId } from "../trust/key_id.ts";
import { HANDSHAKE_VERSION, MESSAGE } from "../trust/message.ts";
import { signPresence } from "../trust/presence.ts";
import type { Admission, OfferLink, Owners } from "./admission_types.ts";
import { AdmittedSession } from "./admitted_session.ts";
import type { Identity } from "./identity.ts";
import type { Pairing } from "./pairing.ts";
import { ReplayGuard } from "./replay_guard.ts";
import { TokenBucket } from "./token_bucket.ts";

/** Handshakes that are being opened, or admitted and not confirmed, at once (security.md 1.4). */
export const MAX_PENDING = 4;
/** After this a session that neither confirmed nor ended no longer keeps others out. ICE may take half of it. */
export const PENDING_LIMIT_MS = 60_000;
/** Sessions that are known here at once; the agent's own limit is lower. */
const MAX_SESSIONS = 64;
/** Offers, from whomever (security.md 5): one a second, and a household that reconnects together. */
const OFFER_RATE = { capacity: 20, perSecond: 1 };

export interface AdmissionsOptions {
  readonly identity: Identity;
  readonly owners: Owners;
  readonly pairing: Pairing;
  readonly log: Log;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Unix seconds, as good as the board knows. For display only. */
  unixTime(): number;
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
  readonly #bucket = new TokenBucket(OFFER_RATE);
  readonly #replays = new ReplayGuard();
  readonly #routes = new Map<number, Route>();
  readonly #sessions = new Map<AdmittedSession, Route>();
  /** Sessions that did not confirm yet, and since when. */
  readonly #pending = new Map<AdmittedSession, number>();
  #opening = 0;
  #sequence = 0;

  constructor(options: AdmissionsOptions) {
    this.#options = options;
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
    const { log, now } = this.#options;
    if (this.#opening >= MAX_PENDING || !this.#bucket.take(now())) {
      log.debug("admission.limited");
      return;
    }
    const route: Route = { session: undefined };
    this.#routes.set(peer, route);
    this.#opening++;
    try {
      const handshake = await this.#open(sealed);
      const session = await this.#judge(handshake, this.#guarded(link, { peer, route }));
      if (session && this.#routes.get(peer) === route) this.#hand(session, route);
    } catch (error) {
      this.#reportDrop(error);
    } finally {
      this.#opening--;
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
  async #judge(handshake: DeviceHandshake, link: OfferLink): Promise<AdmittedSession | undefined> {
    const holder = await keyId(handshake.browserPublicKey);
    const reason = await this.#refusal(handshake, holder);
    if (reason === undefined) {
      return new AdmittedSession(handshake, { holder, link, owner: this.#sessionOwner });
    }
    this.#options.log.info("admission.refused", { reason, holder: toHex(holder) });
    link.reply(await handshake.refuse(reason));
  }

  async #refusal(handshake: DeviceHandshake, holder: Bytes): Promise<RefusalReason | undefined> {
    if (handshake.objection) return handshake.objection;
    const nonce = this.#replays.nonces[0];
    if (!this.#replays.admit(handshake)) return "stale";
    if (this.#replays.nonces[0] !== nonce) this.#options.onPresenceChange();
    if (!this.#isOwner(handshake, holder)) {
      const reason = await this.#claimRefusal(handshake);
      if (reason) return reason;
    }
    return this.#isBusy() ? "busy" : undefined;
  }

  async #claimRefusal(handshake: DeviceHandshake): Promise<RefusalReason | undefined> {
    const { pairing, owners, now } = this.#options;
    const { claim } = handshake;
    if (claim && owners.isConsumed(claim.id)) return "claim_used";
    return await pairing.refusal(handshake, now());
  }

  #isOwner(handshake: DeviceHandshake, holder: Bytes): boolean {
    const owner = this.#options.owners.owner(holder);
    return owner !== undefined && equalBytes(owner.publicKey, handshake.browserPublicKey);
  }

  #isBusy(): boolean {
    const oldest = this.#options.now() - PENDING_LIMIT_MS;
    for (const [session, since] of this.#pending) if (since < oldest) this.#pending.delete(session);
    return this.#pending.size >= MAX_PENDING || this.#sessions.size >= MAX_SESSIONS ||
      !this.#options.hasRoom();
  }

  /** Gives the session to the agent. */
  #hand(session: AdmittedSession, route: Route): void {
    const { log, now, onAdmission } = this.#options;
    route.session = session;
    this.#sessions.set(session, route);
    this.#pending.set(session, now());
    log.info("admission.admitted", { session: session.sessionId, holder: session.holder });
    try {
      onAdmission(session);
    } catch (error) {
      this.#released(session);
      throw error;
    }
  }

  readonly #sessionOwner = {
    confirmed: (session: AdmittedSession) => this.#confirmed(session),
    released: (session: AdmittedSession) => this.#released(session),
  };

  /** The browser proved itself in the channel: what it came for becomes lasting, or the session must end. */
  #confirmed(session: AdmittedSession): void {
    const { handshake } = session;
    if (!this.#sessions.has(session) || !session.confirmation.done) {
      throw new HandshakeError("malformed", "Cannot admit browser: it did not confirm");
    }
    const holder = session.holderId;
    if (!this.#isOwner(handshake, holder)) this.#makeOwner(handshake, holder);
    this.#pending.delete(session);
  }

  /** Synchronous from the test of the window to the commit: of two browsers with one claim, one comes first. */
  #makeOwner(handshake: DeviceHandshake, holder: Bytes): void {
    const { pairing, owners, now, unixTime, log } = this.#options;
    const { claim, browserPublicKey, label } = handshake;
    if (claim === undefined) {
      throw new HandshakeError("not_paired", "Cannot admit browser: it is no owner any more");
    }
    const refusal = pairing.refusalOf(claim.id, now());
    if (refusal) throw new HandshakeError(refusal, `Cannot admit browser: ${refusal}`);
    const owner = { keyId: holder, publicKey: browserPublicKey, label, createdAt: unixTime() };
    const result = owners.consumeClaimAndAddOwner(claim.id, owner);
    pairing.consume(claim.id);
    if (result === "already_used") {
      throw new HandshakeError("claim_used", "Cannot admit browser: its claim was used meanwhile");
    }
    log.info("owner.added", { holder: toHex(holder), label });
  }

  #released(session: AdmittedSession): void {
    const route = this.#sessions.get(session);
    if (route) this.#forget(route);
    this.#sessions.delete(session);
    this.#pending.delete(session);
  }

  #forget(route: Route): void {
    for (const [peer, current] of this.#routes) if (current === route) this.#routes.delete(peer);
  }
}
