/** Runs asynchronous steps one after the other, so that counters and states see them in the order of the calls. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `step` when all earlier ones have ended, well or badly. Results settle in the order of the calls. */
  run<Result>(step: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(step);
    this.#last = result.catch(() => undefined); // whoever called `run` has the rejection
    return result;
  }
}
