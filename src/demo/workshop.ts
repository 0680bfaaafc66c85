import type { Feed } from "./feed.ts";

const READING_MS = 1000;

/** The machine itself: a lamp on a relay, and a thermometer beside it. */
export class Workshop {
  readonly #feed: Feed;
  readonly #readingMs: number;
  #isOn = false;
  #celsius = 21.5;
  #count = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(feed: Feed, { readingMs = READING_MS }: { readingMs?: number } = {}) {
    this.#feed = feed;
    this.#readingMs = readingMs;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  get celsius(): number {
    return this.#celsius;
  }

  /** Begins to measure. */
  start(): void {
    this.#feed.publish("log", { text: "controller started" });
    this.#feed.publish("relay", { on: this.#isOn });
    this.#measure();
    this.#timer = setInterval(() => this.#measure(), this.#readingMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Switches the lamp; everybody who listens is told. */
  switch(on: boolean): void {
    if (on === this.#isOn) return;
    this.#isOn = on;
    this.#feed.publish("relay", { on });
    this.#feed.publish("log", { text: `lamp switched ${on ? "on" : "off"}` });
  }

  /** The lamp warms the bench slowly; the day and the draught do the rest. */
  #measure(): void {
    this.#count++;
    const goal = (this.#isOn ? 27 : 21.5) + 0.4 * Math.sin(this.#count / 40);
    this.#celsius += (goal - this.#celsius) / 30 + 0.05 * Math.sin(this.#count * 1.7);
    this.#feed.publish("temperature", { celsius: Math.round(this.#celsius * 100) / 100 });
  }
}
