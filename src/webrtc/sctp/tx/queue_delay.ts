/**
 * The queue on the path, as delay above the empty round trip: the smallest of late, over a while
 * that is longer than the stalls of an event loop, so that one of those is not taken for a queue.
 */

/** Length of one of the two spans that are looked at, as a share of the round trip, and at least. */
const SPAN_SHARE = 1 / 4;
const MIN_SPAN_MS = 5;
/** HyStart++ (RFC 9406 4.2) asks for 8 samples in a round; a span is a part of one. */
const MIN_SAMPLES = 4;

export class QueueDelay {
  #before = Infinity;
  #current = Infinity;
  #samples = 0;
  #endsAt = 0;

  /** Takes a round trip; `smallest` is the empty one. */
  sample(now: number, rtt: number, smallest: number): void {
    if (now >= this.#endsAt && this.#samples >= MIN_SAMPLES) {
      this.#before = this.#current;
      this.#current = Infinity;
      this.#samples = 0;
      this.#endsAt = now + Math.max(smallest * SPAN_SHARE, MIN_SPAN_MS);
    }
    this.#current = Math.min(this.#current, rtt);
    this.#samples++;
  }

  /** ms above the empty round trip; 0 while too little is known. */
  above(smallest: number): number {
    if (this.#before === Infinity) return 0;
    return Math.max(0, Math.min(this.#before, this.#current) - smallest);
  }
}
