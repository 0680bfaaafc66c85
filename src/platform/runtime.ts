/**
 * What the program wants to know of the runtime below it, which is Deno, or Node where Deno does not exist. Both answer
 * through `node:process`, so nothing here asks which one it is but for its name.
 */
import process from "node:process";

/** The runtime that executes this program. */
export interface Runtime {
  readonly name: "deno" | "node";
  readonly version: string;
  /** As Node names it: "x64", "arm64", "arm". */
  readonly arch: string;
}

/** Says on what the program runs. */
export function currentRuntime(): Runtime {
  const { deno, node } = process.versions as Partial<Record<string, string>>;
  return {
    name: deno === undefined ? "node" : "deno",
    version: deno ?? node ?? "unknown",
    arch: process.arch,
  };
}

/** Signals that ask a daemon to end: systemd and `kill`, Ctrl-C, a closed terminal. */
const STOP_SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** The wish that the program ends, as an abort signal. */
export interface StopRequest extends Disposable {
  /** Aborted by the first of the signals; its reason is the signal's name. */
  readonly signal: AbortSignal;
  /** Gives the operating system's signals back, as disposing does (`using` itself is for tests: Node 22 cannot read it). */
  close(): void;
}

/** Listens for SIGTERM, SIGINT and SIGHUP. A second one ends the process at once, as if nobody listened. */
export function listenForStop(): StopRequest {
  const controller = new AbortController();
  const silence = () => {
    for (const name of STOP_SIGNALS) process.off(name, stop);
  };
  const stop = (name: string) => {
    silence();
    controller.abort(name);
  };
  for (const name of STOP_SIGNALS) process.on(name, stop);
  return { signal: controller.signal, close: silence, [Symbol.dispose]: silence };
}
