/** Something that is worth telling once, however often it is asked for within an interval. */

/**
 *   idle --call, acts--> resting --call--> asked --interval over, acts--> resting --interval over--> idle
 */
export class Coalesced {
  readonly #act: () => void;
  readonly #interval: number;
  #state: "idle" | "resting" | "asked" | "closed" = "idle";
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `interval` in ms: acts at most once in it, and once after the last call. */
  constructor(act: () => void, interval: number) {
    this.#act = act;
    this.#interval = interval;
  }

  call(): void {
    if (this.#state === "resting") this.#state = "asked";
    if (this.#state === "idle") this.#go();
  }

  /** It never acts again. */
  close(): void {
    this.#state = "closed";
    clearTimeout(this.#timer);
  }

  #go(): void {
    this.#state = "resting";
    this.#timer = setTimeout(() => this.#rested(), this.#interval);
    this.#act();
  }

  #rested(): void {
    if (this.#state === "asked") this.#go();
    else if (this.#state === "resting") this.#state = "idle";
  }
}
