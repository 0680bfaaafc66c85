/**
 * One viewer's timestamps: strictly rising and as far apart as the pictures were taken, whatever
 * the source does: start again, loop, jump. Pure.
 */

/** Kept frames are past: they are shown as fast as they decode, a third of a millisecond apart. */
const STEP_TICKS = 30;
const TICKS_PER_MS = 90;
/** A larger distance is not two pictures of one run. */
const MAX_DISTANCE_TICKS = 10_000 * TICKS_PER_MS;
/**
 * A source that is so much further than the time that passed has set its clock: taken as it is, the
 * browser would wait for that long. The other way round is a picture that was late.
 */
const MAX_AHEAD_TICKS = 500 * TICKS_PER_MS;

export class Timeline {
  #timestamp: number;
  #last: { run: number; timestamp: number; at: number } | undefined;

  /** `start` is the first timestamp, best a random one (RFC 3550 5.1). */
  constructor(start: number) {
    this.#timestamp = start >>> 0;
  }

  /** For a frame kept from before. */
  past(now: number, frame: { run: number; timestamp: number }): number {
    return this.#advance(STEP_TICKS, now, frame);
  }

  /** For a frame of this moment. */
  live(now: number, frame: { run: number; timestamp: number }): number {
    return this.#advance(this.#distance(now, frame), now, frame);
  }

  #advance(ticks: number, now: number, frame: { run: number; timestamp: number }): number {
    if (this.#last !== undefined) this.#timestamp = (this.#timestamp + ticks) >>> 0;
    this.#last = { run: frame.run, timestamp: frame.timestamp, at: now };
    return this.#timestamp;
  }

  /** The source's own distance where it makes sense, else the time that has passed here. */
  #distance(now: number, frame: { run: number; timestamp: number }): number {
    if (this.#last === undefined) return 0;
    const ticks = (frame.timestamp - this.#last.timestamp) | 0;
    const passed = Math.round((now - this.#last.at) * TICKS_PER_MS);
    const plausible = ticks > 0 && ticks <= Math.min(MAX_DISTANCE_TICKS, passed + MAX_AHEAD_TICKS);
    if (frame.run === this.#last.run && plausible) return ticks;
    return Math.max(STEP_TICKS, Math.min(passed, 2 ** 31 - 1));
  }
}
