/**
 * Where one incoming stream stands: which message is next, where the later ones begin that have
 * come already, and how far the next one has been followed.
 */
export interface InboundStream {
  readonly id: number;
  /** SSN of the message to deliver next (RFC 9260 6.6). */
  nextSsn: number;
  /** First TSN of each message whose first fragment is kept, by SSN. */
  readonly begins: Map<number, number>;
  /** Next fragment to look for, of the message with `nextSsn`; its bytes so far are `size`. */
  cursor: number | undefined;
  size: number;
}

export function newInboundStream(id: number): InboundStream {
  return { id, nextSsn: 0, begins: new Map(), cursor: undefined, size: 0 };
}
