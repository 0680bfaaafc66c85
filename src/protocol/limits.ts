/**
 * Every number of the mux and the control channel, with its reason. The first part is the protocol: both ends must
 * agree. The second is our own choice and may differ between releases.
 */

/* ---- protocol -------------------------------------------------------------------------------------------- */

/** Bytes in front of each frame's payload. */
export const FRAME_HEADER_BYTES = 8;

/**
 * Largest payload of a DATA frame, in bytes. A frame is what others wait behind: at 10 Mbit/s this one takes 13 ms.
 */
export const MAX_DATA_BYTES = 16_384;

/** Largest encoded head, in bytes. Twice what common servers take (nginx 8 KiB x 4, Node 16 KiB). */
export const MAX_HEAD_BYTES = 32_768;

/** Header lines of one head: Node takes 2000, pages of devices send twenty. */
export const MAX_HEADER_LINES = 256;

/** Largest reason of a WebSocket close, in bytes of UTF-8 (RFC 6455 5.5). */
export const MAX_CLOSE_REASON_BYTES = 123;

/**
 * Streams open at once on one connection. A page holds six to eight fetches a host on a LAN, but hundreds of
 * WebSockets are legal; each costs an agent about 1 KiB while idle.
 */
export const MAX_STREAMS = 256;

/**
 * Credit that a DATA frame costs beside its payload, in bytes: about what a receiver spends on keeping it, so that a
 * flood of tiny or empty messages runs dry long before it fills a device's memory.
 */
export const DATA_COST_BYTES = 64;

/** Credit at the start, in bytes as DATA frames cost them. */
export interface Windows {
  readonly stream: number;
  readonly connection: number;
}

/**
 * Towards the browser: 1 MiB a stream fills 100 Mbit/s at 80 ms. The connection's 16 MiB bound what is on its way, not
 * what is read: a browser gives them back as bytes come (mux.ts), for paused pages must not stop others.
 */
export const WINDOWS_TO_OPENER: Windows = { stream: 1 << 20, connection: 16 << 20 };

/** Towards the device: memory is dear there. 4 MiB is what one browser may make an agent hold. */
export const WINDOWS_TO_ACCEPTOR: Windows = { stream: 512 << 10, connection: 4 << 20 };

/** Largest control message, in bytes: sixteen camera sections take about 4 KiB. */
export const MAX_CONTROL_BYTES = 16_384;

/* ---- our choice ------------------------------------------------------------------------------------------ */

/**
 * Bytes after which a transmitted message is full. Small frames share a message; one DATA frame fills it, so that
 * an urgent frame never waits behind more than one.
 */
export const MESSAGE_BYTES = 16_384;

/** Bytes queued on one stream at which `write` asks for a pause, and at which it asks to go on. */
export const SEND_QUEUE_HIGH_BYTES = 256 << 10;
export const SEND_QUEUE_LOW_BYTES = 64 << 10;

/** The same for the number of writes that wait: tiny messages cost memory as well, some 300 bytes each. */
export const SEND_QUEUE_HIGH_PARTS = 1024;
export const SEND_QUEUE_LOW_PARTS = 256;

/**
 * Bytes queued on all streams together at which every writer is asked to pause that has something queued: what a
 * browser that opens and never reads makes an agent hold.
 */
export const SEND_TOTAL_HIGH_BYTES = 4 << 20;

/**
 * Bytes that all streams may queue at all: six of the largest WebSocket messages; or, in a browser, 256 KiB from each of
 * 256 pages that had credit when the pause began.
 */
export const SEND_TOTAL_MAX_BYTES = 96 << 20;

/** Bytes that one stream may queue at all: one WebSocket message of 16 MiB and its neighbour. */
export const SEND_QUEUE_MAX_BYTES = 32 << 20;

/** Writes that one stream may queue at all: what a page may have on its way to the pump when the pause begins (4096). */
export const SEND_QUEUE_MAX_PARTS = 16_384;

/** A stream with no more than this queued is interactive: keystrokes, heads of pages, events. */
export const INTERACTIVE_BYTES = 4096;

/** Interactive frames in a row before one bulk frame gets its turn, so that nobody starves. */
export const INTERACTIVE_BURST = 8;

/**
 * For so many bytes of the most urgent class that has something to send, the classes behind it have one together: at
 * 10 Mbit/s some 140 KB/s, on which a download or a picture goes on.
 */
export const LANE_LEAD_SHARE = 8;

/** Bytes that the most urgent class may be ahead of that: with eight frames of it to one, a frame of them at a time. */
export const LANE_LEAD_BYTES = LANE_LEAD_SHARE * MAX_DATA_BYTES;

/** Control frames (OPEN, HEAD, RESET) waiting to leave. Past that the peer asks and never reads. */
export const MAX_WAITING_FRAMES = 4 * MAX_STREAMS;

/** Bytes of such frames at which an acceptor refuses further streams: each may make it queue a head of 32 KiB. */
export const MAX_WAITING_BYTES = 1 << 20;

/**
 * How long an opener waits for HEAD, in ms, counted from its last write: an upload may take as long as it moves. Longer
 * than the agent waits for a service (120 s).
 */
export const HEAD_LIMIT_MS = 150_000;

/** Bytes below us in the channel at which a driver stops taking messages from the mux. */
export const CHANNEL_HIGH_BYTES = 256 << 10;
