import { abortFailure } from "./failure.ts";
import { GATE_WAIT_MS, LONG_EXCHANGE_MS, SHORT_EXCHANGES } from "./limits.ts";

/**
 * Smooths bursts: a page of sixty files must not open sixty connections to a board that has four sockets. Only short
 * exchanges hold a place, and nobody waits longer than `waitMs`: one person's event streams, slow downloads or malice
 * cannot lock out another. How many exchanges there are at all is bounded by the streams of the sessions.
 */
export class Gate {
  readonly #places: number;
  readonly #longMs: number;
  readonly #waitMs: number;
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  constructor({ places = SHORT_EXCHANGES, longMs = LONG_EXCHANGE_MS, waitMs = GATE_WAIT_MS } = {}) {
    this.#places = places;
    this.#longMs = longMs;
    this.#waitMs = waitMs;
  }

  /** Resolves when it is this exchange's turn, with the function that ends it. Rejects when `signal` is aborted. */
  async enter(signal: AbortSignal): Promise<() => void> {
    if (this.#taken >= this.#places) await this.#turn(signal);
    if (signal.aborted) {
      this.#next();
      throw abortFailure(signal);
    }
    this.#taken++;
    let held = true;
    const leave = () => {
      clearTimeout(timer);
      if (!held) return;
      held = false;
      this.#taken--;
      this.#next();
    };
    const timer = setTimeout(leave, this.#longMs);
    return leave;
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", go);
        this.#waiting.delete(go);
        resolve();
      };
      const timer = setTimeout(go, this.#waitMs);
      signal.addEventListener("abort", go);
      this.#waiting.add(go);
    });
  }

  #next(): void {
    if (this.#taken >= this.#places) return;
    const [first] = this.#waiting;
    first?.();
  }
}
