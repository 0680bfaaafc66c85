/**
 * Whose frame goes next: the most urgent class that has something to send, and in a class streams with little to say
 * ahead of others, round-robin among equals.
 *
 *   live    |k|k|            a class of its own lane; the first lane that is ready goes
 *   page    |====|====|      ... but for one byte in nine, which those behind it have in turn
 *   bulk    |==================>
 *
 * Nobody starves: DESIGN 8 wants small frames ahead of bulk in a session of one person, so a lane that waits is slowed
 * down and never stopped. The share is that of small frames among bulk (`INTERACTIVE_BURST`), counted in bytes, so that a
 * thousand keystrokes do not buy a download a thousand frames.
 */
import {
  INTERACTIVE_BURST,
  INTERACTIVE_BYTES,
  LANE_LEAD_BYTES,
  LANE_LEAD_SHARE,
} from "./limits.ts";
import type { Stream } from "./stream.ts";
import { URGENCIES } from "./urgency.ts";

/** The open streams, by class. */
export class Scheduler {
  readonly #lanes = URGENCIES.map(() => new Lane());
  readonly #laneOf = new Map<Stream, Lane>();
  /** Bytes by which the first lane is ahead of what those behind it are owed. */
  #lead = 0;
  /** Place of the lane behind the first that had a turn last. */
  #behind = 0;
  #pick: "first" | "behind" | "alone" = "alone";

  add(stream: Stream): void {
    const lane = this.#lanes[URGENCIES.indexOf(stream.urgency)]!; // one for each
    this.#laneOf.set(stream, lane);
    lane.add(stream);
  }

  remove(stream: Stream): void {
    this.#laneOf.get(stream)?.remove(stream);
    this.#laneOf.delete(stream);
  }

  /** A stream's class may have changed: puts it last into the new one. */
  move(stream: Stream): void {
    this.remove(stream);
    this.add(stream);
  }

  /** The stream that may send now, or undefined when none has both bytes and credit. Call `sent` with what it sent. */
  next(connectionCredit: number): Stream | undefined {
    const ready = this.#lanes.filter((lane) => lane.ready(connectionCredit));
    const [first, ...others] = ready;
    if (others.length === 0) {
      this.#pick = "alone";
      return first?.next(connectionCredit);
    }
    if (this.#lead < LANE_LEAD_BYTES) {
      this.#pick = "first";
      return first?.next(connectionCredit);
    }
    this.#pick = "behind";
    return this.#inTurn(others).next(connectionCredit);
  }

  /** What the last pick cost. */
  sent(bytes: number): void {
    if (this.#pick === "alone") this.#lead = 0;
    else this.#lead += this.#pick === "first" ? bytes : -bytes * LANE_LEAD_SHARE;
  }

  #inTurn(lanes: readonly Lane[]): Lane {
    const places = lanes.map((lane) => this.#lanes.indexOf(lane));
    this.#behind = places.find((place) => place > this.#behind) ?? places[0]!; // called with one at least
    return this.#lanes[this.#behind]!;
  }
}

/** The ring of one class's streams. */
class Lane {
  readonly #ring: Stream[] = [];
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

  ready(credit: number): boolean {
    return this.#ring.some((stream) => stream.ready(credit));
  }

  next(credit: number): Stream | undefined {
    const ready = (stream: Stream) => stream.ready(credit);
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
