/**
 * One admitted offer, from its answer to its end: what the agent holds while it sets up and runs the session. It decides
 * nothing itself; `confirmed` and `release` go back to `Admissions`, and what the session may do stands in its Entry.
 */
import { type Bytes, toHex } from "../lib/bytes.ts";
import type { ByeCode } from "../protocol/control.ts";
import type { TransportFields } from "../protocol/sdp.ts";
import type { IceServerEntry } from "../protocol/signal.ts";
import type {
  Confirmation,
  DeviceHandshake,
  RefusalReason,
  RestartMessage,
} from "../trust/handshake.ts";
import { MAX_TRICKLED_CANDIDATES } from "../trust/trickle.ts";
import type {
  Admission,
  Greeting,
  OfferLink,
  OwnerDesk,
  SessionAccess,
  Use,
} from "./admission_types.ts";
import type { Candidate, Entry, Way } from "./entrance.ts";
import type { ConnectedSession } from "./live_sessions.ts";
import { TokenBucket } from "./token_bucket.ts";

/** Sealed candidates that are tried at all: strangers can send junk, and trying costs. */
const MAX_TRIED = 2 * MAX_TRICKLED_CANDIDATES;

/** Messages about another path that are tried: a restart has some twenty, and whoever saw one can repeat it. */
const RESTART_MESSAGES = { capacity: 100, perSecond: 5 };
/** Restarts: each costs sockets and questions to servers. A browser that finds no path asks every few seconds. */
const RESTARTS = { capacity: 8, perSecond: 0.25 };

/** What `Admissions` does for a session. */
export interface SessionOwner {
  /** Throws if the browser may not come in. */
  enter(session: AdmittedSession): Entry;
  /** Never rejects. */
  entered(session: AdmittedSession): Promise<void>;
  released(session: AdmittedSession): void;
}

/** What is known of an offer once it was judged. */
export interface Judged {
  readonly holder: Bytes;
  readonly way: Way;
  readonly pass: Bytes;
  readonly link: OfferLink;
  readonly owner: SessionOwner;
}

type State =
  | { readonly kind: "admitted" }
  | { readonly kind: "entered"; readonly entry: Entry }
  | { readonly kind: "over"; readonly entry: Entry | undefined };

export class AdmittedSession implements Admission, Candidate, ConnectedSession {
  readonly sessionId: string;
  readonly holder: string;
  readonly holderId: Bytes;
  readonly handshake: DeviceHandshake;
  readonly way: Way;
  readonly pass: Bytes;
  /** That of the newest authentic message: a restart may come through another socket. */
  #link: OfferLink;
  readonly #owner: SessionOwner;
  readonly #ending = new AbortController();
  /** Candidates that came before anybody listened: bounded by `MAX_TRICKLED_CANDIDATES`. */
  readonly #waiting: string[] = [];
  #state: State = { kind: "admitted" };
  #listener: ((candidate: string) => void) | undefined;
  #restartListener: ((message: RestartMessage) => void) | undefined;
  readonly #restartMessages = new TokenBucket(RESTART_MESSAGES);
  readonly #restarts = new TokenBucket(RESTARTS);
  #checkNumber = "";
  #tried = 0;
  #sent = 0;

  constructor(handshake: DeviceHandshake, judged: Judged) {
    this.handshake = handshake;
    this.sessionId = toHex(handshake.sessionId);
    this.holderId = judged.holder;
    this.holder = toHex(judged.holder);
    this.way = judged.way;
    this.pass = judged.pass;
    this.#link = judged.link;
    this.#owner = judged.owner;
  }

  /** The whole key, and a guest's grant: with another grant, or as an owner, the same browser begins anew. */
  get account(): string {
    const key = toHex(this.handshake.browserPublicKey);
    return this.way.kind === "guest" ? `${key} ${toHex(this.way.guest.grant.id)}` : key;
  }

  /* ---- signalling ------------------------------------------------------------------------------------------ */

  get remote(): TransportFields {
    return this.handshake.remote;
  }

  get remoteCandidates(): readonly string[] {
    return this.handshake.candidates;
  }

  get iceServers(): readonly IceServerEntry[] {
    return this.#link.iceServers;
  }

  get confirmation(): Confirmation {
    return this.handshake.confirmation();
  }

  /** Six digits that the browser shows too; empty before the answer. */
  get checkNumber(): string {
    return this.#checkNumber;
  }

