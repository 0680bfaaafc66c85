/**
 * What the program wants to know of the runtime below it, which is Deno, or Node where Deno does not exist. Both answer
 * through `node:` modules, so nothing here asks which one it is but for its name.
 */
import { isBuiltin } from "node:module";
import process from "node:process";

/** The runtime that executes this program. */
export interface Runtime {
  readonly name: "deno" | "node";
  readonly version: string;
  /** As Node names it: "x64", "arm64", "arm". */
  readonly arch: string;
  /** Whether it has node:sqlite, without which there is no agent: Node from 22.13 on. */
  readonly sqlite: boolean;
}

/** Says on what the program runs. */
export function currentRuntime(): Runtime {
  const { deno, node } = process.versions as Partial<Record<string, string>>;
  return {
    name: deno === undefined ? "node" : "deno",
    version: deno ?? node ?? "unknown",
    arch: process.arch,
    sqlite: isBuiltin("node:sqlite"),
  };
}

/** Throws an Error with the remedy if the program can only tell its version here. */
export function demandAbleRuntime({ name, version, sqlite }: Runtime = currentRuntime()): void {
  if (sqlite) return;
  const remedy =
    "run dist/porthole.mjs with Node 22.13 or later, or build with NODE_ARMV7 (README)";
  throw new Error(`Cannot run on ${name} ${version}: it has no node:sqlite; ${remedy}`);
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
