/** The agent's own bounds, each with its unit and reason. Those of the wire are in `protocol/limits.ts`. */

import { MAX_STREAMS, WINDOWS_TO_ACCEPTOR } from "../protocol/limits.ts";

/** Sessions at once. Each may hold 4 MiB of uploads and a DTLS context; a Pi Zero 2 has 512 MB. */
export const MAX_SESSIONS = 16;

/** ms to make, sign and send an answer: all of it is our own work, some 50 ms on a small board. */
export const ANSWER_LIMIT_MS = 10_000;

/** ms from the answer to an open control channel: ICE over a relay on a bad line takes about 10 s. */
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

/**
 * Bytes of unfinished messages towards services that one session may hold in all its WebSockets: one of the largest
 * with the cost of its parts, and many small ones.
 */
export const MAX_ASSEMBLED_BYTES = 20 << 20;

/** What a part of such a message costs beside its bytes: a browser chooses how small it cuts. */
export const PART_COST_BYTES = 256;

/**
 * Streams whose service has not let go yet, those included that the browser gave up: twice what it may have open, so
 * that reloading a page full of files passes, and opening and resetting in a circle does not.
 */
export const MAX_EXCHANGES = 2 * MAX_STREAMS;

/** ms that the exchanges of a session that ends may take to let go of their services. */
export const RELEASE_LIMIT_MS = 5000;

/**
 * Unconsumed bytes of uploads at which the receive window of the transport begins to close: they and what the transport
 * may hold stay below 5 MiB together. The mux's credit ends 1.5 MiB later, so that of the window's 2 MiB some are always
 * left: `control` shares it, and must get through when services do not read.
 */
export const HELD_HIGH_BYTES = WINDOWS_TO_ACCEPTOR.connection - (1536 << 10);
/** The same at which it opens again. */
export const HELD_LOW_BYTES = HELD_HIGH_BYTES / 2;

/** Bytes of control messages that may wait to leave: past it the browser asks and does not read. */
export const MAX_CONTROL_BUFFERED_BYTES = 256 << 10;
