/** A message of the handshake that is repeated until it is answered (RFC 9260 5.1, 9.2). */

export class Retry {
  /** When it is to be sent again. */
  at: number;
  /** Times it has been sent. */
  attempts = 1;
  #delay: number;
  readonly #most: number;
  readonly #maxDelay: number;

  constructor(
    now: number,
    limits: { readonly delay: number; readonly maxDelay: number; readonly attempts: number },
  ) {
    this.#delay = limits.delay;
    this.#maxDelay = limits.maxDelay;
    this.#most = limits.attempts;
    this.at = now + limits.delay;
  }

  /** What to do now; "again" doubles the wait (6.3.3 E2). */
  tick(now: number): "wait" | "again" | "give up" {
    if (now < this.at) return "wait";
    if (this.attempts >= this.#most) return "give up";
    this.attempts++;
    this.#delay = Math.min(this.#delay * 2, this.#maxDelay);
    this.at = now + this.#delay;
    return "again";
  }
}
