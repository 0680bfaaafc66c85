/** What an association allows by default, and what it announces. Each bounds memory or time. */
import { RTO_INITIAL_MS, RTO_MAX_MS } from "./tx/round_trip.ts";

/** Room for what has come and cannot be delivered: 320 Mbit/s over 50 ms. */
export const RECEIVE_WINDOW_BYTES = 2 << 20;
/**
 * What a UDP socket of Linux holds by default (212,992 bytes with their bookkeeping, about 90
 * packets). INIT tells no more, since Chromium takes that window for the end of its slow start
 * (RFC 9260 7.2.1) and does not pace: with 2 MiB, or with 256 KiB, its first round trips overflowed
 * the socket and the upload never recovered (50 ms: 9 to 14 Mbit/s, with this 21 to 24; loopback 82
 * and 180). A larger socket buffer allows a larger number here.
 */
export const SOCKET_BYTES = 98_304;
/**
 * Bytes per ms of round trip by which the window that SACKs tell exceeds `SOCKET_BYTES`: 240 Mbit/s
 * on the way, and no more than the socket can take at once on a short path.
 */
export const PATH_BYTES_PER_MS = 30_000;
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
