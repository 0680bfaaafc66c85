/**
 * The frames since the last key frame, kept so that a new viewer sees a picture at once. Pure and
 * bounded.
 */
import type { VideoFrame } from "./frame_preparer.ts";

/** 10 s at 30 frames a second: what cameras in "smart" modes leave between key frames. */
export const MAX_KEPT_FRAMES = 300;
/** 16 Mbit/s for 4 s, for each camera. */
export const MAX_KEPT_BYTES = 8 * 1024 * 1024;

export class KeptFrames {
  #frames: VideoFrame[] = [];
  #bytes = 0;

  /** In order, a key frame first; empty until one has come. */
  get frames(): readonly VideoFrame[] {
    return this.#frames;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Above a limit all are let go: a new viewer then waits for the next key frame. */
  add(frame: VideoFrame): void {
    if (frame.keyFrame) this.clear();
    else if (this.#frames.length === 0) return;
    this.#frames.push(frame);
    for (const payload of frame.payloads) this.#bytes += payload.length;
    if (this.#frames.length > MAX_KEPT_FRAMES || this.#bytes > MAX_KEPT_BYTES) this.clear();
  }

  clear(): void {
    this.#frames = [];
    this.#bytes = 0;
  }
}
