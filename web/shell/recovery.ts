/**
 * Gets a live connection another path when the one it has is in doubt: a restart of ICE (RFC 8445 9) agreed upon through
 * the rendezvous, by sealed and numbered messages (M5). DTLS, channels and tracks go on. Only the browser restarts.
 *
 *   resting -- doubt --> seeking a way to the device -- M5 --> exchanging -- answer --> waiting for a sign of life
 *      ^                      |        ^                          |                          |
 *      +---- it answers ------+        +---- no answer -----------+----- no path ------------+
 *
 * Descriptions are written here from what the handshake signed; of M5 only name, password and candidates come in.
 * It ends with the connection's signal; when a session has been without a path for too long is not decided here.
 */
import type { Bytes } from "../../src/lib/bytes.ts";
import {
  answerSdp,
  isCandidate,
  readTransport,
  type TransportFields,
} from "../../src/protocol/sdp.ts";
import type { IceServerEntry } from "../../src/protocol/signal.ts";
import type { RestartMessage } from "../../src/trust/handshake.ts";
import { LostError } from "./lost.ts";
import type { Negotiator } from "./media.ts";
import type { Signalling } from "./signalling.ts";
import { delay, until, within } from "./wait.ts";

const FIND_LIMIT_MS = 2000; // what a dead network swallowed is asked again soon
/**
 * Two passes through the rendezvous. The first waits are short: a device that moved may come back to the rendezvous just
 * after it was asked. The later ones are enough for the worst link.
 */
const ANSWER_LIMITS_MS = [1500, 1500, 2500, 5000] as const;
const FORGOTTEN_LIMIT_MS = 1000; // a device that started again has nothing to answer with
const PATH_LIMIT_MS = 4000; // ICE tries its pairs
const PAUSE_MS = 300; // between two attempts
/** The longest of them, in ms. */
const MAX_PAUSE_MS = 10_000;
/** Restarts that a device of another run leaves unanswered before that is believed: M0 may be an old one, and M5 lost. */
const MIN_UNANSWERED = 2;
const LOOK_MS = 50;
/** After a recovery a mere doubt begins none for so long: each costs the rendezvous a socket, and bad lines doubt often. */
const REST_MS = 5000;
const MAX_CANDIDATES = 64; // each way

/** What the recovery needs of `RestartChannel` (src/trust). */
export interface Restarts {
  seal(message: RestartMessage): Promise<Bytes>;
  open(wire: Bytes): Promise<RestartMessage>;
}

/** What it needs of an `RTCPeerConnection`. */
export type RestartPeer = Pick<
  RTCPeerConnection,
  | "restartIce"
  | "setLocalDescription"
  | "setRemoteDescription"
  | "localDescription"
  | "addIceCandidate"
  | "onicecandidate"
  | "getConfiguration"
  | "setConfiguration"
>;

export interface RecoveryOptions {
  readonly peer: RestartPeer;
  readonly restarts: Restarts;
  /** Whether a presence is of the run of the device that this session is with. */
  isSameRun(presence: Bytes): Promise<boolean>;
  /** Opens a way to the device; `lost` is told when it is none. */
  openSignalling(lost: (error: LostError) => void): Pick<
    Signalling,
    "found" | "send" | "delivery" | "close"
  >;
  /** When something of the device came last, in milliseconds of `performance.now`. */
  heardAt(): number;
  /** The device's transport as it is described now. */
  readonly remote: TransportFields;
  /** It is described so from now on. */
  restarted(remote: TransportFields): void;
  /** Who negotiates media, if anybody does. */
  negotiator(): Negotiator | undefined;
  /** Ends the connection. */
  fail(error: LostError): void;
  readonly signal: AbortSignal;
}

/** A way to the device that found it. */
interface Way {
  readonly signalling: ReturnType<RecoveryOptions["openSignalling"]>;
  readonly iceServers: readonly IceServerEntry[];
  readonly isSameRun: boolean;
  /** Aborted when the way breaks, and with the connection. */
  readonly signal: AbortSignal;
  close(): void;
}

