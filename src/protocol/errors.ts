/**
 * Why a stream or a connection ended, as it stands on the wire. Peers see a code and never one of our messages
 * (DESIGN 5); each end has its own words for a code.
 */

/** Codes of RESET frames. Numbers are never reused; a peer reads an unknown one as `internal`. */
export const STREAM_CODES = {
  /** The reader or writer no longer wants it: a page navigated away, a tab closed, an upload was aborted. */
  cancelled: 1,
  /** The opener broke a rule of PROTOCOL.md on this stream. */
  protocol: 2,
  /** A limit of `limits.ts` was reached: streams, queue. */
  limit: 3,
  /** No service of that id, or none that this person may reach. The two look alike on purpose. */
  service_unknown: 4,
  /** Nothing answers at the service's target: refused, no route, no such host, no such socket file. */
  upstream_unreachable: 5,
  /** The service accepted the connection and then said nothing for too long. */
  upstream_timeout: 6,
  /** The service's certificate is not the one that is trusted for it. */
  upstream_tls: 7,
  /** The service broke off in the middle, or what it says is not HTTP. */
  upstream_broken: 8,
  /** The service answered a WebSocket request with something other than 101. */
  upstream_refused_socket: 9,
  /** The agent is at fault; its own log says more. */
  internal: 10,
  /** The session ended under the stream. */
  session_closed: 11,
  /** The request's head is too long to travel (MAX_HEAD_BYTES, MAX_HEADER_LINES). */
  request_too_large: 12,
  /** The head of the service's answer is too long to travel. */
  answer_too_large: 13,
  /** The service was lent for viewing only: no other methods than GET, HEAD and OPTIONS, no WebSocket. */
  not_allowed: 14,
} as const;

/** Name of a reason for which a stream ended before its end. */
export type StreamCode = keyof typeof STREAM_CODES;

const NAMES = new Map<number, StreamCode>(
  Object.entries(STREAM_CODES).map(([name, code]) => [code, name as StreamCode]),
);

/** The name of a code from the wire; `internal` for one that we do not know. */
export function streamCodeName(code: number): StreamCode {
  return NAMES.get(code) ?? "internal";
}

/** A stream failed: `code` may go to the peer, `message` stays here. */
export class StreamError extends Error {
  override name = "StreamError";
  constructor(readonly code: StreamCode, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** The peer broke the protocol so that the whole connection must end. */
export class ProtocolError extends Error {
  override name = "ProtocolError";
}
