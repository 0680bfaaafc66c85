/** Who is connected: starts a session for each verified offer, within a limit, and ends all of them at once. */
import { MAX_SESSIONS } from "./limits.ts";
import type { Admission } from "./seams.ts";
import { Session, type SessionParts } from "./session.ts";

/** All sessions of this device. */
export class Sessions {
  readonly #parts: SessionParts;
  readonly #running = new Map<Session, Promise<void>>();

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** How many there are, connecting ones included. */
  get size(): number {
    return this.#running.size;
  }

  /** Whether `start` would take one more: to be asked before an offer is answered. */
  get full(): boolean {
    return this.#running.size >= MAX_SESSIONS;
  }

  /** Starts a session. Throws a RangeError when the device is full. */
  start(admission: Admission): void {
    if (this.full) throw new RangeError(`Cannot start a session: ${MAX_SESSIONS} are open`);
    const session = new Session(admission, this.#parts);
    const running = session.run().finally(() => this.#running.delete(session));
    this.#running.set(session, running);
  }

  /** Ends all sessions and waits until they let go of everything. */
  async close(): Promise<void> {
    for (const session of this.#running.keys()) session.close("shutdown", "porthole is stopping");
    await Promise.all(this.#running.values());
  }
}
