/**
 * A program that a camera is made of: started without a shell, fed where it wants to be fed, heard,
 * and ended with all that it has started. What its output means is the reader's business; restarts
 * are the hub's.
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import type { Clock } from "./clock.ts";
import { type AccessUnit, asCameraError, CameraError, type UnitSink } from "./source.ts";

/** Starting a camera stack takes seconds on a small board; silence beyond this is a fault. */
export const OUTPUT_LIMIT_MS = 10_000;
/** Between asking a program to end and making it. */
export const TERM_LIMIT_MS = 2000;
/** What may wait for a program to read it: two pictures of a large camera; more would be latency. */
export const MAX_UNREAD_BYTES = 2 * 1024 * 1024;

const MAX_HEARD_CHARACTERS = 4096;
const MAX_COMPLAINT_CHARACTERS = 300;

/** Makes access units of a program's output. Each method may throw a CameraError. */
export interface OutputReader {
  push(now: number, chunk: Uint8Array): readonly AccessUnit[];
  /** Nothing came for `idleMs` since the last `push`. */
  idle?(now: number): readonly AccessUnit[];
}

export interface ProgramOptions {
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly clock: Clock;
  readonly reader: OutputReader;
  readonly sink: UnitSink;
  /** When the reader is told that nothing came. */
  readonly idleMs?: number;
  /** Whether `write` will be called. */
  readonly isFed?: boolean;
  /** How long it may be silent; OUTPUT_LIMIT_MS unless told. */
  readonly silenceMs?: number;
  /** What the program's last words mean; undefined: nothing in particular. */
  readonly explain?: (words: string) => CameraError | undefined;
}

/** One run of a program. */
export class Program {
  readonly #options: ProgramOptions;
  readonly #stopped = Promise.withResolvers<CameraError>();
  #child: ChildProcess | undefined;
  #heard = "";
  #over = false;
  #cancelLimit: () => void = () => {};
  #cancelIdle: () => void = () => {};

  constructor(options: ProgramOptions) {
    this.#options = options;
  }

  /** Resolves with the reason once the program is gone. Never rejects. */
  async run(signal: AbortSignal): Promise<CameraError> {
    const [program, ...args] = this.#options.command;
    const input = this.#options.isFed ? "pipe" : "ignore";
    const child = spawn(program!, args, { stdio: [input, "pipe", "pipe"], detached: true });
    this.#child = child;
    const exited = new Promise<void>((resolve) => {
      child.once("exit", () => resolve());
      child.once("error", () => child.pid === undefined && resolve());
    });
    this.#listen(child);
    this.#expectOutput();
    const onAbort = () => this.stop(new CameraError("ended", "Cannot show camera: given up"));
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    const error = await this.#stopped.promise;
    signal.removeEventListener("abort", onAbort);
    this.#cancelLimit();
    this.#cancelIdle();
    await this.#end(child, exited);
    return error;
  }

  /** Feeds the program. False, and nothing is written: it does not keep up, or it is over. */
  write(bytes: Uint8Array): boolean {
    const input = this.#child?.stdin;
    if (this.#over || !input || input.writableLength > MAX_UNREAD_BYTES) return false;
    input.write(bytes);
    return true;
  }

  /** Nothing more will be written. */
  endInput(): void {
    this.#child?.stdin?.end();
  }

  /** Ends the run for this reason, unless it is over. */
  stop(error: CameraError): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopped.resolve(error);
  }

  #listen(child: ChildProcess): void {
    child.stdin?.on("error", () => {}); // it has ended: "close" says the rest
    child.stdout!.on("data", (chunk: Uint8Array) => this.#take(chunk));
    child.stdout!.on("error", () => {});
    child.stderr!.setEncoding("utf8");
    child.stderr!.on("data", (text: string) => {
      this.#heard = (this.#heard + text).slice(-MAX_HEARD_CHARACTERS);
    });
    child.stderr!.on("error", () => {});
    child.on("error", (cause: Error & { code?: unknown }) => this.stop(startError(cause)));
    child.on("close", (code: number | null, name: string | null) => {
      const known = code === 0 ? undefined : this.#options.explain?.(this.#heard);
      const how = `program ended with ${code ?? name}: ${this.#complaint()}`;
      const plain = new CameraError(code === 0 ? "ended" : "broken", `Cannot show camera: ${how}`);
      this.stop(known ?? plain);
    });
  }

  #take(chunk: Uint8Array): void {
    if (this.#over) return;
    this.#expectOutput();
    this.#give((now) => this.#options.reader.push(now, chunk));
    const { reader, idleMs, clock } = this.#options;
    if (idleMs === undefined || reader.idle === undefined) return;
    this.#cancelIdle();
    this.#cancelIdle = clock.after(idleMs, () => this.#give((now) => reader.idle!(now)));
  }

  #give(read: (now: number) => readonly AccessUnit[]): void {
    if (this.#over) return;
    try {
      for (const unit of read(this.#options.clock.now())) {
        if (!this.#over) this.#options.sink.unit(unit);
      }
    } catch (error) {
      this.stop(asCameraError(error));
    }
  }

  /** The last line that the program wrote to its standard error, for the log. */
  #complaint(): string {
    return lastLine(this.#heard);
  }

  #expectOutput(): void {
    const { clock, silenceMs = OUTPUT_LIMIT_MS } = this.#options;
    this.#cancelLimit();
    this.#cancelLimit = clock.after(silenceMs, () => {
      const message = `Cannot show camera: program wrote nothing for ${silenceMs} ms`;
      this.stop(new CameraError("broken", message));
    });
  }

  async #end(child: ChildProcess, exited: Promise<void>): Promise<void> {
    child.stdin?.destroy();
    child.stdout!.destroy();
    child.stderr!.destroy();
    sendSignal(child, "SIGTERM");
    const cancel = this.#options.clock.after(TERM_LIMIT_MS, () => sendSignal(child, "SIGKILL"));
    await exited;
    cancel();
  }
}

/** The last line of what a program said. Programs repeat the addresses they were given, passwords included. */
export function lastLine(heard: string): string {
  const line = heard.trimEnd().split(/[\r\n]+/).at(-1)!;
  return line.replace(/\S+@/g, "…@").slice(0, MAX_COMPLAINT_CHARACTERS);
}

/** A program that is not there has a code of its own: another name may be. */
export class ProgramMissing extends CameraError {}

function startError(cause: Error & { code?: unknown }): CameraError {
  const missing = cause.code === "ENOENT";
  const reason = missing ? "no such program" : "it cannot be started";
  const message = `Cannot start camera program: ${reason}`;
  return missing
    ? new ProgramMissing("broken", message, { cause })
    : new CameraError("broken", message, { cause });
}

/**
 * To the program and all that it has started: `detached` made it the head of a group of its own. By
 * number, because Deno's `child.kill` does nothing after its first signal, even when the program
 * goes on.
 */
function sendSignal(child: ChildProcess, name: "SIGTERM" | "SIGKILL"): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, name);
  } catch {
    // nothing of it is left
  }
}
