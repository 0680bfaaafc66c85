/** What an association allows by default, and what it announces. Each bounds memory or time. */
import { RTO_INITIAL_MS, RTO_MAX_MS } from "./tx/round_trip.ts";

/** Room for what has come and cannot be delivered: 320 Mbit/s over 50 ms. */
export const RECEIVE_WINDOW_BYTES = 2 << 20;
/**
 * What INIT tells of it: Chromium takes that window for the end of its slow start (RFC 9260 7.2.1),
 * after which it needs seconds to grow. 160 Mbit/s over 50 ms; with all of the window its first
 * lumps were larger, and not its uploads faster (57 Mbit/s at 50 ms either way).
 */
export const FIRST_WINDOW_BYTES = 1 << 20;
/** Largest message either way: what browsers announce (RFC 8841 6.1), as channel.ts has it. */
export const MAX_MESSAGE_BYTES = 262_144;
/** Bytes that may wait to be sent, all streams together: owners stop far below it. */
export const MAX_QUEUED_BYTES = 32 << 20;
/** Streams that we let a peer use, and that we ask for: two are in use; each may cost 200 bytes. */
export const MAX_STREAMS = 1024;
/** RFC 9260 3.3.2: an INIT with less window than this is refused. */
export const MIN_PEER_WINDOW_BYTES = 1500;

/** INIT and COOKIE ECHO (RFC 9260 16: Max.Init.Retransmits is 8). */
export const HANDSHAKE_RETRY = { delay: RTO_INITIAL_MS, maxDelay: RTO_MAX_MS, attempts: 9 };
/** SHUTDOWN ACK: nobody waits for it any more. */
export const SHUTDOWN_RETRY = { delay: RTO_INITIAL_MS, maxDelay: RTO_MAX_MS, attempts: 4 };
