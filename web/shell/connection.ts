/**
 * One attempt to reach one device, from the rendezvous to the last ping. Not the retry: that is `session.ts`.
 *
 *   finding ---> offering ---> connecting ---> confirming ---> live
 *      |             |              |               |            |
 *      +-------------+--------------+---------------+------------+--> ended, with one LostError
 *
 * `run` owns everything it makes and is its only exit: whatever goes wrong anywhere aborts `#ending` with the reason,
 * every wait ends with it, and `finally` closes all.
 */
import type { Bytes } from "../../src/lib/bytes.ts";
import type { NetworkPath } from "../../src/lib/network_path.ts";
import type { ControlMessage } from "../../src/protocol/control.ts";
import {
  answerSdp,
  isCandidate,
  readTransport,
  type TransportFields,
} from "../../src/protocol/sdp.ts";
import { byeError, type Confirmation, ControlLink } from "./control_link.ts";
import type { Step } from "./diagnosis.ts";
import { DOUBT_MS, Liveness, LOOK_INTERVAL_MS, PING_INTERVAL_MS, SILENCE_MS } from "./liveness.ts";
import { lostByHandshake, type LostCode, LostError } from "./lost.ts";
import type { MediaLink, Negotiator } from "./media.ts";
import type { OwnerMessage } from "./owner_console.ts";
import { createPeer, type PreparedPeer, seenFingerprint } from "./peer.ts";
import { readPath } from "./path.ts";
import { Recovery, type Restarts } from "./recovery.ts";
import { Signalling } from "./signalling.ts";
import { until, within } from "./wait.ts";

const ANSWER_LIMIT_MS = 10_000; // two passes through the rendezvous and a signature on a slow board
const CONNECT_LIMIT_MS = 20_000; // ICE tries every pair, a relay last
const CONFIRM_LIMIT_MS = 10_000; // security.md 1.4, M4
const HELLO_LIMIT_MS = 10_000;
const PINGS_PER_PATH = 4; // people who watch a path change do not look more often
const MAX_CANDIDATES = 64; // each way; a host has a handful for each of its addresses

/** What the shell needs of `BrowserHandshake` (src/trust). */
export interface Handshake {
  offer(
    options: { transport: TransportFields; candidates: readonly string[] },
  ): Promise<Bytes>;
  acceptAnswer(answer: Bytes): Promise<TransportFields>;
  sealCandidate(candidate: string): Promise<Bytes>;
  openCandidate(sealed: Bytes): Promise<string>;
  confirmation(): Confirmation;
  /** Messages about another path, while the session lives. */
  restarts(): Restarts;
  /** Whether a later presence is of the run of the device that this handshake is with. */
  isSameRun(presence: Bytes): Promise<boolean>;
  /** Six digits that both ends work out of the offer and its answer: for people to compare, once there is an answer. */
  checkNumber(): string | Promise<string>;
}

/** What does not change from one attempt to the next. */
export interface Destination {
  /** Text form of the device's id. */
  readonly device: string;
  readonly signallingUrl: string;
  startHandshake(presence: Bytes): Promise<Handshake>;
}

export type Greeting = ControlMessage & { type: "hello" };

/** What a live connection gives beside the greeting. */
export interface Link extends MediaLink {
  readonly checkNumber: string;
}

/** What an attempt tells its owner, who gives it what outlives it. None of them may throw. */
export interface ConnectionEvents {
  phase(phase: "finding" | "offering" | "connecting" | "confirming"): void;
  /** Both sides verified. The bulk channel is to be taken over in this very task (browser-proxying.md 0.2). */
  confirmed(bulk: RTCDataChannel): void;
  live(greeting: Greeting, link: Link): void;
  roundTrip(milliseconds: number): void;
  /** Which way packets go; told at the beginning and every few seconds. */
  path(path: NetworkPath): void;
  /** The path was lost, and another one is looked for; or there is one again. */
  interrupted(isInterrupted: boolean): void;
  /** A message about cameras; may throw a LostError. */
  camera(
    message: ControlMessage & { type: "camera-ready" | "camera-state" | "media-answer" },
  ): void;
  /** A message about people; may throw a LostError. */
  owner(message: OwnerMessage): void;
}

/** What both ends agreed on. */
interface Agreed {
  readonly remote: TransportFields;
  readonly checkNumber: string;
  readonly handshake: Handshake;
}

export class Connection {
  readonly #destination: Destination;
  readonly #events: ConnectionEvents;
  readonly #ending = new AbortController();
  #peer: RTCPeerConnection | undefined;
  #live = false;
  #recovery: Recovery | undefined;
  #negotiator: Negotiator | undefined;
  #reached: Step = "nothing";