export class Recovery {
  readonly #options: RecoveryOptions;
  #remote: TransportFields;
  #isRunning = false;
  #beganAt = 0;
  #restsUntil = 0;
  /** Answers that did not come, since one did. */
  #unanswered = 0;
  /** A description of ours waits for its answer: nothing else can be agreed upon before. */
  #isPending = false;
  #generation = 0;
  /** Of the recovery that runs. */
  #attempts = 0;
  #way: Way | undefined;

  constructor(options: RecoveryOptions) {
    this.#options = options;
    this.#remote = options.remote;
  }

  /** The path is in doubt, or lost. Without effect while a recovery runs. */
  begin(why: "doubt" | "lost"): void {
    if (this.#isRunning || this.#options.signal.aborted) return;
    if (why === "doubt" && performance.now() < this.#restsUntil) return;
    this.#isRunning = true;
    this.#attempts = 0;
    this.#beganAt = performance.now();
    this.#run().catch((cause: unknown) => {
      if (this.#options.signal.aborted) return; // the connection ended: it closed everything
      const defect = new LostError("internal", "Cannot look for another path", { cause });
      this.#options.fail(cause instanceof LostError ? cause : defect);
    }).finally(() => {
      this.#isRunning = false;
      this.#restsUntil = performance.now() + REST_MS;
    });
  }

  /** Lets go of the way to the device. */
  close(): void {
    this.#way?.close();
    this.#way = undefined;
  }

  async #run(): Promise<void> {
    const { signal, negotiator } = this.#options;
    const media = negotiator();
    await media?.hold();
    try {
      do {
        await this.#attempt(media);
        if (this.#isWanted()) await delay(this.#pauseMs, signal);
      } while (this.#isWanted());
    } finally {
      media?.release();
    }
  }

  /** With a path that works, an answer that never comes is asked for more and more seldom. */
  get #pauseMs(): number {
    return this.#isSilent() ? PAUSE_MS : Math.min(PAUSE_MS * 2 ** this.#attempts, MAX_PAUSE_MS);
  }

  #isWanted(): boolean {
    return this.#isPending || this.#isSilent();
  }

