/** How long to wait before the next attempt to reach a device. Pure. */

const FIRST_DELAY_MS = 300; // a board that only restarted its agent is back before a person has read the message
const LAST_DELAY_MS = 10_000; // someone is looking at the page: never let them wait longer than this

/** Delay before attempt `attempt` (1 is the first retry). `random` in [0, 1) spreads browsers that lost one rendezvous. */
export function retryDelay(attempt: number, random: number): number {
  const ceiling = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt - 1, 16));
  return Math.round(ceiling * (0.75 + 0.25 * random));
}