  constructor(destination: Destination, events: ConnectionEvents) {
    this.#destination = destination;
    this.#events = events;
  }

  /** 1 while this attempt holds an `RTCPeerConnection`, 0 before and after. */
  get peerConnections(): number {
    return this.#peer === undefined ? 0 : 1;
  }

  /** How far it came. */
  get reached(): Step {
    return this.#reached;
  }

  /** Ends the attempt: something that depends on it found it broken. */
  fail(error: LostError): void {
    this.#end(error);
  }

  /** Runs the attempt to its end and says why it ended. Never rejects. `signal` ends it with its own reason. */
  async run(signal: AbortSignal): Promise<LostError> {
    const abort = () => this.#end(new LostError("ended", "This page ended the session"));
    if (signal.aborted) return new LostError("ended", "This page ended the session");
    signal.addEventListener("abort", abort);
    const signalling = this.#openSignalling();
    try {
      await this.#reach(signalling);
      throw new LostError("internal", "A connection never ends by itself");
    } catch (error) {
      return lostByHandshake(error);
    } finally {
      signal.removeEventListener("abort", abort);
      this.#end(new LostError("ended", "The session is over"));
      signalling.close();
      this.#recovery?.close();
      this.#peer?.close();
      this.#peer = undefined;
    }
  }

  #end(error: LostError): void {
    if (!this.#ending.signal.aborted) this.#ending.abort(error);
  }

  /** ICE doubts its path. Until there is a session that is the end, if ICE has given up. */
  #broken(hasFailed: boolean): void {
    if (this.#live) this.#recovery?.begin(hasFailed ? "lost" : "doubt");
    else if (hasFailed) this.#end(new LostError("no_path", "The path to the device is gone"));
  }

  #openSignalling(): Signalling {
    const { device, signallingUrl } = this.#destination;
    return new Signalling(signallingUrl, {
      device,
      // A live session does without the rendezvous.
      lost: (error) => {
        if (!this.#live) this.#end(error);
      },
    });
  }

