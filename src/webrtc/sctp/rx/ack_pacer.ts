/**
 * How fast acknowledgements may leave: those of a lump of packets over half a round trip, so that
 * the sender's next packets come spread as well. Chromium sends on each SACK and has no pacer, so
 * that else its whole window arrives as one lump, round trip after round trip, until a lump
 * overflows a queue (measured at 50 ms: 57 Mbit/s up with this, 25 without).
 *
 * A bucket that fills with twice the rate of what came in the last round trip: a window that grows
 * by half or doubles is not held back. No deadline of its own without packets that wait.
 */

const GAIN = 2;
/** Packets that are acknowledged at once whatever came before: a third of what a UDP socket holds. */
const BURST_PACKETS = 32;
/** Time whose packets may be acknowledged at once, so that coarse timers do not slow a fast path. */
const BURST_MS = 4;
/** From one look to the next, while something waits: timers of both runtimes are no finer. */
const LOOK_MS = 2;
/** Longest time over which a round trip's packets are spread; RFC 9260 6.2 allows 500 ms at most. */
const MAX_SPREAD_MS = 200;

export class AckPacer {
  /** Packets of the round trip under way, and of the one before. */
  #packets = 0;
  #packetsBefore = 0;
  #roundAt = -Infinity;
  /** Smallest round trip in ms; Infinity while unknown: then nothing waits. */
  #rtt = Infinity;
  #budget = BURST_PACKETS;
  #budgetAt = 0;

  /** When to look again. */
  get at(): number {
    return this.#budgetAt + LOOK_MS;
  }

  /** A packet has come. */
  note(now: number, rtt: number): void {
    this.#rtt = rtt;
    if (now - this.#roundAt >= rtt) {
      this.#packetsBefore = this.#packets;
      this.#packets = 0;
      this.#roundAt = now;
    }
    this.#packets++;
  }

  /** Whether so many packets may be acknowledged now. */
  allows(now: number, packets: number): boolean {
    if (this.#rtt === Infinity) return true;
    const spread = Math.min(this.#rtt / GAIN, MAX_SPREAD_MS);
    const rate = Math.max(this.#packets, this.#packetsBefore) / spread;
    const most = Math.max(BURST_PACKETS, rate * BURST_MS);
    this.#budget = Math.min(this.#budget + (now - this.#budgetAt) * rate, most);
    this.#budgetAt = now;
    return this.#budget >= packets;
  }

  /** So many packets are acknowledged. */
  spend(packets: number): void {
    this.#budget -= packets;
  }
}
