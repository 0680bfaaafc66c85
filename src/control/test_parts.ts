/** For tests of `control/`: bytes that are changed, and a log that is remembered. No part of the product imports it. */
import type { Log, LogField } from "../lib/log.ts";

export type { Bytes } from "../lib/bytes.ts";
export { flipped } from "../trust/test_ends.ts";

export interface LogLine {
  readonly event: string;
  readonly fields?: Readonly<Record<string, LogField>>;
}

/** A log whose lines can be read. */
export class MemoryLog implements Log {
  readonly lines: LogLine[] = [];

  debug(event: string, fields?: Readonly<Record<string, LogField>>): void {
    this.lines.push({ event, fields });
  }
  info(event: string, fields?: Readonly<Record<string, LogField>>): void {
    this.lines.push({ event, fields });
  }
  warn(event: string, fields?: Readonly<Record<string, LogField>>): void {
    this.lines.push({ event, fields });
  }
  error(event: string, fields?: Readonly<Record<string, LogField>>): void {
    this.lines.push({ event, fields });
  }

  /** Names of the events so far. */
  get events(): string[] {
    return this.lines.map((line) => line.event);
  }
}