  async #reach(signalling: Signalling): Promise<void> {
    const { signal } = this.#ending;
    this.#events.phase("finding");
    // The key pair of the certificate takes a while on a phone: it is made while the rendezvous looks.
    const [found, prepared] = await until(
      Promise.all([signalling.found(), this.#createPeer()]),
      signal,
    );
    this.#reached = "found";
    // The servers must be known before gathering begins, so the local description waits for them.
    prepared.peer.setConfiguration({
      ...prepared.peer.getConfiguration(),
      iceServers: found.iceServers.map((entry) => ({ ...entry })),
    });
    this.#events.phase("offering");
    const handshake = await until(this.#destination.startHandshake(found.presence), signal);
    const remote = await this.#agree({ prepared, handshake, signalling });
    this.#reached = "agreed";
    this.#noteIce(prepared.peer);
    this.#events.phase("connecting");
    await within(prepared.control.opened(), {
      limitMs: CONNECT_LIMIT_MS,
      late: () => new LostError("no_path", "No path to the device opens"),
      signal,
    });
    this.#reached = "encrypted";
    this.#events.phase("confirming");
    await this.#confirm(prepared, { handshake, remote });
    this.#reached = "proven";
    const checkNumber = await until(Promise.resolve(handshake.checkNumber()), signal);
    await this.#talk(prepared, { remote, checkNumber, handshake });
  }

  /** A path may open before the answer was taken. */
  #noteIce(peer: RTCPeerConnection): void {
    const look = () => {
      const isOpen = peer.iceConnectionState === "connected" ||
        peer.iceConnectionState === "completed";
      if (isOpen && this.#reached === "agreed") this.#reached = "path";
    };
    // Beside the handler of `peer.ts`, which restarts ICE.
    peer.addEventListener("iceconnectionstatechange", look, { signal: this.#ending.signal });
    look();
  }

  async #createPeer(): Promise<PreparedPeer> {
    const prepared = await createPeer({
      lost: (error) => this.#end(error),
      broken: (hasFailed) => this.#broken(hasFailed),
    });
    if (this.#ending.signal.aborted) prepared.peer.close();
    else this.#peer = prepared.peer;
    return prepared;
  }

  /** M1 and M2; after it both ends look for a path, and candidates flow both ways. */
  async #agree(
    { prepared, handshake, signalling }: {
      prepared: PreparedPeer;
      handshake: Handshake;
      signalling: Signalling;
    },
  ): Promise<TransportFields> {
    const { signal } = this.#ending;
    const { peer } = prepared;
    const answered = Promise.withResolvers<void>();
    answered.promise.catch(() => {}); // nobody waits when the offer itself fails
    this.#sealCandidates(peer, { handshake, signalling, answered: answered.promise });
    await until(peer.setLocalDescription(), signal);
    const transport = readTransport(peer.localDescription?.sdp ?? "");
    signalling.send(await until(handshake.offer({ transport, candidates: [] }), signal));
    const remote = await this.#answer(handshake, signalling);
    const sdp = answerSdp({ transport: remote, media: [] });
    await until(peer.setRemoteDescription({ type: "answer", sdp }), signal);
    answered.resolve();
    this.#openCandidates(peer, { handshake, signalling });
    return remote;
  }

  /** M2. What is not the device's answer is passed over: the rendezvous may have made it, and the true one may follow. */
  #answer(handshake: Handshake, signalling: Signalling): Promise<TransportFields> {
    const { signal } = this.#ending;
    let code: LostCode = "no_answer";
    const firstGenuine = async () => {
      for (;;) {
        const answer = await until(signalling.delivery(), signal);
        try {
          return await handshake.acceptAnswer(answer);
        } catch (error) {
          const lost = lostByHandshake(error);
          if (lost.code !== "forged" && lost.code !== "protocol") throw lost;
          code = lost.code;
        }
      }
    };
    return within(firstGenuine(), {
      limitMs: ANSWER_LIMIT_MS,
      late: () => new LostError(code, "The device does not answer the offer"),
      signal,
    });
  }

  /** Our candidates, sealed in order; those that come before M2 wait for it. */
  #sealCandidates(
    peer: RTCPeerConnection,
    { handshake, signalling, answered }: {
      handshake: Handshake;
      signalling: Signalling;
      answered: Promise<void>;
    },
  ): void {
    let queue = answered;
    let count = 0;
    peer.onicecandidate = ({ candidate }) => {
      const text = candidate?.candidate;
      // An empty one says that gathering is over: the device does not wait for that.
      if (!text || !isCandidate(text) || ++count > MAX_CANDIDATES) return;
      queue = queue.then(async () => signalling.send(await handshake.sealCandidate(text)));
      queue.catch((error: unknown) => this.#end(lostByHandshake(error)));
    };
  }

  /** The device's candidates. What is none, or cannot be used, is passed over: others may do. */
  #openCandidates(
    peer: RTCPeerConnection,
    { handshake, signalling }: { handshake: Handshake; signalling: Signalling },
  ): void {
    const { signal } = this.#ending;
    const run = async () => {
      for (let count = 0; count < MAX_CANDIDATES && !signal.aborted; count++) {
        const sealed = await until(signalling.delivery(), signal);
        const candidate = await handshake.openCandidate(sealed).catch(() => "");
        if (!isCandidate(candidate)) continue;
        await peer.addIceCandidate({ candidate, sdpMid: "0" }).catch(() => {});
      }
    };
    run().catch(() => {}); // the connection ended; the connect limit speaks for a path that never opens
  }

  async #confirm(
    { peer, control, localFingerprint }: PreparedPeer,
    { handshake, remote }: { handshake: Handshake; remote: TransportFields },
  ): Promise<void> {
    const { signal } = this.#ending;
    const seen = {
      local: localFingerprint(),
      remote: await until(seenFingerprint(peer, remote.fingerprint), signal),
    };
    await within(control.confirm(handshake.confirmation(), { seen, signal }), {
      limitMs: CONFIRM_LIMIT_MS,
      late: () => new LostError("forged", "The device does not prove who it is"),
      signal,
    });
    this.#events.confirmed(peer.createDataChannel("bulk", { negotiated: true, id: 1 }));
  }

