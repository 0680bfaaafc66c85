/** Time that passes when a test says so. For tests only. */
import type { Clock } from "./clock.ts";

const SETTLE_TURNS = 20; // promise chains of the camera parts are far shorter

export class FakeClock implements Clock {
  #now = 0;
  #timers: { at: number; run: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  /** Lets `ms` pass, timer by timer, and everything follow that follows. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers = this.#timers.filter((one) => one !== next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
      await settle();
    }
    this.#now = end;
  }

  /** Timers that wait. */
  get waiting(): number {
    return this.#timers.length;
  }

  #next(end: number): { at: number; run: () => void } | undefined {
    return this.#timers.filter((one) => one.at <= end).sort((a, b) => a.at - b.at)[0];
  }
}

/** Runs what promises have ready. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn++) await Promise.resolve();
}
