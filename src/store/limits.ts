/** How much is kept, and what is said when no more fits. */

/** Browsers that may do everything: a household and its spares. A device asks about each of them in a list for people. */
export const MAX_OWNERS = 64;
/** Grants that somebody could use: 1 KiB each, and more than a person can look over. */
export const MAX_LIVE_GRANTS = 256;
/** Grants in all: ended ones are shown for a while, and make room before anything else. About 1.5 MiB with their guests' rows. */
export const MAX_KEPT_GRANTS = 1024;
/** How long an ended grant is shown: a month, as it is how people count what they lent. */
export const KEPT_AFTER_EXPIRY_S = 30 * 24 * 3600;
/**
 * Revocations of grants that were never registered here; those of registered ones always fit. Each is signed by an owner and
 * forgotten at its date. 1 MiB.
 */
export const MAX_REVOKED = 16_384;
/**
 * Used claims. A claim ends with its window of ten minutes and never outlives the device's run, and each use of one pairs a
 * browser by hand: the one that makes room here ended long ago.
 */
export const MAX_CONSUMED = 1024;
/**
 * Former owners, whose old grants stay dead if they pair again. Each needed a pairing; the one removed first makes room.
 */
export const MAX_FORMER_OWNERS = 4096;
/** Lines of the log: about 2 MiB, years of a household. */
export const MAX_AUDIT_LINES = 10_000;
/** Lines that are dropped at once: the device signs where the log begins, and need not for each line. */
export const DROPPED_AUDIT_LINES = 1000;
/** Lines that one call gives. */
export const MAX_AUDIT_PAGE = 1000;
/** What a grant can name (two bytes). */
export const MAX_NUMBER = 65_535;

/** There are as many as there may be. Nothing was changed. */
export class LimitError extends Error {
  override name = "LimitError";
}
