/**
 * Video sections of one peer connection: which camera is in which section, and the negotiations that make it so.
 * One negotiation at a time; changes during one are put together into the next. The description of the other end is
 * written here from signed transport fields and the answer's fields, never taken from the network (security.md 1.4).
 */
import type { ControlMessage } from "../../src/protocol/control.ts";
import {
  answerSdp,
  MAX_MEDIA_SECTIONS,
  type MediaAnswer,
  type MediaOffer,
  readMedia,
  type TransportFields,
} from "../../src/protocol/sdp.ts";
import { LostError } from "./lost.ts";
import { until, within } from "./wait.ts";

const ANSWER_LIMIT_MS = 10_000; // the device answers without asking the camera; this is only the network

/** What is needed of an `RTCRtpReceiver`. */
export interface VideoReceiver {
  readonly track: MediaStreamTrack;
  jitterBufferTarget: number | null;
  getStats(): Promise<RTCStatsReport>;
}

/** What the sections need of an `RTCRtpTransceiver`. */
export interface VideoTransceiver {
  readonly mid: string | null;
  direction: RTCRtpTransceiverDirection;
  readonly receiver: VideoReceiver;
}

/** What the sections need of an `RTCPeerConnection`. */
export interface MediaPeer {
  addTransceiver(kind: "video", options: { direction: "recvonly" }): VideoTransceiver;
  setLocalDescription(): Promise<void>;
  setRemoteDescription(description: { type: "answer"; sdp: string }): Promise<void>;
  readonly localDescription: { readonly sdp: string } | null;
}

/** Who negotiates media, as a restart of ICE sees it: it gives way, and negotiates again afterwards. */
export interface Negotiator {
  /** Begins nothing more, ends what waits for an answer, and resolves when no description is being set. */
  hold(): Promise<void>;
  /** Goes on, with an offer of its own if one was broken off. */
  release(): void;
  /** How the sections of our own description are to be answered in a restart: as they stand. */
  standing(sdp: string): readonly MediaAnswer[];
}

/** The connection that the sections belong to. */
export interface MediaLink {
  readonly peer: MediaPeer;
  /** Signed by the device; fingerprint and setup are the same in every description of a session. */
  readonly remote: TransportFields;
  readonly signal: AbortSignal;
  send(message: ControlMessage): void;
  fail(error: LostError): void;
  /** Says who negotiates from now on. */
  negotiates(negotiator: Negotiator): void;
}

type MediaAnswerMessage = ControlMessage & { type: "media-answer" };

interface Section {
  readonly transceiver: VideoTransceiver;
  /** `null`: free for the next camera. */
  camera: string | null;
}

/** A restart of ICE came between. */
class BrokenOff extends Error {
  override name = "BrokenOff";
}

export class MediaSections implements Negotiator {
  readonly #link: MediaLink;
  readonly #changed: (camera: string, receiver: VideoReceiver | undefined) => void;
  readonly #sections: Section[] = [];
  #wanted = false;
  #running = false;
  #offerId = 0;
  #answer: PromiseWithResolvers<MediaAnswerMessage> | undefined;
  /** Answers up to this one are to offers that were broken off. */
  #brokenOffId = 0;
  #held: PromiseWithResolvers<void> | undefined;
  /** The exchange under way. */
  #exchange: Promise<void> = Promise.resolve();
  /** What the device answered last, by section. */
  readonly #standing = new Map<string, MediaAnswer>();

  /** `changed` is told whose track shows a camera, and `undefined` when the device carries nothing for it. */
  constructor(
    link: MediaLink,
    changed: (camera: string, receiver: VideoReceiver | undefined) => void,
  ) {
    this.#link = link;
    this.#changed = changed;
    link.negotiates(this);
  }

