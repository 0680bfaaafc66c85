/**
 * How much window is worth telling: twice what came in the last round trip, so that a sender may
 * still double, and never less than what a UDP socket holds. A device that gets little done would
 * else be sent a full window at once, most of it past the end of its socket's buffer.
 */

/**
 * What a socket of Linux holds by default (212,992 bytes with their bookkeeping, about 90 packets).
 */
export const MIN_GOAL_BYTES = 98_304;
const GAIN = 2;
/** Shortest round, in ms: on a short path the event loops of both ends are most of a round trip. */
const MIN_ROUND_MS = 10;
/** Rounds that count: one without a packet, between two lumps, is no reason. */
const ROUNDS = 4;

export class WindowGoal {
  /** Bytes of the last rounds; the first is under way. */
  readonly #rounds = new Array<number>(ROUNDS).fill(0);
  #roundAt = -Infinity;

  /** Bytes to tell at most. */
  get bytes(): number {
    return Math.max(MIN_GOAL_BYTES, GAIN * Math.max(...this.#rounds));
  }

  /** So many bytes have come. `rtt` is the smallest round trip in ms, Infinity while unknown. */
  note(now: number, bytes: number, rtt: number): void {
    if (rtt !== Infinity && now - this.#roundAt >= Math.max(rtt, MIN_ROUND_MS)) {
      this.#rounds.pop();
      this.#rounds.unshift(0);
      this.#roundAt = now;
    }
    this.#rounds[0]! += bytes;
  }
}
