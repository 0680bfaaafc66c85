/** The links that the transport is measured on, and how long each transfer is looked at. */
import type { Link } from "../../e2e/two_hosts.ts";

/** One link of the matrix. */
export interface Condition {
  readonly name: string;
  /** Undefined is loopback, without namespaces. */
  readonly link?: Link;
  /** Round trip of the empty link, in ms. */
  readonly rttMs: number;
}

/** Sizes of the messages, in bytes. */
export const MESSAGE_BYTES = [16_384, 65_536] as const;
/** `down` is from the device to the browser. */
export const DIRECTIONS = ["down", "up"] as const;

/** A transfer runs for so long before it is looked at, and then is for so long, in ms. */
export interface Timing {
  readonly warmUpMs: number;
  readonly windowMs: number;
}

/** Ten round trips of the longest link, then forty. */
export const FULL: Timing = { warmUpMs: 1000, windowMs: 4000 };
export const QUICK: Timing = { warmUpMs: 500, windowMs: 1500 };

export const CONDITIONS: readonly Condition[] = [
  { name: "loopback", rttMs: 0 },
  { name: "20 ms", link: { delayMs: 10 }, rttMs: 20 },
  { name: "50 ms", link: { delayMs: 25 }, rttMs: 50 },
  { name: "100 ms", link: { delayMs: 50 }, rttMs: 100 },
  { name: "50 ms, 0.5 % lost", link: { delayMs: 25, lossPercent: 0.5 }, rttMs: 50 },
  {
    name: "20 ms, 10 Mbit/s, queue of 100",
    link: { delayMs: 10, rateMbit: 10, queue: 100 },
    rttMs: 20,
  },
];
