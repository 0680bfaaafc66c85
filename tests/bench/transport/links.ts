/** The links that the transport is measured on, and what is sent over each. */
import type { Link } from "../../e2e/two_hosts.ts";

/** One row of the table. */
export interface Condition {
  readonly name: string;
  /** Undefined is loopback, without namespaces. */
  readonly link?: Link;
  /** Round trip of the empty link, in ms. */
  readonly rttMs: number;
  /** Bytes of a transfer: some seconds, past the start of the congestion window. */
  readonly bytes: number;
  /** The same for the quick run. */
  readonly quickBytes: number;
}

/** A transfer is cut off here, in ms, and what came until then counts. */
export const TRANSFER_LIMIT_MS = 20_000;
/** Sizes of the messages, in bytes. */
export const MESSAGE_BYTES = [16_384, 65_536] as const;

export const CONDITIONS: readonly Condition[] = [
  { name: "loopback", rttMs: 0, bytes: 50_000_000, quickBytes: 20_000_000 },
  atRtt(20, 40_000_000),
  atRtt(50, 40_000_000),
  atRtt(100, 30_000_000),
  {
    name: "50 ms, 0.5 % loss",
    link: { delayMs: 25, lossPercent: 0.5 },
    rttMs: 50,
    bytes: 30_000_000,
    quickBytes: 8_000_000,
  },
  {
    name: "20 ms, 10 Mbit/s, queue of 100",
    link: { delayMs: 10, rateMbit: 10, queue: 100 },
    rttMs: 20,
    bytes: 10_000_000,
    quickBytes: 4_000_000,
  },
];

function atRtt(rttMs: number, bytes: number): Condition {
  return {
    name: `${rttMs} ms`,
    link: { delayMs: rttMs / 2 },
    rttMs,
    bytes,
    quickBytes: 10_000_000,
  };
}
