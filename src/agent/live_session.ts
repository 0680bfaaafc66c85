/**
 * The part of a session that exists only once both proofs hold: channel 1 and its streams, cameras that are watched,
 * an owner's questions, and the watch over the path. Everything here sees services and cameras through the session's
 * scope. It reports what should end the session, and is closed by it.
 *
 *   channel 0 --> take --> Viewing | OwnerRelay          channel 1 --> Streams --> scope --> services
 */
import type { ControlMessage } from "../protocol/control.ts";
import { helloOf } from "./hello.ts";
import { SILENCE_LIMIT_MS } from "./limits.ts";
import { OwnerRelay } from "./owner_relay.ts";
import { Restarts } from "./restarts.ts";
import { camerasWithin, servicesWithin } from "./scope.ts";
import type { Admission, Cameras, Peer, Services } from "./seams.ts";
import type { SessionParts } from "./session.ts";
import { SessionEnd } from "./session_end.ts";
import { Streams } from "./streams.ts";
import { LOOK_MS, Supervisor } from "./supervisor.ts";
import { Uses } from "./uses.ts";
import { Viewing } from "./viewing.ts";

export interface LiveSessionOptions {
  /** Confirmed. */
  readonly admission: Admission;
  readonly parts: SessionParts;
  readonly peer: Peer;
  readonly send: (message: ControlMessage) => void;
  readonly end: (reason: SessionEnd) => void;
}

/** See the head of this file. */
export class LiveSession {
  readonly #options: LiveSessionOptions;
  readonly #services: Services;
  readonly #cameras: Cameras;
  readonly #viewing: Viewing;
  readonly #owner: OwnerRelay;
  #streams: Streams | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #looking: ReturnType<typeof setInterval> | undefined;
  /** How long the path is lost; 0 while there is one. */
  #silentMs = 0;

  constructor(options: LiveSessionOptions) {
    const { admission, parts: { services, cameras, log }, peer, send } = options;
    const uses = new Uses((use) => admission.used(use));
    const scope = { access: admission.access, uses };
    this.#options = options;
    this.#services = servicesWithin(services, scope);
    this.#cameras = camerasWithin(cameras, scope);
    this.#viewing = new Viewing({
      cameras: this.#cameras,
      peer,
      remote: admission.remote,
      send,
      log,
    });
    this.#owner = new OwnerRelay({ desk: admission.desk, uses, send, log });
  }

  /** Requests and WebSockets that are open. */
  get streams(): number {
    return this.#streams?.size ?? 0;
  }

  /** Opens channel 1 and greets. */
  start(): void {
    const { admission, parts: { name, log }, peer, send, end } = this.#options;
    this.#streams = new Streams(peer.channel(1, "bulk"), {
      services: this.#services,
      log,
      closed: (reason) =>
        end(new SessionEnd(reason === "protocol" ? "protocol" : "closed", reason)),
    });
    this.#streams.start();
    send(helloOf(admission.greeting(), { name, services: this.#services, cameras: this.#cameras }));
    this.#owner.start();
    const restarts = new Restarts({
      session: admission.sessionId,
      peer,
      send: (message) => admission.sendRestart(message),
      log,
    });
    admission.onRestart((message) => restarts.take(message));
    this.#heard();
    this.#supervise();
  }

  /** Takes a message of the browser. Rejects with what ends the session. */
  async take(message: ControlMessage): Promise<void> {
    const { send } = this.#options;
    this.#heard();
    switch (message.type) {
      case "ping":
        return send({ type: "pong", id: message.id });
      case "camera-start":
        return this.#viewing.start(message.camera);
      case "camera-stop":
        return this.#viewing.stop(message.camera);
      case "media-offer": {
        const media = await this.#viewing.answer(message.media);
        return send({ type: "media-answer", id: message.id, media });
      }
      case "media-applied":
        return this.#viewing.applied();
      case "owner-request":
        return this.#owner.take(message);
      case "bye":
        throw new SessionEnd("closed", "the browser said goodbye");
      case "pong":
        return;
      default:
        throw new SessionEnd("protocol", `"${message.type}" is not for an agent`);
    }
  }

  keyFrameWanted(mid: string): void {
    this.#viewing.keyFrameWanted(mid);
  }

  /** Ends everything at once; resolves when services have let go, within a limit. */
  async close(): Promise<void> {
    clearTimeout(this.#silence);
    clearInterval(this.#looking);
    const released = this.#streams?.close();
    this.#owner.close();
    this.#viewing.close();
    await released;
  }

  /** From now on a path that stays dead ends the session, whatever the connection says of itself. */
  #supervise(): void {
    const { peer, send, end, parts } = this.#options;
    const supervisor = new Supervisor(parts.pathLimitMs);
    this.#looking = setInterval(() => {
      const step = supervisor.look(performance.now(), peer.heardAt());
      if (step === "lost") return end(new SessionEnd("closed", "no path to the browser"));
      this.#noteSilence(supervisor.silentMs);
      if (supervisor.isSilent) peer.probe();
      if (step !== "wait") send({ type: "ping", id: step.ping });
    }, LOOK_MS);
  }

  /** Says once when a path is lost, and once when there is one again. */
  #noteSilence(silentMs: number): void {
    const { admission: { sessionId: session }, parts: { log, pathLost } } = this.#options;
    if (silentMs > 0 && this.#silentMs === 0) {
      log.info("session.path_lost", { session });
      pathLost?.();
    }
    if (silentMs === 0 && this.#silentMs > 0) {
      log.info("session.path_found", { session, ms: Math.round(this.#silentMs) });
    }
    this.#silentMs = silentMs;
  }

  /** Some message came: the browser is alive. */
  #heard(): void {
    clearTimeout(this.#silence);
    const silent = () => this.#options.end(new SessionEnd("closed", "the browser fell silent"));
    this.#silence = setTimeout(silent, SILENCE_LIMIT_MS);
  }
}
