/**
 * The `exec:` camera: a program that writes H.264 in Annex B to its standard output, such as
 * rpicam-vid or ffmpeg. It is started without a shell and ended with the last viewer; restarts are
 * the hub's. The stream has no timestamps: the time of arrival is what is left, and a picture is
 * complete only when the next one begins, which costs one frame.
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { UnitAssembler } from "./access_unit.ts";
import { AnnexBSplitter } from "./annexb.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import {
  type AccessUnit,
  asCameraError,
  CameraError,
  type Source,
  type UnitSink,
} from "./source.ts";

/** Starting a camera stack takes seconds on a small board; silence beyond this is a fault. */
export const OUTPUT_LIMIT_MS = 10_000;
/** Between asking a program to end and making it. */
export const TERM_LIMIT_MS = 2000;

const MAX_HEARD_CHARACTERS = 4096;
const MAX_COMPLAINT_CHARACTERS = 300;
const TICKS_PER_MS = 90;

export class ExecSource implements Source {
  readonly #command: readonly string[];
  readonly #clock: Clock;

  /** `command` is the program and its arguments. */
  constructor(command: readonly string[], clock: Clock = SYSTEM_CLOCK) {
    this.#command = command;
    this.#clock = clock;
  }

  async run(sink: UnitSink, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const error = await new Child(this.#command, this.#clock, sink).run(signal);
    if (!signal.aborted) throw error;
  }
}

class Child {
  readonly #command: readonly string[];
  readonly #clock: Clock;
  readonly #sink: UnitSink;
  readonly #splitter = new AnnexBSplitter();
  readonly #assembler = new UnitAssembler();
  readonly #stopped = Promise.withResolvers<CameraError>();
  #heard = "";
  #over = false;
  #cancelLimit: () => void = () => {};

  constructor(command: readonly string[], clock: Clock, sink: UnitSink) {
    this.#command = command;
    this.#clock = clock;
    this.#sink = sink;
  }

  /** Resolves with the reason once the program is gone. */
  async run(signal: AbortSignal): Promise<CameraError> {
    const [program, ...args] = this.#command;
    const child = spawn(program!, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    const exited = new Promise<void>((resolve) => {
      child.once("exit", () => resolve());
      child.once("error", () => child.pid === undefined && resolve());
    });
    this.#listen(child);
    this.#expectOutput();
    const onAbort = () => this.#stop(new CameraError("ended", "Cannot show camera: given up"));
    signal.addEventListener("abort", onAbort, { once: true });
    const error = await this.#stopped.promise;
    signal.removeEventListener("abort", onAbort);
    this.#cancelLimit();
    await this.#end(child, exited);
    return error;
  }

  #listen(child: ChildProcess): void {
    child.stdout!.on("data", (chunk: Uint8Array) => this.#take(chunk));
    child.stdout!.on("error", () => {}); // "exit" says the rest
    child.stderr!.setEncoding("utf8");
    child.stderr!.on("data", (text: string) => {
      this.#heard = (this.#heard + text).slice(-MAX_HEARD_CHARACTERS);
    });
    child.stderr!.on("error", () => {});
    child.on("error", (cause: Error & { code?: unknown }) => {
      const reason = cause.code === "ENOENT" ? "no such program" : "it cannot be started";
      this.#stop(new CameraError("broken", `Cannot start camera program: ${reason}`, { cause }));
    });
    child.on("close", (code: number | null, name: string | null) => {
      const message = `Cannot show camera: program ended with ${
        code ?? name
      }: ${this.#complaint()}`;
      this.#stop(new CameraError(code === 0 ? "ended" : "broken", message));
    });
  }

  #take(chunk: Uint8Array): void {
    if (this.#over) return;
    this.#expectOutput();
    const timestamp = Math.round(this.#clock.now() * TICKS_PER_MS) % 2 ** 32;
    try {
      for (const nal of this.#splitter.push(chunk)) {
        this.#give(this.#assembler.push(nal, timestamp));
      }
      this.#give(this.#assembler.announce(this.#splitter.begun, timestamp));
    } catch (error) {
      this.#stop(asCameraError(error));
    }
  }

  #give(unit: AccessUnit | undefined): void {
    if (unit !== undefined && !this.#over) this.#sink.unit(unit);
  }

  /** The last line that the program wrote to its standard error, for the log. */
  #complaint(): string {
    const line = this.#heard.trimEnd().split(/[\r\n]+/).at(-1)!;
    // Programs repeat the addresses they were given, passwords included.
    return line.replace(/\S+@/g, "…@").slice(0, MAX_COMPLAINT_CHARACTERS);
  }

  #expectOutput(): void {
    this.#cancelLimit();
    this.#cancelLimit = this.#clock.after(OUTPUT_LIMIT_MS, () => {
      const message = `Cannot show camera: program wrote nothing for ${OUTPUT_LIMIT_MS} ms`;
      this.#stop(new CameraError("broken", message));
    });
  }

  #stop(error: CameraError): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopped.resolve(error);
  }

  async #end(child: ChildProcess, exited: Promise<void>): Promise<void> {
    child.stdout!.destroy();
    child.stderr!.destroy();
    sendSignal(child, "SIGTERM");
    const cancel = this.#clock.after(TERM_LIMIT_MS, () => sendSignal(child, "SIGKILL"));
    await exited;
    cancel();
  }
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
