/**
 * One browser's session, device side: from a verified offer to its end. It owns the peer connection and channel 0, brings
 * both proofs about, and has one exit. What exists only after the proofs is in `live_session.ts`.
 *
 *   answering -> connecting -> confirming -> live -> over
 *       \____________\_____________\_________________/        any failure, limit or close
 *
 * Nothing but channel 0 exists before both proofs hold (security.md 1.4, M4). Not here: who may have a session
 * (control/), what services and cameras are (upstream/, camera/), and WebRTC itself (webrtc/).
 */
import type { Bytes } from "../lib/bytes.ts";
import type { Log } from "../lib/log.ts";
import { BYE_CODES, type ByeCode, type ControlMessage } from "../protocol/control.ts";
import { offerSdp, readTransport, type TransportFields } from "../protocol/sdp.ts";
import { orAborted } from "./aborted.ts";
import { ControlChannel } from "./control_channel.ts";
import { ANSWER_LIMIT_MS, CONFIRM_LIMIT_MS, CONNECT_LIMIT_MS } from "./limits.ts";
import { LiveSession } from "./live_session.ts";
import type { Admission, Cameras, CreatePeer, Peer, PeerState, Services } from "./seams.ts";
import { asEnd, errorName, SessionEnd } from "./session_end.ts";
import { Trickle } from "./trickle.ts";

/** What every session of this device shares. */
export interface SessionParts {
  readonly name: string;
  readonly createPeer: CreatePeer;
  readonly services: Services;
  readonly cameras: Cameras;
  readonly log: Log;
  /** A session's path went silent: what else of this machine's network may be dead? Must not throw. */
  readonly pathLost?: () => void;
  /** How long a session may be without any path, in ms; `PATH_LIMIT_MS` unless a test says less. */
  readonly pathLimitMs?: number;
}

type State =
  | { readonly phase: "answering" }
  | { readonly phase: "connecting" }
  | { readonly phase: "confirming" }
  | { readonly phase: "live"; readonly live: LiveSession }
  | { readonly phase: "over"; readonly reason: string };

/** See the head of this file. */
export class Session {
  readonly #admission: Admission;
  readonly #parts: SessionParts;
  readonly #startedAt = performance.now();
  readonly #ending = new AbortController();
  readonly #challenged = Promise.withResolvers<void>();
  readonly #proven = Promise.withResolvers<void>();
  #state: State = { phase: "answering" };
  #peer!: Peer;
  #control!: ControlChannel;

  constructor(admission: Admission, parts: SessionParts) {
    this.#admission = admission;
    this.#parts = parts;
  }

