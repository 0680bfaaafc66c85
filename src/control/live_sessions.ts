/**
 * Who is connected, and whether they still may be. Each second every session is asked for its standing, and whoever must
 * go goes; what is done to people (revoked, removed, kicked) does not wait for the second.
 */
import type { Log } from "../lib/log.ts";
import type { ByeCode } from "../protocol/control.ts";
import type { Changes } from "./changes.ts";

/** A session that has confirmed. */
export interface ConnectedSession {
  /** 32 digits. */
  readonly sessionId: string;
  /** Key id of the browser, 16 digits. */
  readonly holder: string;
  readonly label: string;
  readonly role: "owner" | "guest";
  /** Id of the grant, 32 digits. */
  readonly grant?: string | undefined;
  /** Unix seconds. */
  readonly since: number;
  /** Why it must end now; undefined while it may stay. */
  verdict(): ByeCode | undefined;
  /** Ends it. Never throws. */
  end(code: ByeCode): void;
}

export class LiveSessions {
  readonly #log: Log;
  readonly #changes: Changes;
  /** The longest first. By identity: browsers choose their ids. */
  readonly #live = new Set<ConnectedSession>();

  constructor(options: { readonly log: Log; readonly changes: Changes }) {
    this.#log = options.log;
    this.#changes = options.changes;
  }

  add(session: ConnectedSession): void {
    this.#live.add(session);
    this.#changes.tell();
  }

  /** It is over, if it was there. */
  remove(session: ConnectedSession): void {
    if (this.#live.delete(session)) this.#changes.tell();
  }

  /** The longest first. */
  list(): readonly ConnectedSession[] {
    return [...this.#live];
  }

  find(sessionId: string): ConnectedSession | undefined {
    return this.list().find((session) => session.sessionId === sessionId);
  }

  /** Ends whoever may not stay. */
  look(): void {
    for (const session of this.list()) {
      const code = this.#verdict(session);
      if (code !== undefined) this.end(session, code);
    }
  }

  /** Ends one session. */
  end(session: ConnectedSession, code: ByeCode): void {
    this.remove(session);
    this.#log.info("session.ended", { session: session.sessionId, code });
    session.end(code);
  }

  /** Where nobody can tell whether a guest may stay, it may not; owners stay to see what is wrong. */
  #verdict(session: ConnectedSession): ByeCode | undefined {
    try {
      return session.verdict();
    } catch (error) {
      this.#log.error("session.unjudged", { session: session.sessionId, error: String(error) });
      return session.role === "guest" ? "closed" : undefined;
    }
  }
}
