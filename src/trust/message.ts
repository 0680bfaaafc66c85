/** What the sealed messages of a handshake have in common. */

/** First byte of each message, in clear: a candidate can never pass for an offer, nor the other way round. */
export const MESSAGE = { offer: 1, answer: 2, candidate: 3, restart: 4 } as const;

/** The one version of the handshake that exists. */
export const HANDSHAKE_VERSION = 1;

export const SESSION_ID_BYTES = 16;

/** Sizes of the padded text of offers and answers: what is inside shows in three steps only. */
export const TEXT_SIZES = [1024, 2048, 4096] as const;
