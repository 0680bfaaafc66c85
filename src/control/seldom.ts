/**
 * Work that is due when something has changed: at once, and however often that happens not again before a pause is over.
 *
 *   idle --ask--> pausing --ask--> pausing, due --pause over--> pausing        pausing --pause over--> idle
 */
export class Seldom {
  readonly #work: () => void;
  readonly #pauseMs: number;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #isDue = false;

  /** `work` must not throw. */
  constructor(work: () => void, pauseMs: number) {
    this.#work = work;
    this.#pauseMs = pauseMs;
  }

  ask(): void {
    if (this.#pause !== undefined) {
      this.#isDue = true;
      return;
    }
    this.#pause = setTimeout(() => this.#over(), this.#pauseMs);
    this.#work();
  }

  /** Forgets what is due. Work that is asked for again is done again. */
  stop(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#isDue = false;
  }

  #over(): void {
    const isDue = this.#isDue;
    this.stop();
    if (isDue) this.ask();
  }
}
