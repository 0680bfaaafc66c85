/** Bounds of this folder, each with its unit and its reason. */

/** Milliseconds to reach a service, TLS included. It stands on the same LAN; a longer silence is an absent machine. */
export const CONNECT_LIMIT_MS = 5_000;

/** Milliseconds in which a service must take the next piece of a body or begin its answer. Long polls wait up to 90 s. */
export const ANSWER_LIMIT_MS = 120_000;

/** Milliseconds for the handshake of a WebSocket, once connected. Nothing there is ever a long poll. */
export const HANDSHAKE_LIMIT_MS = 10_000;

/** Bytes of a request's or an answer's head. Browsers allow up to 256 KiB; device servers rarely take more than 8 KiB. */
export const HEAD_LIMIT_BYTES = 64 * 1024;

/** Characters of a method. The longest registered one, UPDATEREDIRECTREF, has 17 (RFC 9110 16.1). */
export const METHOD_LIMIT_CHARACTERS = 32;

/** Idle connections kept for a service. Small servers often have no more than a handful of sockets in all. */
export const IDLE_SOCKETS = 4;

/** Milliseconds for which an idle connection is kept. Node's and Apache's servers close theirs after 5 s. */
export const IDLE_SOCKET_LIMIT_MS = 4_000;

/** Milliseconds between probes of a silent connection: finds a device that lost its power under an event stream. */
export const TCP_KEEPALIVE_MS = 30_000;

/** Short exchanges with one service at once. A browser would open six connections; two or three people may look. */
export const SHORT_EXCHANGES = 16;

/** Milliseconds after which an exchange counts as long (event streams, long polls, downloads) and frees its place. */
export const LONG_EXCHANGE_MS = 1_000;

/** Milliseconds for which an exchange waits for a place at most: the gate smooths bursts and never locks anybody out. */
export const GATE_WAIT_MS = 500;

/** Bytes of one WebSocket message. `ws` holds a message in memory until it is whole. */
export const SOCKET_MESSAGE_LIMIT_BYTES = 16 * 1024 * 1024;

/** Bytes that may wait for a service's WebSocket before `send` holds its caller back. */
export const SOCKET_SEND_BUFFER_BYTES = 256 * 1024;

/** Subprotocols in one WebSocket request. */
export const SUBPROTOCOL_LIMIT = 32;

/** Bytes of the address of a unix socket: `sun_path` holds 108 with its final zero (unix(7)). */
export const UNIX_PATH_LIMIT_BYTES = 107;

/** Accounts (what one person has at one service) kept at once; 16 KiB of cookies each at most. The longest unused goes. */
export const ACCOUNTS = 128;

/** Milliseconds of disuse after which an account loses what lasts as long as a session: logins, and cookies without end. */
export const SESSION_IDLE_MS = 24 * 3_600_000;

/** Areas (realms) of one service that a person is logged in to. */
export const LOGINS = 8;

/** Path prefixes for which a login is sent unasked; with more it is the whole service. */
export const LOGIN_SPACES = 16;

/** Times that a request is sent again because the service wants a newer nonce: requests in parallel age them quickly. */
export const STALE_RETRIES = 3;

/** Challenges that one request answers in all: a service may have several areas, and a hostile one could go on for ever. */
export const CHALLENGES = 5;

/** Bytes of a request's body that are kept to send it again after a challenge. Longer ones are sent once. */
export const REPLAY_LIMIT_BYTES = 64 * 1024;

/** Bytes of a 401's body that are read to keep its connection; a longer one costs the connection. */
export const DRAIN_LIMIT_BYTES = 16 * 1024;

/** Milliseconds for which it is read. */
export const DRAIN_LIMIT_MS = 1_000;

/** Bytes of a head that takes the state of cookies along; beyond, the browser learns it from a later answer. */
export const STATE_ROOM_BYTES = 30 * 1024;
