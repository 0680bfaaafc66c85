/**
 * One browser's session, device side: from a verified offer to the last stream. It owns the peer connection, both
 * channels, the streams and the cameras that are watched, and has one exit.
 *
 *   answering -> connecting -> confirming -> live -> over
 *       \____________\_____________\_________________/        any failure, limit or close
 *
 * Nothing but channel 0 exists before both proofs hold (security.md 1.4, M4). Not here: who may have a session
 * (control/), what services and cameras are (upstream/, camera/), and WebRTC itself (webrtc/).
 */
import type { Bytes } from "../lib/bytes.ts";
import type { Log } from "../lib/log.ts";
import type { ByeCode, ControlMessage } from "../protocol/control.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { offerSdp, readTransport, type TransportFields } from "../protocol/sdp.ts";
import { orAborted } from "./aborted.ts";
import { ControlChannel } from "./control_channel.ts";
import { ANSWER_LIMIT_MS, CONFIRM_LIMIT_MS, CONNECT_LIMIT_MS, SILENCE_LIMIT_MS } from "./limits.ts";
import type { Admission, Cameras, CreatePeer, Peer, PeerState, Services } from "./seams.ts";
import { Streams } from "./streams.ts";
import { LOOK_MS, Supervisor } from "./supervisor.ts";
import { Viewing } from "./viewing.ts";

/** What every session of this device shares. */
export interface SessionParts {
  readonly name: string;
  readonly createPeer: CreatePeer;
  readonly services: Services;
  readonly cameras: Cameras;
  readonly log: Log;
}

type State =
  | { readonly phase: "answering" }
  | { readonly phase: "connecting" }
  | { readonly phase: "confirming" }
  | { readonly phase: "live"; readonly streams: Streams }
  | { readonly phase: "over"; readonly reason: string };

/** Why a session ended by itself, with the code that the browser is told if it can still hear. */
class SessionEnd extends Error {
  override name = "SessionEnd";
  constructor(readonly code: ByeCode, reason: string, options?: ErrorOptions) {
    super(reason, options);
  }
}

/** See the head of this file. */
export class Session {
  readonly #admission: Admission;
  readonly #parts: SessionParts;
  readonly #startedAt = performance.now();
  readonly #ending = new AbortController();
  readonly #challenged = Promise.withResolvers<void>();
  readonly #proven = Promise.withResolvers<void>();
  #state: State = { phase: "answering" };
  #silence: ReturnType<typeof setTimeout> | undefined;
  #looking: ReturnType<typeof setInterval> | undefined;
  #peer!: Peer;
  #control!: ControlChannel;
  #viewing!: Viewing;

  constructor(admission: Admission, parts: SessionParts) {
    this.#admission = admission;
    this.#parts = parts;
  }

