/** What goes into an association and comes out of it, and the states between. */
import type { Bytes } from "../../lib/bytes.ts";
import type { PeerParameters } from "./cookie.ts";
import type { PacketOutput } from "./packet/packet_writer.ts";
import type { Retry } from "./timer/retry.ts";
import type { Transfer } from "./transfer.ts";

export interface SctpOptions {
  /** Unguessable numbers of 32 bits: tags, TSNs, and the secret of cookies come from it. */
  readonly random: () => number;
  /** Bytes left free before and behind each packet: the DTLS header and tag. */
  readonly headroom: number;
  readonly tailroom: number;
  /** Bytes; by default `RECEIVE_WINDOW_BYTES`. */
  readonly receiveWindow?: number;
  /** Bytes of the largest message either way; by default `MAX_MESSAGE_BYTES`. */
  readonly maxMessageBytes?: number;
}

/** What comes out of `SctpAssociation.poll`. */
export type SctpOutput =
  /**
   * One packet in [offset, offset + length), with the asked-for room before and behind it. The
   * buffer is of this packet alone, but may be a view into a larger piece of memory.
   */
  | PacketOutput
  | { readonly type: "established" }
  | {
    readonly type: "message";
    readonly streamId: number;
    readonly protocol: number;
    readonly bytes: Bytes;
  }
  /** `bufferedAmount` fell. */
  | { readonly type: "acked" }
  /** Told once. The reason is ours, never the peer's text. */
  | { readonly type: "closed"; readonly reason: string }
  | { readonly type: "deadline"; readonly at: number };

/** Counters and estimates for logs and tests. */
export interface SctpStats {
  readonly packetsSent: number;
  readonly packetsReceived: number;
  /** Not for us, harmed, or with a wrong tag. */
  readonly packetsDropped: number;
  readonly retransmissions: number;
  /** T3 expirations and tail-loss probes. */
  readonly timeouts: number;
  readonly probes: number;
  /** Smoothed round trip in ms; 0 before the first. */
  readonly roundTrip: number;
  /** Bytes in flight, and how many may be. */
  readonly flight: number;
  readonly window: number;
  /** Estimate in bytes per ms; 0 before the first. */
  readonly bandwidth: number;
  /** State, and once established what congestion control does. */
  readonly phase: string;
  /** Size of packets that the path is known to carry. */
  readonly packetBytes: number;
}

/**
 *     new ── start ──► cookie wait ── INIT ACK ──► cookie echoed ── COOKIE ACK ──► established
 *     cookie echoed ── stale cookie ──► cookie wait
 *     new, cookie wait, cookie echoed ── COOKIE ECHO ──► established
 *     established ── SHUTDOWN ──► shutdown received ── all acknowledged ──► shutdown ack sent
 *     shutdown ack sent ── SHUTDOWN COMPLETE, or silence ──► closed
 *     any ── close, ABORT, nonsense, silence ──► closed
 *
 * Left out: a SHUTDOWN of our own. Whoever closes wants an end now, and ABORT is one.
 */
export type AssociationState =
  | { readonly type: "new" }
  | { readonly type: "cookie wait"; readonly retry: Retry; readonly since: number }
  | {
    readonly type: "cookie echoed";
    readonly retry: Retry;
    readonly echo: readonly Uint8Array[];
    readonly peer: PeerParameters;
  }
  | { readonly type: "established"; readonly transfer: Transfer }
  | { readonly type: "shutdown received"; readonly transfer: Transfer }
  | { readonly type: "shutdown ack sent"; readonly transfer: Transfer; readonly retry: Retry }
  | { readonly type: "closed" };
