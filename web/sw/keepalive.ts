/**
 * Keeps the service worker alive while streams are open: Firefox ends one after 30 s even while it answers, and the page
 * sees a clean end of file (browser-proxying.md 0.3). A message of a page counts as work there, so a bridge is asked for
 * one; one to itself does elsewhere. The same beat looks after streams whose bridge went away without a word.
 */

/** Three beats fit into Firefox' 30 s, so that one may be late. */
const BEAT_MS = 10_000;

/** Beats while somebody holds it. */
export class KeepAlive {
  readonly #beat: () => void;
  readonly #interval: number;
  readonly #holders = new Set<() => void>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** `beat` posts the message; it must not throw. `interval` in ms; tests bring their own. */
  constructor(beat: () => void, interval = BEAT_MS) {
    this.#beat = beat;
    this.#interval = interval;
  }

  /** Holds the worker until the function that it gives is called. `onBeat` is called with every beat. */
  hold(onBeat: () => void): () => void {
    const holder = () => onBeat();
    this.#holders.add(holder);
    this.#timer ??= setInterval(() => this.#tick(), this.#interval);
    return () => this.#release(holder);
  }

  #tick(): void {
    this.#beat();
    for (const holder of this.#holders) holder();
  }

  #release(holder: () => void): void {
    this.#holders.delete(holder);
    if (this.#holders.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
