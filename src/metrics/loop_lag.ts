/** How long the event loop keeps others waiting: by how much a timer is late. */
import type { Metric } from "./exposition.ts";

const PERIOD_MS = 500;

export class LoopLag {
  #timer: ReturnType<typeof setInterval> | undefined;
  #expectedAt = 0;
  #last = 0;
  #greatest = 0;

  start(): void {
    this.#expectedAt = performance.now() + PERIOD_MS;
    this.#timer = setInterval(() => this.#look(), PERIOD_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Seconds. The greatest since the last call, so that no scrape misses one. */
  metrics(): Metric[] {
    const greatest = this.#greatest;
    this.#greatest = 0;
    return [
      gauge("porthole_event_loop_lag_seconds", "How late a timer was, the last time.", this.#last),
      gauge("porthole_event_loop_lag_max_seconds", "The latest since the last scrape.", greatest),
    ];
  }

  #look(): void {
    const now = performance.now();
    this.#last = Math.max(0, now - this.#expectedAt) / 1000;
    this.#greatest = Math.max(this.#greatest, this.#last);
    this.#expectedAt = now + PERIOD_MS;
  }
}

function gauge(name: string, help: string, value: number): Metric {
  return { name, help, kind: "gauge", samples: [{ value }] };
}
