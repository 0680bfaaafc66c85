/** Why a connection to a device ended, and what that means for the next attempt. Pure; the words are in `words.ts`. */

/** One word per thing that a person would do something different about. */
export type LostCode =
  /** The rendezvous does not answer, or broke off. */
  | "rendezvous"
  /** The rendezvous refuses us: too many attempts, most likely. */
  | "refused"
  /** The device is not connected to the rendezvous. */
  | "absent"
  /** What claims to be the device cannot prove it. */
  | "forged"
  /** The device did not answer the offer. */
  | "no_answer"
  /** Both agreed, but no packet finds its way. */
  | "no_path"
  /** Live, and then the device fell silent. */
  | "silent"
  /** The device closed the session. */
  | "ended"
  /** The device stops or restarts. */
  | "shutdown"
  /** The device restarted between its presence and our offer. */
  | "stale"
  /** The device has as many sessions as it can carry. */
  | "busy"
  /** One side broke the protocol. */
  | "protocol"
  /** Device and page have no version in common. */
  | "version"
  /** The device does not know this browser's key, or no longer. */
  | "not_paired"
  | "claim_used"
  | "claim_expired"
  | "claim_wrong"
  /** What was lent cannot be read, or was not lent by an owner of this device. */
  | "grant_invalid"
  | "grant_expired"
  /** Ended by an owner before its time. */
  | "grant_revoked"
  /** As many browsers as the invite was made for have used it. */
  | "grant_used"
  /** The device cannot tell whether the grant still holds. Passes by itself. */
  | "time_unknown"
  /** The owner was removed, or the one who lent. */
  | "removed"
  /** An owner ended this session, and nothing else. */
  | "kicked"
  /** Something in this page failed. */
  | "internal";

/** A connection ended. The message is for the console; people read `words.ts`. */
export class LostError extends Error {
  override name = "LostError";
  constructor(readonly code: LostCode, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** What to do after a connection ended: at once again, after a pause, or only when a person has done something. */
export type Next = "at_once" | "later" | "never";

const FINAL: ReadonlySet<LostCode> = new Set([
  "not_paired",
  "claim_used",
  "claim_expired",
  "claim_wrong",
  "grant_invalid",
  "grant_expired",
  "grant_revoked",
  "grant_used",
  "removed",
  "kicked",
  "version",
]);

/** Ends that a person may try to undo: nothing was taken away but the session. */
export function mayRetry(code: LostCode): boolean {
  return code === "kicked";
}

/** Ends of all access: the list of devices remembers them. */
const ACCESS_ENDS: ReadonlySet<LostCode> = new Set([
  "not_paired",
  "grant_invalid",
  "grant_expired",
  "grant_revoked",
  "grant_used",
  "removed",
]);

/** Whether this code says that the device does not let this browser in any more. */
export function endsAccess(code: LostCode): boolean {
  return ACCESS_ENDS.has(code);
}

/** `staleBefore`: the attempt before this one was stale too; twice in a row is not a restart. */
export function nextAfter(code: LostCode, staleBefore: boolean): Next {
  if (FINAL.has(code)) return "never";
  return code === "stale" && !staleBefore ? "at_once" : "later";
}

const HANDSHAKE_CODES: ReadonlyMap<string, LostCode> = new Map([
  ["stale", "stale"],
  ["not_paired", "not_paired"],
  ["claim_used", "claim_used"],
  ["claim_expired", "claim_expired"],
  ["claim_wrong", "claim_wrong"],
  ["grant_invalid", "grant_invalid"],
  ["grant_expired", "grant_expired"],
  ["grant_revoked", "grant_revoked"],
  ["grant_used", "grant_used"],
  ["time_unknown", "time_unknown"],
  ["busy", "busy"],
  ["version", "version"],
  ["malformed", "protocol"],
  ["bad_signature", "forged"],
]);

/** Reads the code of a handshake error by structure; anything else is our own fault. */
export function lostByHandshake(error: unknown): LostError {
  if (error instanceof LostError) return error;
  const code = (error as { code?: unknown } | null)?.code;
  const known = typeof code === "string" ? HANDSHAKE_CODES.get(code) : undefined;
  return new LostError(known ?? "internal", "Cannot agree with the device", { cause: error });
}
