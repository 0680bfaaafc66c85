/** What all connections have counted, those that are over included. For metrics. */
import type { NetworkPath } from "../lib/network_path.ts";

/** Counts of one connection, or of all. */
export interface PeerCounts {
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Times that packets went over to another path. */
  readonly restarts: number;
  readonly sctpPacketsSent: number;
  readonly sctpRetransmissions: number;
  readonly sctpTimeouts: number;
  readonly rtpPacketsSent: number;
  /** Sent again, since the browser missed them. */
  readonly rtpPacketsRepeated: number;
}

const NOTHING: PeerCounts = {
  bytesSent: 0,
  bytesReceived: 0,
  restarts: 0,
  sctpPacketsSent: 0,
  sctpRetransmissions: 0,
  sctpTimeouts: 0,
  rtpPacketsSent: 0,
  rtpPacketsRepeated: 0,
};

/** A connection, as far as it is counted. */
interface Counting {
  readonly counts: PeerCounts;
  path(): NetworkPath | undefined;
}

/** See the head of this file. */
export class PeerTotals {
  readonly #living = new Set<Counting>();
  #past = NOTHING;

  add(peer: Counting): void {
    this.#living.add(peer);
  }

  /** The connection ends; before it lets go of what it counts with. */
  remove(peer: Counting): void {
    if (this.#living.delete(peer)) this.#past = sum(this.#past, peer.counts);
  }

  get counts(): PeerCounts {
    return [...this.#living].reduce((all, { counts }) => sum(all, counts), this.#past);
  }

  /** Paths of the connections that have one. */
  get paths(): NetworkPath[] {
    return [...this.#living].flatMap((peer) => peer.path() ?? []);
  }
}

function sum(one: PeerCounts, other: PeerCounts): PeerCounts {
  const names = Object.keys(NOTHING) as (keyof PeerCounts)[];
  const values = names.map((name) => [name, one[name] + other[name]]);
  return Object.fromEntries(values) as unknown as PeerCounts;
}
