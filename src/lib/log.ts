/**
 * What a part needs to report an event. `main` hands in the real one (`log_sink.ts`); tests hand in their own.
 * An event has a fixed name and fields; tokens, keys, descriptions, candidates and bodies are never fields.
 */

/** Values that a log line may carry. Long strings are cut and control characters escaped by the sink. */
export type LogField = string | number | boolean | undefined;

/** One part's log. Names of events are fixed words like `camera.started`; fields say the rest. */
export interface Log {
  debug(event: string, fields?: Readonly<Record<string, LogField>>): void;
  info(event: string, fields?: Readonly<Record<string, LogField>>): void;
  warn(event: string, fields?: Readonly<Record<string, LogField>>): void;
  error(event: string, fields?: Readonly<Record<string, LogField>>): void;
}

/** Says nothing: for tests and for parts that are tried without a log. */
export const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };
