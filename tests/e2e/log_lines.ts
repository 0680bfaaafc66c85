/** What a running porthole wrote into its log, as tests look at it. */
import type { Porthole } from "./processes.ts";

/** How long an event may take on a loaded machine with two cores. */
const LIMIT_MS = 30_000;

/** A line of a stack trace, which no log and no message for people holds. */
export const NO_STACK = /^\s+at .+:\d+/m;

/** One event with its fields. */
export type LogLine = Readonly<Record<string, unknown>>;

/** All lines of one event so far. */
export function logged({ child }: Porthole, event: string): LogLine[] {
  const whole = child.stderr.split("\n").slice(0, -1).filter((line) => line.startsWith("{"));
  return whole.map((line): LogLine => JSON.parse(line)).filter((line) => line.event === event);
}

/** Waits for the first line of this event that is wanted. */
export async function untilLogged(
  porthole: Porthole,
  event: string,
  wanted: (line: LogLine, index: number) => boolean = () => true,
): Promise<LogLine> {
  const look = () => logged(porthole, event).find(wanted);
  return await porthole.child.find(look, { what: `"${event}" in its log`, limitMs: LIMIT_MS });
}
