/** Who is connected: starts a session for each verified offer, within a limit, and ends all of them at once. */
import { MAX_SESSIONS } from "./limits.ts";
import type { Admission, Services } from "./seams.ts";
import { Session, type SessionParts } from "./session.ts";

/** What every session of this device shares, with services that know whose session it is. */
export interface SessionsParts extends Omit<SessionParts, "services"> {
  /** `holder` is the `account` of the admission. */
  readonly services: { forHolder(holder: string): Services };
}

/** All sessions of this device. */
export class Sessions {
  readonly #parts: SessionsParts;
  readonly #running = new Map<Session, Promise<void>>();
  #started = 0;

  constructor(parts: SessionsParts) {
    this.#parts = parts;
  }

  /** How many there are, connecting ones included. */
  get size(): number {
    return this.#running.size;
  }

  /** How many there have been. */
  get started(): number {
    return this.#started;
  }

  /** Requests and WebSockets that are open in all of them. */
  get streams(): number {
    return [...this.#running.keys()].reduce((sum, { streams }) => sum + streams, 0);
  }

  /** Whether `start` would take one more: to be asked before an offer is answered. */
  get full(): boolean {
    return this.#running.size >= MAX_SESSIONS;
  }

  /** Starts a session. Throws a RangeError when the device is full. */
  start(admission: Admission): void {
    if (this.full) throw new RangeError(`Cannot start a session: ${MAX_SESSIONS} are open`);
    const services = this.#parts.services.forHolder(admission.account);
    const session = new Session(admission, { ...this.#parts, services });
    this.#started++;
    const running = session.run().finally(() => this.#running.delete(session));
    this.#running.set(session, running);
  }

  /** Ends all sessions and waits until they let go of everything. */
  async close(): Promise<void> {
    for (const session of this.#running.keys()) session.close("shutdown", "porthole is stopping");
    await Promise.all(this.#running.values());
  }
}
