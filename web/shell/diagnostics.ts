/** What tests and a curious person may read in the console: `porthole.state()`. Read-only; it grants nothing. */
import type { Session } from "./session.ts";

/** Written over by the build; the text below stands for a build from a checkout. */
const VERSION = "__VERSION__";

/** `window.porthole`. */
export interface Diagnostics {
  readonly version: string;
  /** Phase of the session: "idle" … "live", "lost", "closed"; "none" without a session. */
  state(): string;
  /** Peer connections that this page holds: 0 or 1. */
  readonly peerConnections: number;
}

/** Puts the diagnostics where the console finds them. `session` gives the open session, if there is one. */
export function exposeDiagnostics(session: () => Session | undefined): void {
  const diagnostics: Diagnostics = {
    version: VERSION.startsWith("__") ? "development" : VERSION,
    state: () => session()?.state.value.phase ?? "none",
    get peerConnections() {
      return session()?.peerConnections ?? 0;
    },
  };
  Object.defineProperty(globalThis, "porthole", { value: Object.freeze(diagnostics) });
}
