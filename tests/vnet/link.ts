/**
 * A virtual link between two ends, with fake time: 120 s pass in milliseconds, and the same seed gives the same run.
 * It carries a reliable, ordered channel over a lossy path, as SCTP gives it: a lost message comes late, and
 * everything behind it waits for it.
 */

/** What a path does to messages. */
export interface Path {
  /** One way, in ms. */
  readonly delay: number;
  /** Share of messages that are lost, 0 to 1; each loss costs `retransmitAfter` ms. */
  readonly loss: number;
  readonly retransmitAfter: number;
  /** Bytes per ms; Infinity for a path without a rate. */
  readonly rate: number;
}

export const PERFECT: Path = { delay: 0, loss: 0, retransmitAfter: 0, rate: Infinity };

/** Numbers between 0 and 1 from a seed (mulberry32), so that a failed run can be repeated. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Time that moves only when told to. */
export class VirtualClock {
  now = 0;
  #events: Event[] = [];
  #order = 0;

  schedule(at: number, run: () => void): void {
    this.#events.push({ at: Math.max(at, this.now), order: this.#order++, run });
    this.#events.sort((a, b) => a.at - b.at || a.order - b.order);
  }

  /** Runs what is due until nothing is left or `limit` ms have passed; gives false when it hit the limit. */
  run(limit: number): boolean {
    const end = this.now + limit;
    for (let event = this.#events[0]; event !== undefined; event = this.#events[0]) {
      if (event.at > end) return false;
      this.#events.shift();
      this.now = event.at;
      event.run();
    }
    return true;
  }
}

/** One direction of a channel. */
export class VirtualChannel {
  /** Bytes handed over that have not left. */
  bufferedAmount = 0;
  #freeAt = 0;
  #lastArrival = 0;

  constructor(
    readonly clock: VirtualClock,
    readonly path: Path,
    readonly ends: { random: () => number; deliver: (bytes: Uint8Array) => void; left: () => void },
  ) {}

  send(bytes: Uint8Array): void {
    const { clock, path, ends } = this;
    this.bufferedAmount += bytes.length;
    this.#freeAt = Math.max(this.#freeAt, clock.now) + bytes.length / path.rate;
    let arrival = this.#freeAt + path.delay;
    while (ends.random() < path.loss) arrival += path.retransmitAfter;
    this.#lastArrival = Math.max(this.#lastArrival, arrival);
    clock.schedule(this.#freeAt, () => {
      this.bufferedAmount -= bytes.length;
      ends.left();
    });
    clock.schedule(this.#lastArrival, () => ends.deliver(bytes));
  }
}
