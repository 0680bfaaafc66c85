/**
 * Whether the device still answers: pings that go out and pongs that come back, over the caller's clock. Pure. A dead
 * path is seen within `SILENCE_MS` (DESIGN 7), whatever the peer connection believes.
 */

/** How often a ping goes out. */
export const PING_INTERVAL_MS = 1000;

/** A ping unanswered for this long ends the connection. */
export const SILENCE_MS = 3000;

// Two clock ticks this far apart mean that the page was frozen (a laptop slept, a phone put the tab aside): what went
// unanswered in the meantime proves nothing.
const FREEZE_MS = 2500;

/** What to do at a tick: send the ping with this id, or give up. */
export type LivenessStep = { readonly ping: number } | "lost";

export class Liveness {
  #nextId = 1;
  #lastTick: number | undefined;
  /** Ids and sending times of unanswered pings, oldest first; at most SILENCE_MS / PING_INTERVAL_MS + 1 of them. */
  #waiting: { readonly id: number; readonly sentAt: number }[] = [];
  /** Round trip of the last answered ping in milliseconds. */
  roundTrip: number | undefined;

  /** To be called every `PING_INTERVAL_MS`. */
  tick(now: number): LivenessStep {
    if (this.#lastTick !== undefined && now - this.#lastTick > FREEZE_MS) this.#waiting = [];
    this.#lastTick = now;
    const oldest = this.#waiting[0];
    if (oldest !== undefined && now - oldest.sentAt >= SILENCE_MS) return "lost";
    const id = this.#nextId++;
    this.#waiting.push({ id, sentAt: now });
    return { ping: id };
  }

  /** A pong came. Pongs that nobody waits for are ignored. */
  pong(id: number, now: number): void {
    const ping = this.#waiting.find((one) => one.id === id);
    if (ping === undefined) return;
    this.roundTrip = now - ping.sentAt;
    this.#waiting = this.#waiting.filter((one) => one.id > id);
  }
}
