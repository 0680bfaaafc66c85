/**
 * One camera, many viewers. The hub starts the source for the first viewer, stops it a moment after
 * the last, tries again when it fails, keeps the frames since the last key frame and hands every
 * frame to every viewer. It decides nothing about who may look (agent/) and nothing about the
 * network: a viewer who is slow is slow in webrtc/, and no other notices.
 */
import { randomInt } from "node:crypto";
import { backoffMs } from "../lib/backoff.ts";
import type { Log } from "../lib/log.ts";
import { type Clock, sleep } from "./clock.ts";
import { FramePreparer, type VideoFrame } from "./frame_preparer.ts";
import { KeptFrames } from "./gop.ts";
import {
  type AccessUnit,
  asCameraError,
  type CameraCode,
  CameraError,
  type CameraState,
  type Source,
} from "./source.ts";
import { type CameraListener, type FrameSink, type Kept, Viewer } from "./viewer.ts";

/**
 * A page that is reloaded, or a viewer that comes right after another, finds the camera running.
 */
export const LINGER_MS = 2000;
/**
 * A stream with no usable key frame for so long never has one; cameras in "smart" modes leave up to
 * 20 s between two.
 */
export const KEY_FRAME_LIMIT_MS = 30_000;
/** What is worth playing again for a lost picture: a second of 16 Mbit/s. */
const MAX_AGAIN_BYTES = 2 * 1024 * 1024;
/** More than sessions allow; stops a session that opens without end. */
export const MAX_VIEWERS = 256;

const RETRY_FLOOR_MS = 1000; // half of it is jitter: 0.5 s to 1 s
const RETRY_CEILING_MS = 30_000;
// Cameras lock an account after 5 to 10 wrong passwords: from about a minute, doubling up to ten.
const REFUSED_FLOOR_MS = 60_000;
const REFUSED_CEILING_MS = 600_000;
// a picture for so long is a camera that works: the next failure is its first
const STEADY_MS = 10_000;

/** A running camera, as one viewer sees it. */
export interface CameraFeed {
  /** Of the sequence parameters in use. */
  readonly profileLevelId: string;
  /** Starts delivery: the kept frames since the last key frame at once, then live. Call once. */
  play(sink: FrameSink): void;
  /**
   * The picture is lost. Neither RTSP nor a running program takes such a wish, so the kept frames are
   * played again; where there are too many, the camera's next key frame comes by itself.
   */
  keyFrameWanted(): void;
  close(): void;
}

export interface HubOptions {
  readonly camera: string;
  readonly source: Source;
  readonly log: Log;
  readonly clock: Clock;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
}

type State =
  | { readonly step: "idle" }
  | { readonly step: "starting" }
  | { readonly step: "live"; readonly since: number }
  | { readonly step: "waiting"; readonly code: CameraCode }
  | { readonly step: "stopping" }
  | { readonly step: "closed" };

export class CameraHub {
  readonly #options: HubOptions;
  readonly #viewers = new Set<Viewer>();
  readonly #kept = new KeptFrames();
  #state: State = { step: "idle" };
  #stop = new AbortController();
  #work: Promise<void> = Promise.resolve();
  #cancelLinger: () => void = () => {};
  #run = 0;
  #profileLevelId = "";
  #failures = 0;
  #retryAt = 0;
  #lastCode: CameraCode = "broken";

  constructor(options: HubOptions) {
    this.#options = options;
  }

  /**
   * Resolves when there is a picture; until then `listener` hears how it goes, and afterwards too.
   * Rejects with the signal's reason, or with a CameraError `busy` above MAX_VIEWERS or `ended`
   * when the hub is closed.
   */
  async open(listener: CameraListener, signal: AbortSignal): Promise<CameraFeed> {
    signal.throwIfAborted();
    const camera = this.#options.camera;
    if (this.#state.step === "closed") {
      throw new CameraError("ended", `Cannot open camera "${camera}": closed`);
    }
    if (this.#viewers.size >= MAX_VIEWERS) {
      throw new CameraError("busy", `Cannot open camera "${camera}": ${MAX_VIEWERS} viewers`);
    }
    const viewer = new Viewer(listener, randomInt(2 ** 32));
    this.#join(viewer);
    try {
      await viewer.ready(signal);
    } catch (error) {
      this.#leave(viewer);
      throw error;
    }
    return this.#feed(viewer);
  }