  #isSilent(): boolean {
    return this.#options.heardAt() < this.#beganAt;
  }

  async #attempt(media: Negotiator | undefined): Promise<void> {
    this.#attempts++;
    const way = await this.#find();
    if (way === undefined) return;
    if (!this.#isWanted()) return way.close();
    this.close();
    this.#way = way; // candidates go on over it
    const isAnswered = await this.#exchange(way, media);
    this.#unanswered = isAnswered ? 0 : this.#unanswered + 1;
    if (isAnswered) await this.#awaitPath(way);
    else if (!way.isSameRun && this.#isSilent() && this.#unanswered >= MIN_UNANSWERED) {
      this.#options.fail(new LostError("silent", "The device started again and knows no session"));
    }
  }

  /** A rendezvous that finds the device; undefined if there is none now. */
  async #find(): Promise<Way | undefined> {
    const { openSignalling, isSameRun, signal } = this.#options;
    const broken = new AbortController();
    const signalling = openSignalling((error) => broken.abort(error));
    const close = () => {
      broken.abort(new LostError("ended", "Another way is used"));
      signalling.close();
    };
    const alive = AbortSignal.any([signal, broken.signal]);
    try {
      const { presence, iceServers } = await within(signalling.found(), {
        limitMs: FIND_LIMIT_MS,
        late: () => new LostError("rendezvous", "The rendezvous does not answer"),
        signal: alive,
      });
      return { signalling, iceServers, isSameRun: await isSameRun(presence), signal: alive, close };
    } catch {
      close();
      signal.throwIfAborted();
      return undefined;
    }
  }

  /** Our new credentials and the device's; gives whether it answered. */
  async #exchange(way: Way, media: Negotiator | undefined): Promise<boolean> {
    const { peer, restarts, signal } = this.#options;
    const generation = ++this.#generation;
    const sent = Promise.withResolvers<void>();
    sent.promise.catch(() => {}); // nobody waits when nothing is sent
    this.#sendCandidates(way, { generation, sent: sent.promise });
    this.#useServers(way.iceServers);
    peer.restartIce();
    this.#isPending = true;
    await until(peer.setLocalDescription(), signal);
    const sdp = peer.localDescription?.sdp ?? "";
    const { ufrag, pwd } = readTransport(sdp);
    way.signalling.send(await restarts.seal({ kind: "credentials", generation, ufrag, pwd }));
    sent.resolve();
    const answer = await this.#answer(way, generation);
    if (answer === undefined) return false;
    const remote = { ...this.#remote, ufrag: answer.ufrag, pwd: answer.pwd };
    const answered = { transport: remote, media: media?.standing(sdp) ?? [] };
    await until(
      peer.setRemoteDescription({ type: "answer", sdp: answerSdp(answered) }),
      signal,
    );
    this.#isPending = false;
    this.#remote = remote;
    this.#options.restarted(remote);
    this.#takeCandidates(way, generation);
    return true;
  }

  /** Fresh credentials of relays: those of the beginning may have run out. */
  #useServers(iceServers: readonly IceServerEntry[]): void {
    const { peer } = this.#options;
    peer.setConfiguration({
      ...peer.getConfiguration(),
      iceServers: iceServers.map((entry) => ({ ...entry })),
    });
  }

  /** The device's credentials for this restart; undefined when none come in time. What is no answer is passed over. */
  async #answer(
    { signalling, signal, isSameRun }: Way,
    generation: number,
  ): Promise<RestartMessage & { kind: "credentials" } | undefined> {
    const { restarts } = this.#options;
    const genuine = async () => {
      for (;;) {
        const wire = await until(signalling.delivery(), signal);
        const message = await restarts.open(wire).catch(() => undefined); // anybody's
        if (message?.kind === "credentials" && message.generation === generation) return message;
      }
    };
    try {
      return await within(genuine(), {
        limitMs: isSameRun ? this.#patience() : FORGOTTEN_LIMIT_MS,
        late: () => new LostError("no_answer", "The device does not answer a restart"),
        signal,
      });
    } catch {
      this.#options.signal.throwIfAborted();
      return undefined;
    }
  }

  /** How long to wait for this answer. */
  #patience(): number {
    return ANSWER_LIMITS_MS[Math.min(this.#unanswered, ANSWER_LIMITS_MS.length - 1)]!;
  }

  /** Our candidates of this restart, in order, none before our credentials. */
  #sendCandidates(
    { signalling }: Way,
    { generation, sent }: { generation: number; sent: Promise<void> },
  ): void {
    const { peer, restarts } = this.#options;
    let queue = sent;
    let count = 0;
    peer.onicecandidate = ({ candidate }) => {
      const text = candidate?.candidate;
      if (generation !== this.#generation) return;
      if (!text || !isCandidate(text) || ++count > MAX_CANDIDATES) return;
      const message = { kind: "candidate", generation, candidate: text } as const;
      queue = queue.then(async () => signalling.send(await restarts.seal(message)));
      queue.catch(() => {}); // this restart fails for it, if for anything
    };
  }

  /** The device's candidates of this restart. What is none, or cannot be used, is passed over. */
  #takeCandidates({ signalling, signal }: Way, generation: number): void {
    const { peer, restarts } = this.#options;
    const run = async () => {
      for (let count = 0; count < MAX_CANDIDATES; count++) {
        const wire = await until(signalling.delivery(), signal);
        const message = await restarts.open(wire).catch(() => undefined);
        if (message?.kind !== "candidate" || message.generation !== generation) continue;
        if (!isCandidate(message.candidate)) continue;
        await peer.addIceCandidate({ candidate: message.candidate, sdpMid: "0" }).catch(() => {});
      }
    };
    run().catch(() => {}); // the way ended
  }

  /** Waits until the device answers, for a while. */
  async #awaitPath({ signal }: Way): Promise<void> {
    const from = performance.now();
    while (this.#isSilent() && performance.now() - from < PATH_LIMIT_MS) {
      await delay(LOOK_MS, signal).catch(() => this.#options.signal.throwIfAborted());
      if (signal.aborted) return;
    }
  }
}