  /** Gives the camera a section. False when there is none left. */
  show(camera: string): boolean {
    if (this.#sections.some((section) => section.camera === camera)) return true;
    const section = this.#sections.find((one) => one.camera === null) ?? this.#newSection();
    if (section === undefined) return false;
    section.camera = camera;
    section.transceiver.direction = "recvonly";
    this.#negotiate();
    return true;
  }

  /** Frees the camera's section. */
  hide(camera: string): void {
    const section = this.#sections.find((one) => one.camera === camera);
    if (section === undefined) return;
    section.camera = null;
    section.transceiver.direction = "inactive";
    this.#negotiate();
  }

  /** The device's answer. One that no offer waits for breaks the protocol. */
  answered(message: MediaAnswerMessage): void {
    if (message.id <= this.#brokenOffId) return;
    if (this.#answer === undefined || message.id !== this.#offerId) {
      throw new LostError("protocol", "The device answered an offer that was not made");
    }
    this.#answer.resolve(message);
    this.#answer = undefined;
  }

  async hold(): Promise<void> {
    this.#held ??= Promise.withResolvers();
    this.#answer?.reject(new BrokenOff());
    await this.#exchange.catch(() => {}); // whoever runs it tells of its failure
  }

  release(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  standing(sdp: string): readonly MediaAnswer[] {
    return readMedia(sdp).map(({ mid }) => {
      const known = this.#standing.get(mid);
      const isFree = this.#sections.find((one) => one.transceiver.mid === mid)?.camera === null;
      return known === undefined || isFree ? { mid, active: false } : known;
    });
  }

  #newSection(): Section | undefined {
    if (this.#sections.length >= MAX_MEDIA_SECTIONS) return undefined;
    const transceiver = this.#link.peer.addTransceiver("video", { direction: "recvonly" });
    // Live pictures: show them as they come (DESIGN 9). Ignored where unknown.
    transceiver.receiver.jitterBufferTarget = 0;
    const section: Section = { transceiver, camera: null };
    this.#sections.push(section);
    return section;
  }

  /** Starts a negotiation, or marks that the running one must be followed by another. */
  #negotiate(): void {
    this.#wanted = true;
    if (this.#running) return;
    this.#running = true;
    this.#run().catch((cause: unknown) =>
      this.#link.fail(
        cause instanceof LostError
          ? cause
          : new LostError("internal", "Cannot negotiate video", { cause }),
      )
    );
  }

  async #run(): Promise<void> {
    try {
      while (this.#wanted) {
        await this.#free();
        this.#wanted = false;
        this.#exchange = this.#once();
        await this.#exchange.catch((error: unknown) => {
          if (!(error instanceof BrokenOff)) throw error;
          this.#wanted = true;
        });
      }
    } finally {
      this.#running = false; // in the same task as the last look at `#wanted`
    }
  }

  /** Waits while a restart has the connection to itself. */
  async #free(): Promise<void> {
    while (this.#held !== undefined) await until(this.#held.promise, this.#link.signal);
  }

  async #once(): Promise<void> {
    const { peer, signal } = this.#link;
    await peer.setLocalDescription();
    if (this.#held !== undefined) throw new BrokenOff();
    const offered = this.#offer();
    const id = ++this.#offerId;
    const answer = Promise.withResolvers<MediaAnswerMessage>();
    this.#answer = answer;
    this.#link.send({ type: "media-offer", id, media: offered });
    const { media } = await this.#awaitAnswer(answer.promise, signal);
    const ordered = inOfferedOrder(offered, media);
    await peer.setRemoteDescription({
      type: "answer",
      sdp: answerSdp({ transport: this.#link.remote, media: ordered }),
    });
    for (const section of ordered) this.#standing.set(section.mid, section);
    this.#link.send({ type: "media-applied", id });
    this.#tell(offered, ordered);
  }

  async #awaitAnswer(
    answer: Promise<MediaAnswerMessage>,
    signal: AbortSignal,
  ): Promise<MediaAnswerMessage> {
    try {
      return await within(answer, {
        limitMs: ANSWER_LIMIT_MS,
        late: () => new LostError("no_answer", "The device does not answer a media offer"),
        signal,
      });
    } catch (error) {
      this.#answer = undefined;
      if (error instanceof BrokenOff) this.#brokenOffId = this.#offerId;
      throw error;
    }
  }

  #offer(): readonly MediaOffer[] {
    return readMedia(this.#link.peer.localDescription?.sdp ?? "").map((section) => ({
      ...section,
      camera: this.#sections.find((one) => one.transceiver.mid === section.mid)?.camera ?? null,
    }));
  }

  /** Tells the tracks as they were offered: a camera that left meanwhile is no longer asked about. */
  #tell(offered: readonly MediaOffer[], answered: readonly MediaAnswer[]): void {
    for (const [index, { mid, camera }] of offered.entries()) {
      if (camera === null) continue;
      const section = this.#sections.find((one) => one.transceiver.mid === mid);
      if (section?.camera !== camera) continue;
      const active = answered[index]?.active === true;
      this.#changed(camera, active ? section.transceiver.receiver : undefined);
    }
  }
}

/** The answer's sections in the order of the offer (RFC 3264 6), each exactly once. */
export function inOfferedOrder(
  offered: readonly MediaOffer[],
  answered: readonly MediaAnswer[],
): readonly MediaAnswer[] {
  if (offered.length !== answered.length) {
    throw new LostError("protocol", "The device answered another number of sections");
  }
  return offered.map((section) => {
    const answer = answered.find((one) => one.mid === section.mid);
    if (answer === undefined || (answer.active && section.camera === null)) {
      throw new LostError("protocol", "The device answered a section that was not offered");
    }
    return answer;
  });
}
