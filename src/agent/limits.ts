/** The agent's own bounds, each with its unit and reason. Those of the wire are in `protocol/limits.ts`. */

/** Sessions at once. Each may hold 4 MiB of uploads and a DTLS context; a Pi Zero 2 has 512 MB. */
export const MAX_SESSIONS = 16;

/** ms from a verified offer to an open control channel: ICE over a relay on a bad line takes about 10 s. */
export const CONNECT_LIMIT_MS = 30_000;

/** ms from the open control channel to both proofs (security.md 1.4, M4). */
export const CONFIRM_LIMIT_MS = 10_000;

/**
 * ms without any control message before a browser counts as gone. It pings each second while it is awake; a tab in
 * the background may be slowed to one timer a minute.
 */
export const SILENCE_LIMIT_MS = 90_000;

/** Control messages that may wait for their turn: a hostile page floods, an honest one has two or three under way. */
export const MAX_WAITING_MESSAGES = 64;

/** Cameras that one session may watch at once; more do not fit on a screen. */
export const MAX_CAMERAS = 16;

/** Largest WebSocket message towards a service, in bytes: what common servers take at most by default. */
export const MAX_SOCKET_MESSAGE_BYTES = 16 << 20;