  /** Ends the source at once. Resolves when everything is released. */
  async close(): Promise<void> {
    this.#cancelLinger();
    for (const viewer of this.#viewers) {
      viewer.giveUp(new CameraError("ended", "Cannot open camera: closed"));
    }
    this.#viewers.clear();
    this.#enter({ step: "closed" });
    this.#stop.abort();
    await this.#work;
  }

  #feed(viewer: Viewer): CameraFeed {
    const profileLevelId = () => this.#profileLevelId;
    return {
      get profileLevelId() {
        return profileLevelId();
      },
      play: (sink) => this.#play(viewer, sink),
      keyFrameWanted: () => this.#playAgain(viewer),
      close: () => this.#leave(viewer),
    };
  }

  #play(viewer: Viewer, sink: FrameSink): void {
    if (!this.#viewers.has(viewer)) return; // closed meanwhile
    this.#guard(viewer, () => viewer.play(sink, this.#keptNow()));
  }

  #playAgain(viewer: Viewer): void {
    if (!this.#viewers.has(viewer) || this.#kept.bytes > MAX_AGAIN_BYTES) return;
    this.#guard(viewer, () => viewer.playAgain(this.#keptNow()));
  }

  #keptNow(): Kept {
    return { now: this.#options.clock.now(), run: this.#run, frames: this.#kept.frames };
  }

  #join(viewer: Viewer): void {
    this.#cancelLinger();
    this.#viewers.add(viewer);
    if (this.#state.step === "idle") this.#start();
    else this.#tell(viewer);
  }

  #leave(viewer: Viewer): void {
    if (!this.#viewers.delete(viewer) || this.#viewers.size > 0) return;
    this.#cancelLinger();
    this.#cancelLinger = this.#options.clock.after(LINGER_MS, () => this.#halt());
  }

  #start(): void {
    this.#stop = new AbortController();
    this.#enter(
      this.#mustWait() ? { step: "waiting", code: this.#lastCode } : { step: "starting" },
    );
    this.#work = this.#keepRunning(this.#stop.signal);
  }

  /**
   * After a refused password even a new viewer waits: reloading a page must not lock the camera's
   * account.
   */
  #mustWait(): boolean {
    return this.#lastCode === "unauthorised" && this.#options.clock.now() < this.#retryAt;
  }

  #halt(): void {
    if (this.#state.step === "idle" || this.#state.step === "closed") return;
    this.#enter({ step: "stopping" });
    this.#stop.abort();
  }

  async #keepRunning(stop: AbortSignal): Promise<void> {
    const { clock, log, camera } = this.#options;
    if (this.#mustWait()) await sleep(clock, this.#retryAt - clock.now(), stop);
    while (!stop.aborted) {
      const error = await this.#runOnce(stop);
      if (stop.aborted) break;
      log.warn("camera.failed", { camera, code: error.code, reason: error.message });
      await sleep(clock, this.#noteFailure(error.code), stop);
    }
    log.info("camera.stopped", { camera });
    this.#kept.clear();
    if (this.#state.step === "closed") return;
    this.#enter({ step: "idle" });
    if (this.#viewers.size > 0) this.#start(); // someone came while it stopped
  }

  /** Gives the time to wait before the next try. */
  #noteFailure(code: CameraCode): number {
    const { clock, random } = this.#options;
    const now = clock.now();
    const steady = this.#state.step === "live" && now - this.#state.since >= STEADY_MS;
    const refusedBefore = this.#lastCode === "unauthorised";
    if (steady || refusedBefore !== (code === "unauthorised")) this.#failures = 0;
    const wait = code === "unauthorised"
      ? { floorMs: REFUSED_FLOOR_MS, ceilingMs: REFUSED_CEILING_MS }
      : { floorMs: RETRY_FLOOR_MS, ceilingMs: RETRY_CEILING_MS };
    const attempt = code === "unsupported" ? Infinity : this.#failures++;
    const ms = backoffMs(attempt, { ...wait, random: random() });
    this.#retryAt = now + ms;
    this.#lastCode = code;
    this.#enter({ step: "waiting", code });
    return ms;
  }

  /** Resolves with the reason why the source is over; of no meaning when `stop` aborted. */
  async #runOnce(stop: AbortSignal): Promise<CameraError> {
    const halt = new AbortController();
    const onStop = () => halt.abort();
    stop.addEventListener("abort", onStop, { once: true });
    let failure: CameraError | undefined;
    const fail = (error: unknown) => {
      failure ??= asCameraError(error);
      halt.abort();
    };
    const cancelLimit = this.#options.clock.after(KEY_FRAME_LIMIT_MS, () => {
      if (this.#state.step === "live") return;
      fail(
        new CameraError(
          "unsupported",
          "Cannot show video: no H.264 key frame (IDR) with parameter sets (SPS, PPS) comes",
        ),
      );
    });
    try {
      await this.#options.source.run(this.#newSink(halt.signal, fail), halt.signal);
      return failure ?? new CameraError("ended", "Cannot show video: source ended");
    } catch (error) {
      return failure ?? asCameraError(error);
    } finally {
      cancelLimit();
      stop.removeEventListener("abort", onStop);
      this.#kept.clear();
    }
  }

  #newSink(signal: AbortSignal, fail: (error: unknown) => void): { unit(unit: AccessUnit): void } {
    const preparer = new FramePreparer();
    this.#run++;
    return {
      unit: (unit) => {
        if (signal.aborted) return;
        try {
          const before = preparer.leftOut;
          const frame = preparer.prepare(unit);
          if (frame !== undefined) this.#deliver(frame, preparer);
          if (before === 0 && preparer.leftOut > 0) this.#warnOfBFrames();
        } catch (error) {
          fail(error);
        }
      },
    };
  }

  #deliver(frame: VideoFrame, preparer: FramePreparer): void {
    const now = this.#options.clock.now();
    if (frame.keyFrame) this.#profileLevelId = preparer.parameters?.profileLevelId ?? "";
    this.#kept.add(frame);
    if (this.#state.step !== "live") this.#goLive(now, preparer);
    for (const viewer of this.#viewers) {
      this.#guard(viewer, () => viewer.take(frame, { now, run: this.#run }));
    }
  }

  #goLive(now: number, preparer: FramePreparer): void {
    const { camera, log } = this.#options;
    const { width, height } = preparer.parameters ?? {};
    log.info("camera.started", { camera, profile: this.#profileLevelId, width, height });
    this.#enter({ step: "live", since: now });
  }

  #warnOfBFrames(): void {
    const reason = "B-frames are left out, the picture jerks: set them to 0 in the camera";
    this.#options.log.warn("camera.b_frames", { camera: this.#options.camera, reason });
  }

  /** The only place where the state changes and where listeners hear of it. */
  #enter(state: State): void {
    if (this.#state.step === "closed") return;
    this.#state = state;
    for (const viewer of this.#viewers) this.#tell(viewer);
  }

  #tell(viewer: Viewer): void {
    const told = stateForViewers(this.#state);
    if (told !== undefined) this.#guard(viewer, () => viewer.tell(told.state, told.code));
  }

  /** A viewer that throws is let go; the others and the source go on. */
  #guard(viewer: Viewer, call: () => void): void {
    try {
      call();
    } catch (error) {
      const { camera, log } = this.#options;
      log.error("camera.viewer_failed", { camera, reason: asCameraError(error).message });
      this.#leave(viewer);
    }
  }
}

function stateForViewers(state: State): { state: CameraState; code?: CameraCode } | undefined {
  switch (state.step) {
    case "starting":
    case "live":
      return { state: state.step };
    case "stopping": // whoever comes now is served as soon as it has stopped
      return { state: "starting" };
    case "waiting":
      return { state: needsPerson(state.code) ? "failed" : "waiting", code: state.code };
    case "idle":
    case "closed":
      return undefined;
  }
}

function needsPerson(code: CameraCode): boolean {
  return code === "unauthorised" || code === "unsupported";
}
