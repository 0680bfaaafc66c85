/**
 * Whether the path to the browser still works, whatever WebRTC believes (werift's consent takes half
 * a minute). A ping leaves every second; even where the page sleeps and answers none, the browser's
 * own transport acknowledges it, so that silence below means a dead path and not a tab in the
 * background. A path that was lost has its time to be found again, or replaced by another one: the
 * browser asks for that through the rendezvous. Pure: time is an argument.
 */

/** How often to look, in ms. */
export const LOOK_MS = 500;
/** A ping goes out at each second look: one a second, as the page does. */
const LOOKS_PER_PING = 2;
/** Silence that is worth a question to the browser's address, in ms: a ping went unanswered. */
export const PROBE_SILENCE_MS = 1200;
/**
 * Silence after which the path counts as lost, in ms. With the time between two looks it makes the
 * three seconds of DESIGN 7. Two pings have gone unanswered by then, each sent again several times.
 */
export const PATH_SILENCE_MS = 2500;
/** Silence that ends the session, in ms (DESIGN 6): time to change networks, or to restart a router. */
export const PATH_LIMIT_MS = 30_000;
/** Two looks this far apart mean that this process slept or was starved: nothing is proven then. */
const STALL_MS = 3 * LOOK_MS;

/** What to do: nothing, send the ping with this id, or give up. */
export type SupervisorStep = "wait" | "lost" | { readonly ping: number };

/** Looks at one session. */
export class Supervisor {
  #looks = 0;
  #lookedAt: number | undefined;
  /** Before it nothing counts as silence. */
  #graceUntil = 0;
  #silence = 0;
  readonly #limitMs: number;

  /** Silence that ends the session, in ms. */
  constructor(limitMs = PATH_LIMIT_MS) {
    this.#limitMs = limitMs;
  }

  /** To be called every `LOOK_MS`. `heardAt` is when the last authentic packet came. */
  look(now: number, heardAt: number): SupervisorStep {
    const isFirst = this.#lookedAt === undefined;
    if (isFirst || now - this.#lookedAt! > STALL_MS) this.#graceUntil = now;
    this.#lookedAt = now;
    this.#silence = now - Math.max(heardAt, this.#graceUntil);
    if (this.#silence >= this.#limitMs) return "lost";
    const isPingDue = this.#looks++ % LOOKS_PER_PING === 0;
    return isPingDue ? { ping: Math.ceil(this.#looks / LOOKS_PER_PING) } : "wait";
  }

  /** Whether the last look found a silence that is worth a question. */
  get isSilent(): boolean {
    return this.#silence >= PROBE_SILENCE_MS;
  }

  /** For how long nothing came, in ms, by the last look; 0 while the path does not count as lost. */
  get silentMs(): number {
    return this.#silence >= PATH_SILENCE_MS ? this.#silence : 0;
  }
}
