/**
 * Whether the device still answers: pings that go out and pongs that come back, over the caller's clock. Pure. It says
 * for how long there was no answer; a path that stays silent is lost (DESIGN 7), and after `LIMIT_MS` so is the session.
 */

/** How often a ping goes out. */
export const PING_INTERVAL_MS = 1000;

/** How often to look at the silence. */
export const LOOK_INTERVAL_MS = 250;

/** A ping unanswered for this long: another path is looked for, which costs little if this one still works. */
export const DOUBT_MS = 1500;

/** A ping unanswered for this long: people are told. */
export const SILENCE_MS = 3000;

/** A ping unanswered for this long ends the session (DESIGN 6). */
export const LIMIT_MS = 30_000;

// Two clock ticks this far apart mean that the page was frozen (a laptop slept, a phone put the tab aside): what went
// unanswered in the meantime proves nothing.
const FREEZE_MS = 2500;

/** What to do at a tick: send the ping with this id, or give up. */
export type LivenessStep = { readonly ping: number } | "lost";

export class Liveness {
  #nextId = 1;
  #lastTick: number | undefined;
  /** Ids and sending times of unanswered pings, oldest first; at most LIMIT_MS / PING_INTERVAL_MS + 1 of them. */
  #waiting: { readonly id: number; readonly sentAt: number }[] = [];
  /** When something of the device came last; -Infinity before that. */
  heardAt = -Infinity;
  /** Round trip of the last answered ping in milliseconds. */
  roundTrip: number | undefined;

  /** To be called every `PING_INTERVAL_MS`. */
  tick(now: number): LivenessStep {
    if (this.#lastTick !== undefined && now - this.#lastTick > FREEZE_MS) this.#waiting = [];
    this.#lastTick = now;
    if (this.silence(now) >= LIMIT_MS) return "lost";
    const id = this.#nextId++;
    this.#waiting.push({ id, sentAt: now });
    return { ping: id };
  }

  /** For how long the device has not answered, in milliseconds; 0 when no answer is due. */
  silence(now: number): number {
    const [oldest] = this.#waiting;
    if (oldest === undefined) return 0;
    // Answers to what was sent before a gap come one by one after it: each shows that the path is there.
    return now - Math.max(oldest.sentAt, this.heardAt);
  }

  /** Some message of the device came: there is a path. */
  heard(now: number): void {
    this.heardAt = now;
  }

  /** A pong came. Pongs that nobody waits for are ignored. */
  pong(id: number, now: number): void {
    const ping = this.#waiting.find((one) => one.id === id);
    if (ping === undefined) return;
    this.roundTrip = now - ping.sentAt;
    this.heardAt = now;
    this.#waiting = this.#waiting.filter((one) => one.id > id);
  }
}
