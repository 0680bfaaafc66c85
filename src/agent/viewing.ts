/**
 * The cameras that one browser watches: starts and stops feeds as its page asks, and answers its media offers with
 * sections rebuilt from fields. One section carries one camera; sections come and go, the transport never changes.
 */
import type { Log } from "../lib/log.ts";
import type { CameraCode, CameraState, ControlMessage } from "../protocol/control.ts";
import { ProtocolError } from "../protocol/errors.ts";
import {
  chooseCodec,
  type H264Offer,
  h264Parameters,
  type MediaAnswer,
  type MediaOffer,
  offerSdp,
  type TransportFields,
} from "../protocol/sdp.ts";
import { MAX_CAMERAS } from "./limits.ts";
import type { CameraFeed, CameraListener, Cameras, Peer, VideoSender } from "./seams.ts";

/**
 * One camera that the page asked for.
 *
 *   opening --parameter sets known--> ready --offer answered--> answered --media-applied--> playing
 */
type Stage =
  | { readonly at: "opening" }
  | { readonly at: "ready"; readonly feed: CameraFeed }
  | {
    readonly at: "answered";
    readonly feed: CameraFeed;
    readonly mid: string;
    readonly sender: VideoSender;
  }
  | { readonly at: "playing"; readonly feed: CameraFeed; readonly mid: string };

interface Watched {
  readonly abort: AbortController;
  stage: Stage;
}

/** What `Cameras.open` may reject with. */
const REFUSALS: readonly CameraCode[] = ["unknown", "busy", "ended"];

/** All viewing of one session. */
export class Viewing {
  readonly #cameras: Cameras;
  readonly #peer: Peer;
  readonly #remote: TransportFields;
  readonly #send: (message: ControlMessage) => void;
  readonly #log: Log;
  readonly #watched = new Map<string, Watched>();

  constructor(
    options: {
      cameras: Cameras;
      peer: Peer;
      remote: TransportFields;
      send: (message: ControlMessage) => void;
      log: Log;
    },
  ) {
    this.#cameras = options.cameras;
    this.#peer = options.peer;
    this.#remote = options.remote;
    this.#send = options.send;
    this.#log = options.log;
  }

  /** Starts a camera; the page hears `camera-ready` when its codec is known, and every change of state. */
  start(camera: string): void {
    if (this.#watched.has(camera)) return;
    if (this.#watched.size >= MAX_CAMERAS) {
      return this.#send({ type: "camera-state", camera, state: "failed", code: "busy" });
    }
    const watched: Watched = { abort: new AbortController(), stage: { at: "opening" } };
    this.#watched.set(camera, watched);
    void this.#open(camera, watched); // never rejects
  }

  stop(camera: string): void {
    const watched = this.#watched.get(camera);
    this.#watched.delete(camera);
    watched?.abort.abort();
    if (watched !== undefined) feedOf(watched.stage)?.close();
  }

  keyFrameWanted(mid: string): void {
    for (const { stage } of this.#watched.values()) {
      if (stage.at === "playing" && stage.mid === mid) stage.feed.keyFrameWanted();
    }
  }

  /** Takes the page's offer and gives the answer. Throws a ProtocolError for an offer that cannot be. */
  async answer(offer: readonly MediaOffer[]): Promise<MediaAnswer[]> {
    for (const section of offer) this.#prepare(section);
    await this.#peer.answer(offerSdp({ transport: this.#remote, media: offer }));
    return offer.map((section) => this.#answerSection(section));
  }

  /** The page has taken the answer: what it answered may flow. */
  applied(): void {
    for (const watched of this.#watched.values()) {
      const { stage } = watched;
      if (stage.at !== "answered") continue;
      watched.stage = { at: "playing", feed: stage.feed, mid: stage.mid };
      stage.feed.play(stage.sender);
    }
  }

  close(): void {
    for (const camera of [...this.#watched.keys()]) this.stop(camera);
  }

  async #open(camera: string, watched: Watched): Promise<void> {
    const { signal } = watched.abort;
    const listener: CameraListener = {
      state: (state, code) => {
        if (!signal.aborted) this.#send(stateMessage(camera, { state, code }));
      },
    };
    try {
      const feed = await this.#cameras.open(camera, listener, signal);
      if (signal.aborted) return feed.close();
      watched.stage = { at: "ready", feed };
      this.#send({ type: "camera-ready", camera, profileLevelId: feed.profileLevelId });
    } catch (error) {
      if (signal.aborted) return; // the page asked for it, or the session ended
      this.#watched.delete(camera);
      const code = refusalOf(error);
      if (code !== "unknown") this.#log.warn("viewing.refused", { camera, reason: String(error) });
      listener.state("failed", code);
    }
  }

  #prepare(section: MediaOffer): void {
    const codec = this.#codec(section);
    if (codec === undefined) return;
    const { payloadType, rtx } = codec;
    const { mid, playoutDelay } = section;
    this.#peer.prepareVideo(mid, {
      ...{ payloadType, fmtp: h264Parameters(codec) },
      ...(rtx === undefined ? {} : { rtx }),
      ...(playoutDelay === undefined ? {} : { playoutDelay }),
    });
  }

  #answerSection(section: MediaOffer): MediaAnswer {
    const { mid, camera, playoutDelay } = section;
    const codec = this.#codec(section);
    const watched = camera === null ? undefined : this.#watched.get(camera);
    const sender = this.#peer.video(mid);
    if (codec === undefined || watched === undefined || sender === undefined) {
      return { mid, active: false };
    }
    this.#carry(watched, { mid, sender });
    const { ssrc, rtxSsrc, cname } = sender;
    return {
      ...{ mid, active: true, codec, ssrc, cname },
      ...(rtxSsrc === undefined ? {} : { rtxSsrc }),
      ...(playoutDelay === undefined ? {} : { playoutDelay }),
    };
  }

  #carry(watched: Watched, by: { mid: string; sender: VideoSender }): void {
    const { stage } = watched;
    if (stage.at === "opening") return;
    if (stage.at === "ready") watched.stage = { at: "answered", feed: stage.feed, ...by };
    else if (stage.mid !== by.mid) throw new ProtocolError("Cannot play a camera in two sections");
  }

  #codec(section: MediaOffer): H264Offer | undefined {
    const watched = section.camera === null ? undefined : this.#watched.get(section.camera);
    const feed = watched && feedOf(watched.stage);
    return feed && chooseCodec(section.codecs, feed.profileLevelId);
  }
}

/** Why a camera was not opened; `busy` says nothing of cameras that this page may not know. */
function refusalOf(error: unknown): CameraCode {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return REFUSALS.find((known) => known === code) ?? "busy";
}

function feedOf(stage: Stage): CameraFeed | undefined {
  return stage.at === "opening" ? undefined : stage.feed;
}

function stateMessage(
  camera: string,
  change: { state: CameraState; code?: CameraCode | undefined },
): ControlMessage {
  const { state, code } = change;
  const message = { type: "camera-state", camera, state } as const;
  return code === undefined ? message : { ...message, code };
}
