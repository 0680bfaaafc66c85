/**
 * One viewer's timestamps: strictly rising and as far apart as the pictures were taken, whatever
 * the source does: start again, loop, jump. Pure.
 */

/** Kept frames are past: they are shown as fast as they decode, all of them within some 10 ms. */
const STEP_TICKS = 3;
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
  /** The first of the kept frames, when they were the last that came. */
  #caughtUpFrom: { timestamp: number; at: number } | undefined;

  /** `start` is the first timestamp, best a random one (RFC 3550 5.1). */
  constructor(start: number) {
    this.#timestamp = start >>> 0;
  }

  /** For a frame kept from before. */
  past(now: number, frame: { run: number; timestamp: number }): number {
    const timestamp = this.#advance(STEP_TICKS, now, frame);
    this.#caughtUpFrom ??= { timestamp, at: now };
    return timestamp;
  }

  /** For a frame of this moment. */
  live(now: number, frame: { run: number; timestamp: number }): number {
    const distance = this.#afterKept(now) ?? this.#distance(now, frame);
    this.#caughtUpFrom = undefined;
    return this.#advance(distance, now, frame);
  }

  /**
   * The first live frame is as far from the kept ones as it comes after them, not as far as it was
   * taken: else timestamps would run ahead of the time, and the browser would hold every picture back
   * for as long.
   */
  #afterKept(now: number): number | undefined {
    if (this.#caughtUpFrom === undefined) return undefined;
    const { timestamp, at } = this.#caughtUpFrom;
    const due = Math.round((now - at) * TICKS_PER_MS) - ((this.#timestamp - timestamp) | 0);
    return Math.max(STEP_TICKS, Math.min(due, 2 ** 31 - 1));
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
