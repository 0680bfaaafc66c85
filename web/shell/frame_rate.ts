/** Pictures shown per second, from the times at which they were shown. Pure. */

const WINDOW_MS = 2000; // long enough for a calm number at 5 pictures a second, short enough to show a stall at once
const MAX_TIMES = 512; // two seconds at 240 pictures a second, and room

export class FrameRate {
  #times: number[] = [];
  #first: number | undefined;

  /** A picture was shown. */
  shown(now: number): void {
    this.#first ??= now;
    this.#times.push(now);
    if (this.#times.length > MAX_TIMES) this.#times.shift();
  }

  /** Pictures per second over the last two seconds, or since the first picture if that is less; rounded. */
  perSecond(now: number): number {
    this.#times = this.#times.filter((time) => time > now - WINDOW_MS);
    const spanMs = Math.min(WINDOW_MS, now - (this.#first ?? now));
    return spanMs <= 0 ? 0 : Math.round(this.#times.length / (spanMs / 1000));
  }
}