  /** From the greeting to the end: pings, and the messages of the device one by one. */
  async #talk({ peer, control }: PreparedPeer, agreed: Agreed): Promise<void> {
    const { signal } = this.#ending;
    const greeting = await within(control.next(signal), {
      limitMs: HELLO_LIMIT_MS,
      late: () => new LostError("no_answer", "The device does not greet"),
      signal,
    });
    if (greeting.type === "bye") throw byeError(greeting.code);
    if (greeting.type !== "hello") throw new LostError("protocol", "The device does not greet");
    const liveness = new Liveness();
    const link = this.#link({ peer, control, agreed });
    this.#recovery = this.#createRecovery({ peer, link, liveness, handshake: agreed.handshake });
    this.#live = true;
    this.#reached = "live";
    this.#events.live(greeting, link);
    const stop = this.#watch({ peer, liveness, control });
    try {
      for (;;) this.#take(await control.next(signal), { liveness, control });
    } finally {
      stop();
      control.send({ type: "bye", code: "closed" });
    }
  }

  /** Pings, and looks at the path and the silence; gives what ends it. */
  #watch(
    { peer, liveness, control }: {
      peer: RTCPeerConnection;
      liveness: Liveness;
      control: ControlLink;
    },
  ): () => void {
    let count = 0;
    const ping = () => {
      this.#ping(liveness, control);
      if (count++ % PINGS_PER_PATH === 0) this.#lookAtPath(peer);
    };
    ping();
    const pings = setInterval(ping, PING_INTERVAL_MS);
    let isInterrupted = false;
    let lookedAt = performance.now();
    const looks = setInterval(() => {
      const now = performance.now();
      const wasBusy = now - lookedAt > 2 * LOOK_INTERVAL_MS; // answers may be here and unread
      lookedAt = now;
      if (wasBusy) return;
      const silence = liveness.silence(now);
      if (silence >= DOUBT_MS) this.#recovery?.begin(silence >= SILENCE_MS ? "lost" : "doubt");
      if (isInterrupted === silence >= SILENCE_MS) return;
      isInterrupted = !isInterrupted;
      this.#events.interrupted(isInterrupted);
    }, LOOK_INTERVAL_MS);
    const news = new AbortController();
    const doubt = () => {
      ping();
      this.#recovery?.begin("doubt");
    };
    addEventListener("online", doubt, { signal: news.signal });
    (navigator as { connection?: EventTarget }).connection
      ?.addEventListener("change", doubt, { signal: news.signal });
    return () => {
      clearInterval(pings);
      clearInterval(looks);
      news.abort();
    };
  }

  #createRecovery(
    { peer, link, liveness, handshake }: {
      peer: RTCPeerConnection;
      link: Link & { remote: TransportFields };
      liveness: Liveness;
      handshake: Handshake;
    },
  ): Recovery {
    const { device, signallingUrl } = this.#destination;
    return new Recovery({
      peer,
      restarts: handshake.restarts(),
      isSameRun: (presence) => handshake.isSameRun(presence),
      openSignalling: (lost) => new Signalling(signallingUrl, { device, lost }),
      heardAt: () => liveness.heardAt,
      remote: link.remote,
      restarted: (remote) => link.remote = remote,
      negotiator: () => this.#negotiator,
      fail: (error) => this.#end(error),
      signal: this.#ending.signal,
    });
  }

  #link(
    { peer, control, agreed }: { peer: RTCPeerConnection; control: ControlLink; agreed: Agreed },
  ): Link & { remote: TransportFields } {
    return {
      peer,
      remote: agreed.remote,
      checkNumber: agreed.checkNumber,
      signal: this.#ending.signal,
      send: (message) => control.send(message),
      fail: (error) => this.#end(error),
      negotiates: (negotiator) => this.#negotiator = negotiator,
    };
  }

  #ping(liveness: Liveness, control: ControlLink): void {
    const step = liveness.tick(performance.now());
    if (step === "lost") this.#end(new LostError("silent", "There is no path to the device"));
    else control.send({ type: "ping", id: step.ping });
  }

  #lookAtPath(peer: RTCPeerConnection): void {
    readPath(peer).then(
      (path) => path && !this.#ending.signal.aborted && this.#events.path(path),
      () => {}, // a browser that has no statistics
    );
  }

  #take(
    message: ControlMessage,
    { liveness, control }: { liveness: Liveness; control: ControlLink },
  ): void {
    liveness.heard(performance.now());
    switch (message.type) {
      case "ping":
        return control.send({ type: "pong", id: message.id });
      case "pong":
        liveness.pong(message.id, performance.now());
        if (liveness.roundTrip !== undefined) this.#events.roundTrip(liveness.roundTrip);
        return;
      case "bye":
        throw byeError(message.code);
      case "camera-ready":
      case "camera-state":
      case "media-answer":
        return this.#events.camera(message);
      case "owner-reply":
      case "people-changed":
        return this.#events.owner(message);
      case "confirm":
      case "hello":
      case "camera-start":
      case "camera-stop":
      case "media-offer":
      case "media-applied":
      case "owner-request":
        throw new LostError("protocol", `The device sent ${message.type} at the wrong time`);
    }
  }
}
