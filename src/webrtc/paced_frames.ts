/**
 * The frames on their way to one browser, so that a key frame does not burst the uplink. Small frames
 * leave at once, large ones in pieces at the rate of the path. What would come too late is dropped:
 * whole frames only, and everything up to the next key frame, because the decoder needs what comes
 * before. Numbers are given when packets leave, so that nothing seems lost. Pure: time is an argument.
 */
import type { FramePart, VideoFrame } from "./rtp_stream.ts";

/** What may leave at once: one picture of most streams, and what every router's queue holds. */
export const BURST_BYTES = 15_000;
/**
 * What waits may take the path this long, in ms: a live picture behind more is late, and better is
 * the next key frame. By the path's time, not by the clock's: a busy processor is no slow viewer.
 */
export const MAX_WAIT_MS = 500;
/** The same for pictures from before a viewer came. */
export const MAX_CATCH_UP_MS = 3000;
/** Above what a camera gives within MAX_CATCH_UP_MS; stops a program that writes pictures without end. */
const MAX_FRAMES = 1024;
/** Between two pieces: timers are not finer than 1 ms, and each wakes the process. */
const STEP_MS = 4;
const BITS_MS = 8000; // bits of a byte times ms of a second

interface Waiting {
  readonly frame: VideoFrame;
  /** Of its packets that have not left. */
  bytes: number;
  next: number;
}

export class PacedFrames {
  #queue: Waiting[] = [];
  #allowance = BURST_BYTES;
  #filledAt = 0;
  #awaitsKey = false;
  #dropped = 0;

  /** Frames that were left out since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a frame, or drops it and perhaps others. `rate` is in bits a second. */
  push(frame: VideoFrame, rate: number): void {
    if (frame.kept === true && frame.keyFrame) this.#clear(); // played again from its start
    else if (this.#isLate(rate)) {
      this.#clear();
      this.#awaitsKey = true;
    }
    // Whoever is too slow for what is live is not helped by what was.
    if (this.#awaitsKey && (!frame.keyFrame || frame.kept === true)) {
      this.#dropped++;
      return;
    }
    this.#awaitsKey = false;
    const bytes = frame.payloads.reduce((sum, { length }) => sum + length, 0);
    this.#queue.push({ frame, bytes, next: 0 });
  }

  /** What leaves now, at `rate` bits a second. */
  take(now: number, rate: number): FramePart[] {
    const earned = (now - this.#filledAt) * rate / BITS_MS;
    this.#allowance = Math.min(BURST_BYTES, this.#allowance + Math.max(0, earned));
    this.#filledAt = now;
    const parts: FramePart[] = [];
    while (this.#queue.length > 0 && this.#allowance > 0) {
      parts.push(this.#takePart(this.#queue[0]!));
    }
    return parts;
  }

  /** In how many ms there is more to take; undefined when nothing waits. */
  wait(rate: number): number | undefined {
    if (this.#queue.length === 0) return undefined;
    return Math.max(STEP_MS, -this.#allowance * BITS_MS / rate);
  }

  #takePart(waiting: Waiting): FramePart {
    const { frame, next } = waiting;
    let end = next;
    while (end < frame.payloads.length && this.#allowance > 0) {
      const { length } = frame.payloads[end++]!;
      this.#allowance -= length;
      waiting.bytes -= length;
    }
    waiting.next = end;
    const ends = end === frame.payloads.length;
    if (ends) this.#queue.shift();
    return { payloads: frame.payloads.slice(next, end), timestamp: frame.timestamp, ends };
  }

  #isLate(rate: number): boolean {
    const bytes = this.#queue.reduce((sum, waiting) => sum + waiting.bytes, 0);
    const limit = this.#queue.some(({ frame }) => frame.kept) ? MAX_CATCH_UP_MS : MAX_WAIT_MS;
    return bytes * BITS_MS / rate > limit || this.#queue.length >= MAX_FRAMES;
  }

  /** A frame of which a part has left goes on: the decoder would show half of it. */
  #clear(): void {
    const begun = this.#queue.filter(({ next }) => next > 0);
    this.#dropped += this.#queue.length - begun.length;
    this.#queue = begun;
  }
}
