/**
 * Whose frame goes next: streams with little to say ahead of bulk, round-robin among equals, and one bulk frame after
 * each burst of small ones so that nobody starves. Classes by kind of request are a later widening of `interactive`.
 */
import { INTERACTIVE_BURST, INTERACTIVE_BYTES } from "./limits.ts";
import type { Stream } from "./stream.ts";

/** The ring of open streams. */
export class Scheduler {
  #ring: Stream[] = [];
  #turn = 0;
  #burst = 0;

  add(stream: Stream): void {
    this.#ring.push(stream);
  }

  remove(stream: Stream): void {
    const index = this.#ring.indexOf(stream);
    if (index < 0) return;
    this.#ring.splice(index, 1);
    if (index < this.#turn) this.#turn--;
  }

  /** The stream that may send now, or undefined when none has both bytes and credit. */
  next(connectionCredit: number): Stream | undefined {
    const ready = (stream: Stream) => stream.ready(connectionCredit);
    const interactive = this.#find((stream) => ready(stream) && isInteractive(stream));
    if (interactive === undefined) return this.#take(this.#find(ready), 0);
    if (this.#burst < INTERACTIVE_BURST) return this.#take(interactive, this.#burst + 1);
    const bulk = this.#find((stream) => ready(stream) && !isInteractive(stream));
    return this.#take(bulk ?? interactive, 0);
  }

  #find(wanted: (stream: Stream) => boolean): number | undefined {
    for (let step = 0; step < this.#ring.length; step++) {
      const index = (this.#turn + step) % this.#ring.length;
      if (wanted(this.#ring[index]!)) return index;
    }
    return undefined;
  }

  #take(index: number | undefined, burst: number): Stream | undefined {
    if (index === undefined) return undefined;
    this.#burst = burst;
    this.#turn = (index + 1) % this.#ring.length;
    return this.#ring[index];
  }
}

function isInteractive(stream: Stream): boolean {
  return stream.queue.bytes <= INTERACTIVE_BYTES;
}
