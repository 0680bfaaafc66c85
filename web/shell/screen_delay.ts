/** How long pictures take from their arrival at this browser to the screen. Pure. */

const MAX_PICTURES = 60; // two seconds of most cameras
/** A clock that jumped, or a tab that slept: no delay of a picture. */
const MAX_DELAY_MS = 10_000;

export class ScreenDelay {
  #delays: number[] = [];

  /** A picture that arrived at `received` is on the screen at `shown`; in ms of `performance.now`. */
  shown(received: number | undefined, shown: number): void {
    const delay = shown - (received ?? NaN);
    if (!(delay >= 0 && delay <= MAX_DELAY_MS)) return; // not told by this browser
    this.#delays.push(delay);
    if (this.#delays.length > MAX_PICTURES) this.#delays.shift();
  }

  /** The median of the last pictures, in ms; undefined where the browser does not tell. */
  get median(): number | undefined {
    return this.#delays.toSorted((a, b) => a - b)[this.#delays.length >> 1];
  }
}