  /** Runs until the session is over, whatever ends it, and lets go of everything. Never rejects. */
  async run(): Promise<void> {
    let reason = "closed";
    const { ended } = this.#admission;
    const cut = () => this.#end(endedByControl(ended.reason));
    ended.addEventListener("abort", cut, { once: true });
    if (ended.aborted) cut();
    try {
      await this.#establish();
      await orAborted(new Promise<never>(() => {}), this.#ending.signal); // until something ends it
    } catch (error) {
      const { code, message } = asEnd(error);
      reason = message;
      this.#control?.send({ type: "bye", code });
    } finally {
      ended.removeEventListener("abort", cut);
      await this.#release(reason);
    }
  }

  /** Requests and WebSockets that are open. */
  get streams(): number {
    return this.#state.phase === "live" ? this.#state.live.streams : 0;
  }

  /** Asks the session to end; `run` returns when it has. */
  close(code: ByeCode, reason: string): void {
    this.#end(new SessionEnd(code, reason));
  }

  /* ---- the way up --------------------------------------------------------------------------------------- */

  async #establish(): Promise<void> {
    const send = (candidate: string) => this.#admission.sendCandidate(candidate);
    const trickle = new Trickle(send, this.#log);
    this.#peer = await this.#parts.createPeer({
      iceServers: this.#admission.iceServers,
      handlers: {
        candidate: (candidate) => trickle.add(candidate),
        state: (state) => this.#peerState(state),
        keyFrameWanted: (mid) => this.#keyFrameWanted(mid),
      },
    });
    this.#ending.signal.throwIfAborted(); // no answer leaves for a session that control ended already
    this.#control = this.#openControl();
    const { fingerprint } = await this.#within(
      ANSWER_LIMIT_MS,
      this.#answer(),
      "no answer was made",
    );
    trickle.start();
    this.#set({ phase: "connecting" });
    await this.#within(CONNECT_LIMIT_MS, this.#control.opened, "no connection came about");
    await this.#within(CONFIRM_LIMIT_MS, this.#confirm(fingerprint), "no proof came");
    this.#ending.signal.throwIfAborted(); // it may have ended in the same turn
    this.#goLive();
  }

  #openControl(): ControlChannel {
    const control = new ControlChannel(this.#peer.channel(0, "control"), {
      message: (message) => this.#take(message),
      ended: (error) => this.#end(asEnd(error)),
    });
    control.start();
    return control;
  }

  async #answer(): Promise<TransportFields> {
    const { remote, remoteCandidates } = this.#admission;
    const answer = await this.#peer.answer(offerSdp({ transport: remote, media: [] }));
    this.#admission.onCandidate((candidate) => this.#addCandidate(candidate));
    for (const candidate of remoteCandidates) this.#addCandidate(candidate);
    const local = readTransport(answer);
    await this.#admission.answer(local);
    return local;
  }

  #addCandidate(candidate: string): void {
    this.#peer.addCandidate(candidate).catch((error: unknown) => {
      this.#log.debug("session.candidate_refused", { reason: errorName(error) });
    });
  }

  async #confirm(local: Bytes): Promise<void> {
    const remote = this.#peer.seenFingerprint();
    if (remote === undefined) {
      throw new SessionEnd("refused", "the other end showed no certificate");
    }
    this.#set({ phase: "confirming" });
    const bytes = await this.#admission.confirmation.start({ local, remote });
    this.#control.send({ type: "confirm", bytes });
    this.#challenged.resolve();
    await this.#proven.promise;
    this.#ending.signal.throwIfAborted(); // nothing becomes lasting for a session that ends
    await this.#admission.confirmed();
  }

  #goLive(): void {
    const live = new LiveSession({
      admission: this.#admission,
      parts: this.#parts,
      peer: this.#peer,
      send: (message) => this.#control.send(message),
      end: (reason) => this.#end(reason),
    });
    this.#set({ phase: "live", live });
    live.start();
  }

  /* ---- messages ----------------------------------------------------------------------------------------- */

  async #take(message: ControlMessage): Promise<void> {
    if (this.#ending.signal.aborted) return; // it came too late to count
    if (message.type === "confirm") return await this.#takeProof(message.bytes);
    if (this.#state.phase !== "live") {
      throw new SessionEnd("protocol", `"${message.type}" came before the proof`);
    }
    await this.#state.live.take(message);
  }

  /** The browser's first message may be here before ours has left. */
  async #takeProof(bytes: Bytes): Promise<void> {
    await this.#challenged.promise;
    const { confirmation } = this.#admission;
    const next = await confirmation.receive(bytes);
    if (next !== undefined) this.#control.send({ type: "confirm", bytes: next });
    if (confirmation.done) this.#proven.resolve();
  }

  #peerState(state: PeerState): void {
    if (state === "failed") this.#end(new SessionEnd("closed", "the path was lost"));
    if (state === "closed") this.#end(new SessionEnd("closed", "the connection closed"));
  }

  #keyFrameWanted(mid: string): void {
    if (this.#state.phase === "live") this.#state.live.keyFrameWanted(mid);
  }

  /* ---- the way down ------------------------------------------------------------------------------------- */

  #end(reason: SessionEnd): void {
    this.#ending.abort(reason);
  }

  /** Side by side: a service that does not let go must not keep the connection open. */
  async #release(reason: string): Promise<void> {
    const state = this.#state;
    this.#set({ phase: "over", reason });
    const disconnected = this.#disconnect();
    const released = state.phase === "live" ? state.live.close() : undefined;
    for (const ending of await Promise.allSettled([disconnected, released])) {
      if (ending.status === "fulfilled") continue;
      this.#log.error("session.release_failed", { reason: errorName(ending.reason) });
    }
    this.#admission.release();
  }

  /** The goodbye first. */
  async #disconnect(): Promise<void> {
    await this.#control?.close();
    await this.#peer?.close();
  }

  /** Waits for something, at most so long, and not beyond the session's end. */
  async #within<T>(limit: number, wanted: Promise<T>, otherwise: string): Promise<T> {
    const late = () => this.#end(new SessionEnd("limit", `${otherwise} within ${limit / 1000} s`));
    const timer = setTimeout(late, limit);
    try {
      return await orAborted(wanted, this.#ending.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  #set(state: State): void {
    const fields = { session: this.#admission.sessionId, holder: this.#admission.holder };
    if (state.phase === "live") {
      this.#log.info("session.live", {
        ...fields,
        ms: Math.round(performance.now() - this.#startedAt),
      });
    }
    if (state.phase === "over") {
      this.#log.info("session.over", { ...fields, from: this.#state.phase, reason: state.reason });
    }
    this.#state = state;
  }

  get #log(): Log {
    return this.#parts.log;
  }
}

function endedByControl(reason: unknown): SessionEnd {
  const code = BYE_CODES.find((known) => known === reason) ?? "refused";
  return new SessionEnd(code, `the device ended it: ${code}`);
}
