/** Why a handshake failed, as the other end may be told. */

export const REFUSAL_REASONS = [
  /** The offer was made from an old presence, or was seen before. Ask for the presence again and retry. */
  "stale",
  /** The device does not know this browser, and it showed no claim. */
  "not_paired",
  /** The claim has made its owner already. */
  "claim_used",
  /** The pairing window is closed: time, failures, a restart, or somebody at the device. */
  "claim_expired",
  /** The proof of the one-time secret does not hold. */
  "claim_wrong",
  /** The grants do not hold: damaged, forged, for another browser, or their lender is gone. */
  "grant_invalid",
  /** The grant's time is over, or has not come. */
  "grant_expired",
  /** An owner ended the grant. */
  "grant_revoked",
  /** The invite has brought as many guests as it may. */
  "grant_used",
  /** The device does not know what time it is, so it cannot say whether the grant still holds. Owners enter. */
  "time_unknown",
  /** Too many handshakes at once. Retry later. */
  "busy",
  /** No common version of the handshake. */
  "version",
  /** Not a message of this handshake, or not in this state. */
  "malformed",
  /** A signature, seal or fingerprint does not hold: somebody is in between, or a key changed. */
  "bad_signature",
] as const;

export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** The other end refused, or what came from it must be refused: `code` says why. */
export class HandshakeError extends Error {
  override name = "HandshakeError";
  readonly code: RefusalReason;

  constructor(code: RefusalReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Runs one step of reading a message; whatever it throws becomes a HandshakeError with this code. */
export async function refuseAs<Result>(
  code: RefusalReason,
  what: string,
  step: () => Result | Promise<Result>,
): Promise<Result> {
  try {
    return await step();
  } catch (cause) {
    if (cause instanceof HandshakeError) throw cause;
    throw new HandshakeError(code, `Cannot accept ${what}: ${code.replaceAll("_", " ")}`, {
      cause,
    });
  }
}
