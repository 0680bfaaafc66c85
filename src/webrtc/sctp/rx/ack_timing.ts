/** When a SACK is due (RFC 9260 6.2): every second packet, after a while, or at once. */

/**
 * RFC 9260 allows 200 ms at most. Short, since a sender that waits for us at the end of a message
 * waits this long; long enough that on any path worth the name a second packet comes first.
 */
export const SACK_DELAY_MS = 20;

export class AckTiming {
  #packets = 0;
  #at = Infinity;
  #isDue = false;

  /** When a SACK falls due by itself; Infinity when none is owed. */
  get deadline(): number {
    return this.#at;
  }

  get isOwed(): boolean {
    return this.#packets > 0 || this.#isDue;
  }

  isDue(now: number): boolean {
    return this.#isDue || now >= this.#at;
  }

  /** A packet with DATA has come; `urgent` for gaps, duplicates, and peers that ask for it. */
  notePacket(now: number, urgent: boolean): void {
    this.#packets++;
    if (urgent || this.#packets >= 2) this.#isDue = true;
    else this.#at = now + SACK_DELAY_MS;
  }

  /** Something else is worth a SACK: the window has opened. */
  demand(): void {
    this.#isDue = true;
  }

  sent(): void {
    this.#packets = 0;
    this.#isDue = false;
    this.#at = Infinity;
  }
}
