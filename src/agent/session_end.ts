/** Why a session ends. */
import type { ByeCode } from "../protocol/control.ts";
import { ProtocolError } from "../protocol/errors.ts";

/** A reason for our own log, and the code that the browser is told if it can still hear. */
export class SessionEnd extends Error {
  override name = "SessionEnd";
  constructor(readonly code: ByeCode, reason: string, options?: ErrorOptions) {
    super(reason, options);
  }
}

/** What ended a session, as such; undefined is a control channel that closed. */
export function asEnd(error: unknown): SessionEnd {
  if (error instanceof SessionEnd) return error;
  if (error === undefined) return new SessionEnd("closed", "the control channel closed");
  const code = error instanceof ProtocolError ? "protocol" : "refused";
  const reason = error instanceof Error ? error.message : String(error);
  return new SessionEnd(code, reason, { cause: error });
}

/** Errors about candidates and descriptions may quote them: only their kind goes into a log. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : "unknown";
}