  /** Runs until the session is over, whatever ends it, and lets go of everything. Never rejects. */
  async run(): Promise<void> {
    let reason = "closed";
    try {
      await this.#establish();
      await orAborted(new Promise<never>(() => {}), this.#ending.signal); // until something ends it
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
      this.#sayGoodbye(error);
    } finally {
      await this.#release(reason);
    }
  }

  /** Asks the session to end; `run` returns when it has. */
  close(code: ByeCode, reason: string): void {
    this.#end(new SessionEnd(code, reason));
  }

  /* ---- the way up --------------------------------------------------------------------------------------- */

  async #establish(): Promise<void> {
    const trickle = this.#trickle();
    this.#peer = await this.#parts.createPeer({
      iceServers: this.#admission.iceServers,
      handlers: {
        candidate: trickle.add,
        state: (state) => this.#peerState(state),
        keyFrameWanted: (mid) => this.#viewing.keyFrameWanted(mid),
      },
    });
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
    this.#goLive();
  }

  #openControl(): ControlChannel {
    const control = new ControlChannel(this.#peer.channel(0, "control"), {
      message: (message) => this.#take(message),
      ended: (error) => this.#end(asEnd(error)),
    });
    control.start();
    this.#viewing = new Viewing({
      cameras: this.#parts.cameras,
      peer: this.#peer,
      remote: this.#admission.remote,
      send: (message) => control.send(message),
      log: this.#log,
    });
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

  /** Our candidates leave in order, and none before the answer that makes them readable. */
  #trickle(): { add(candidate: string): void; start(): void } {
    const answered = Promise.withResolvers<void>();
    let sending = answered.promise;
    const add = (candidate: string) => {
      sending = sending
        .then(() => this.#admission.sendCandidate(candidate))
        .catch((error: unknown) =>
          this.#log.debug("session.candidate_lost", { reason: errorName(error) })
        );
    };
    return { add, start: answered.resolve };
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
    await this.#admission.confirmed();
  }

  #goLive(): void {
    const { services, cameras, name, log } = this.#parts;
    const streams = new Streams(this.#peer.channel(1, "bulk"), {
      services,
      log,
      closed: (reason) =>
        this.#end(new SessionEnd(reason === "protocol" ? "protocol" : "closed", reason)),
    });
    streams.start();
    this.#set({ phase: "live", streams });
    this.#control.send({ type: "hello", name, services: services.list(), cameras: cameras.list() });
    this.#heard();
    this.#supervise();
  }

  /** From now on a dead path ends the session, whatever the connection says of itself. */
  #supervise(): void {
    const supervisor = new Supervisor();
    this.#looking = setInterval(() => {
      const step = supervisor.look(performance.now(), this.#peer.heardAt());
      if (step === "lost") this.#end(new SessionEnd("closed", "the path went silent"));
      else if (step !== "wait") this.#control.send({ type: "ping", id: step.ping });
    }, LOOK_MS);
  }

  /* ---- messages ----------------------------------------------------------------------------------------- */

  async #take(message: ControlMessage): Promise<void> {
    if (message.type === "confirm") return await this.#takeProof(message.bytes);
    if (this.#state.phase !== "live") {
      throw new SessionEnd("protocol", `"${message.type}" came before the proof`);
    }
    this.#heard();
    switch (message.type) {
      case "ping":
        return this.#control.send({ type: "pong", id: message.id });
      case "camera-start":
        return this.#viewing.start(message.camera);
      case "camera-stop":
        return this.#viewing.stop(message.camera);
      case "media-offer": {
        const media = await this.#viewing.answer(message.media);
        return this.#control.send({ type: "media-answer", id: message.id, media });
      }
      case "media-applied":
        return this.#viewing.applied();
      case "bye":
        throw new SessionEnd("closed", "the browser said goodbye");
      case "pong":
        return;
      default:
        throw new SessionEnd("protocol", `"${message.type}" is not for an agent`);
    }
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

  /** Some message came: the browser is alive. */
  #heard(): void {
    clearTimeout(this.#silence);
    const silent = () => this.#end(new SessionEnd("closed", "the browser fell silent"));
    this.#silence = setTimeout(silent, SILENCE_LIMIT_MS);
  }

  /* ---- the way down ------------------------------------------------------------------------------------- */

  #end(reason: SessionEnd): void {
    this.#ending.abort(reason);
  }

  #sayGoodbye(error: unknown): void {
    const code = error instanceof SessionEnd ? error.code : "refused";
    this.#control?.send({ type: "bye", code });
  }

  async #release(reason: string): Promise<void> {
    clearTimeout(this.#silence);
    clearInterval(this.#looking);
    const state = this.#state;
    this.#set({ phase: "over", reason });
    this.#control?.close();
    try {
      this.#viewing?.close();
      if (state.phase === "live") await state.streams.close();
      await this.#peer?.close();
    } catch (error) {
      this.#log.error("session.release_failed", { reason: errorName(error) });
    } finally {
      this.#admission.release();
    }
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

function asEnd(error: unknown): SessionEnd {
  if (error instanceof SessionEnd) return error;
  if (error === undefined) return new SessionEnd("closed", "the control channel closed");
  const code = error instanceof ProtocolError ? "protocol" : "refused";
  return new SessionEnd(code, error instanceof Error ? error.message : "unknown", { cause: error });
}

/** Errors about candidates and descriptions may quote them: only their kind goes into a log. */
function errorName(error: unknown): string {
  return error instanceof Error ? error.name : "unknown";
}
