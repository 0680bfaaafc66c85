/** One viewer of a camera: waits for the picture, then gets frames with timestamps of its own. */
import type { VideoFrame } from "./frame_preparer.ts";
import type { CameraCode, CameraState } from "./source.ts";
import { Timeline } from "./timeline.ts";

export interface CameraListener {
  state(state: CameraState, code?: CameraCode): void;
}

export interface FrameSink {
  sendFrame(frame: VideoFrame): void;
}

/** The frames since the last key frame, at this moment. */
export interface Kept {
  readonly now: number;
  readonly run: number;
  readonly frames: readonly VideoFrame[];
}

/** Between two times that a viewer gets the kept frames, in ms: a lossy path asks again and again. */
export const PLAY_AGAIN_MS = 2000;

export class Viewer {
  readonly #listener: CameraListener;
  readonly #timeline: Timeline;
  readonly #ready = Promise.withResolvers<void>();
  #sink: FrameSink | undefined;
  #awaitsKey = true;
  #playedAt = -Infinity;

  constructor(listener: CameraListener, firstTimestamp: number) {
    this.#listener = listener;
    this.#timeline = new Timeline(firstTimestamp);
    this.#ready.promise.catch(() => {}); // a viewer may leave before anyone waits
  }

  /** Resolves when there is a picture; rejects with the signal's reason. */
  async ready(signal: AbortSignal): Promise<void> {
    const onAbort = () => this.#ready.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      if (signal.aborted) onAbort();
      await this.#ready.promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Whoever waits for a picture waits in vain. */
  giveUp(error: Error): void {
    this.#ready.reject(error);
  }

  tell(state: CameraState, code?: CameraCode): void {
    if (state === "live") this.#ready.resolve();
    this.#listener.state(state, code);
  }

  /** Starts delivery with the frames kept so far. */
  play(sink: FrameSink, kept: Kept): void {
    this.#sink = sink;
    this.#playKept(kept);
  }

  /**
   * The viewer lost the picture: the kept frames once more, so that it need not wait for the
   * camera's next key frame. Not often: they cost as much as the seconds that they are of.
   */
  playAgain(kept: Kept): void {
    if (this.#sink === undefined || kept.now - this.#playedAt < PLAY_AGAIN_MS) return;
    this.#playKept(kept);
  }

  #playKept({ now, run, frames }: Kept): void {
    this.#playedAt = now;
    for (const frame of frames) {
      const timestamp = this.#timeline.past(now, { run, timestamp: frame.timestamp });
      this.#send({ ...frame, timestamp, kept: true });
    }
  }

  take(frame: VideoFrame, moment: { now: number; run: number }): void {
    if (this.#sink === undefined || (this.#awaitsKey && !frame.keyFrame)) return;
    const { timestamp } = frame;
    const own = this.#timeline.live(moment.now, { run: moment.run, timestamp });
    this.#send({ ...frame, timestamp: own });
  }

  #send(frame: VideoFrame): void {
    this.#awaitsKey = false;
    this.#sink?.sendFrame(frame);
  }
}
