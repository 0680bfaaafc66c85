/** How long to wait before the next try, in ms: doubles from `floorMs` to `ceilingMs`. */
export interface BackoffOptions {
  readonly floorMs: number;
  readonly ceilingMs: number;
  /** A number in [0, 1), as `Math.random` gives it. */
  readonly random: number;
}

/**
 * The wait before try number `attempt` (0 is the first). Half of it is jitter, so that a thousand devices which lost
 * the same server do not come back in the same second. Never more than `ceilingMs`.
 */
export function backoffMs(attempt: number, options: BackoffOptions): number {
  const { floorMs, ceilingMs, random } = options;
  const whole = Math.min(ceilingMs, floorMs * 2 ** Math.max(0, attempt));
  return Math.round(whole / 2 + (whole / 2) * random);
}