  async answer(local: TransportFields): Promise<void> {
    const answer = await this.handshake.answer(local);
    this.#checkNumber = await this.handshake.checkNumber();
    this.#link.reply(answer);
  }

  /** There is no place for it after all. Instead of an answer. */
  async refuse(reason: RefusalReason): Promise<void> {
    this.#link.reply(await this.handshake.refuse(reason));
  }

  /** Leaves out what is beyond the 64 that a browser takes: the best ones come first. */
  async sendCandidate(candidate: string): Promise<void> {
    if (this.#sent++ >= MAX_TRICKLED_CANDIDATES) return;
    this.#link.reply(await this.handshake.sealCandidate(candidate));
  }

  onCandidate(listener: (candidate: string) => void): void {
    this.#listener = listener;
    for (const candidate of this.#waiting.splice(0)) listener(candidate);
  }

  /** Takes a sealed candidate. What is none of this browser's, in its turn, is dropped: anyone may have sent it. */
  async takeCandidate(sealed: Bytes): Promise<void> {
    if (this.#tried++ >= MAX_TRIED) return;
    let candidate: string;
    try {
      candidate = await this.handshake.openCandidate(sealed);
    } catch {
      return; // not the browser's, or not its turn: see above
    }
    if (this.#listener) this.#listener(candidate);
    else this.#waiting.push(candidate);
  }

  async sendRestart(message: RestartMessage): Promise<void> {
    const sealed = await this.handshake.restarts().seal(message);
    this.#link.reply(sealed);
  }

  onRestart(listener: (message: RestartMessage) => void): void {
    this.#restartListener = listener;
  }

  /** Opens a message about another path; undefined for what is none of this browser's, or too much. */
  async openRestart(sealed: Bytes, now: number): Promise<RestartMessage | undefined> {
    if (this.#state.kind !== "entered" || !this.#restartMessages.take(now)) return undefined;
    let message: RestartMessage;
    try {
      message = await this.handshake.restarts().open(sealed);
    } catch {
      return undefined; // anyone may have sent it
    }
    const isTooOften = message.kind === "credentials" && !this.#restarts.take(now);
    return isTooOften ? undefined : message;
  }

  /** Passes an opened message on; from now on the browser is behind this link. */
  takeRestart(message: RestartMessage, link: OfferLink): void {
    if (this.#state.kind !== "entered") return; // it ended meanwhile
    this.#link = link;
    this.#restartListener?.(message);
  }

  /* ---- the way in, and out --------------------------------------------------------------------------------- */

  async confirmed(): Promise<void> {
    const entry = this.#owner.enter(this);
    this.#state = { kind: "entered", entry };
    await this.#owner.entered(this);
  }

  release(): void {
    this.#over();
    this.#listener = undefined;
    this.#restartListener = undefined;
    this.#owner.released(this);
  }

  /** Whether its browser proved itself and came in, now or once. */
  get hasEntered(): boolean {
    return this.#state.kind !== "admitted" && this.#state.entry !== undefined;
  }

  get ended(): AbortSignal {
    return this.#ending.signal;
  }

  /** Control ends the session; the agent sees it and releases it. */
  end(code: ByeCode): void {
    this.#over(code);
    this.#ending.abort(code);
  }

  #over(code?: ByeCode): void {
    const before = this.#state;
    if (before.kind === "over") return;
    const entry = before.kind === "entered" ? before.entry : undefined;
    this.#state = { kind: "over", entry };
    entry?.close(code);
  }

  /* ---- what the session may do ------------------------------------------------------------------------------ */

  get access(): SessionAccess {
    return this.#entry().access;
  }

  get desk(): OwnerDesk | undefined {
    return this.#entry().desk;
  }

  greeting(): Greeting {
    return this.#entry().greeting();
  }

  used(use: Use): void {
    if (this.#state.kind === "entered") this.#state.entry.used(use);
  }

  /* ---- as others see it ------------------------------------------------------------------------------------- */

  get label(): string {
    return this.handshake.label;
  }

  get role(): "owner" | "guest" {
    return this.access.role;
  }

  get grant(): string | undefined {
    return this.#entry().grant;
  }

  get since(): number {
    return this.#entry().since;
  }

  verdict(): ByeCode | undefined {
    return this.#entry().verdict();
  }

  #entry(): Entry {
    const state = this.#state;
    if (state.kind !== "admitted" && state.entry) return state.entry;
    throw new Error("Cannot say what the session may do: it did not confirm");
  }
}
