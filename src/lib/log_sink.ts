/**
 * Where events go: LogTape, set up so that each event is exactly one line on stderr, whatever its fields hold. JSON for
 * machines (systemd, files), aligned text for a terminal. Fields come from cameras, device pages and browsers too, so
 * every string is redacted, cut and escaped here, in one place. Parts see only `Log` (log.ts); `main` calls
 * `configureLog` once, before anything else.
 */
import { writeSync } from "node:fs";
import { configureSync, getLogger, type LogRecord } from "@logtape/logtape";
import type { Log, LogField } from "./log.ts";
import { redact } from "./redact.ts";

/** What may be asked for with `log` in the configuration. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = typeof LOG_LEVELS[number];

/** Characters of one field: enough for a URL and an error; a stranger cannot fill the disk by one event. */
const FIELD_LIMIT = 300;

const ROOT = "porthole";
const STDERR = 2;
/** First fields of each JSON line; a field of the same name gets an underscore. */
const RESERVED: ReadonlySet<string> = new Set(["time", "level", "part", "event"]);
/**
 * What a terminal or a log viewer may act on: C0, DEL and C1 controls (ESC among them), line and paragraph separators,
 * and marks that turn the direction of writing.
 */
// deno-lint-ignore no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** How events are written. `write` gets one whole line with its line feed; stderr if absent. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly format: "json" | "text";
  readonly write?: (line: string) => void;
}

/** Sets up logging for the whole process; may be called again. */
export function configureLog(options: LogOptions): void {
  const format = options.format === "json" ? jsonLine : textLine;
  const write = options.write ?? writeToStderr;
  const sinks = { lines: (record: LogRecord) => write(format(record)) };
  const lowestLevel = options.level === "warn" ? "warning" : options.level;
  configureSync({
    reset: true,
    sinks,
    loggers: [
      { category: [ROOT], sinks: ["lines"], lowestLevel },
      { category: ["logtape", "meta"], sinks: ["lines"], lowestLevel: "warning" },
    ],
  });
}

/** The log of one part, named by a fixed word such as "camera". Works before `configureLog` too, and is silent then. */
export function createLog(part: string): Log {
  const logger = getLogger([ROOT, part]);
  return {
    debug: (event, fields) => logger.debug(event, { ...fields }),
    info: (event, fields) => logger.info(event, { ...fields }),
    warn: (event, fields) => logger.warn(event, { ...fields }),
    error: (event, fields) => logger.error(event, { ...fields }),
  };
}

function jsonLine(record: LogRecord): string {
  const line: [string, LogField][] = [
    ["time", new Date(record.timestamp).toISOString()],
    ["level", levelName(record)],
    ["part", partName(record)],
    ["event", clean(eventName(record))],
  ];
  for (const [name, value] of fieldsOf(record)) {
    line.push([RESERVED.has(name) ? `${name}_` : name, value]);
  }
  return `${escapeUnsafe(JSON.stringify(Object.fromEntries(line)))}\n`;
}

function textLine(record: LogRecord): string {
  const time = new Date(record.timestamp).toISOString().slice(11, 23);
  const fields = fieldsOf(record).map(([name, value]) => ` ${name}=${textValue(value)}`).join("");
  const head = `${time} ${levelName(record).padEnd(5)} ${partName(record)}: ${
    clean(eventName(record))
  }`;
  return `${escapeUnsafe(head + fields)}\n`;
}

/** Quoted where a space or a quote would blur where the value ends. */
function textValue(value: LogField): string {
  const text = String(value);
  return /[\s"'=]/.test(text) || text === "" ? JSON.stringify(text) : text;
}

function fieldsOf(record: LogRecord): [string, LogField][] {
  return Object.entries(record.properties)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [clean(name), cleanField(value)]);
}

function cleanField(value: unknown): LogField {
  return typeof value === "number" || typeof value === "boolean" ? value : clean(String(value));
}

function clean(text: string): string {
  const whole = redact(text); // before the cut: a URL without its end does not show where its password ends
  return whole.length > FIELD_LIMIT ? `${whole.slice(0, FIELD_LIMIT)}...` : whole;
}

/** The `\uXXXX` form is also what JSON reads, so the content survives. */
function escapeUnsafe(text: string): string {
  return text.replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The event as it was given; LogTape's own substitution of "{...}" is not used. */
function eventName(record: LogRecord): string {
  return typeof record.rawMessage === "string" ? record.rawMessage : record.rawMessage.join("");
}

function partName(record: LogRecord): string {
  return clean(record.category.slice(record.category[0] === ROOT ? 1 : 0).join("."));
}

function levelName(record: LogRecord): string {
  return record.level === "warning" ? "warn" : record.level;
}

/** Synchronous, so that the last words before an exit are not lost. A reader that went away must not end the program. */
function writeToStderr(line: string): void {
  try {
    writeSync(STDERR, line);
  } catch {
    // Nowhere is left to report that there is nowhere to report to.
  }
}
