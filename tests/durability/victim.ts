/** A child process that works and prints lines of JSON until it is killed, or ends. */
const SCRIPT = new URL("racer_process.ts", import.meta.url).pathname;
/** Far above what one life takes: a child that hangs is a failure, not a hung test. */
const LIFE_LIMIT_MS = 60_000;

/** When it is killed: after so many lines, and so many milliseconds more. */
export interface Death {
  readonly afterLines: number;
  readonly afterMs: number;
}

/** How it was. */
export interface Life {
  readonly lines: readonly unknown[];
  readonly killed: boolean;
}

/** One child. `life` settles with its end; it rejects if the child ended in failure or did not end. */
export class Victim {
  readonly life: Promise<Life>;
  /** Resolves when it printed its first line, or ended without one. */
  readonly ready: Promise<void>;
  readonly #child: Deno.ChildProcess;
  readonly #death: Death;
  readonly #timers: ReturnType<typeof setTimeout>[] = [];
  readonly #readiness = Promise.withResolvers<void>();
  #isLate = false;

  constructor(args: readonly string[], death: Death) {
    this.#death = death;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--quiet", SCRIPT, ...args],
      stdin: "piped", // its end tells the child that nobody is left to kill it
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.ready = this.#readiness.promise;
    this.life = this.#live();
  }

  /** Lets it work. */
  async go(): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(Uint8Array.of(1)).catch(() => {}); // it may be dead already
    writer.releaseLock();
  }

  kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It ended by itself in the meantime.
    }
  }

  async #live(): Promise<Life> {
    this.#timers.push(setTimeout(() => {
      this.#isLate = true;
      this.kill();
    }, LIFE_LIMIT_MS));
    try {
      const [lines, errors, status] = await Promise.all([
        this.#readLines(),
        new Response(this.#child.stderr).text(),
        this.#child.status,
      ]);
      const killed = status.signal === "SIGKILL";
      if (this.#isLate || (!killed && !status.success)) {
        throw new Error(`A child ${this.#isLate ? "did not end" : "failed"}:\n${errors}`);
      }
      return { lines, killed };
    } finally {
      this.#readiness.resolve();
      for (const timer of this.#timers) clearTimeout(timer);
      await this.#child.stdin.close().catch(() => {}); // the child is gone, and its pipe with it
    }
  }

  /** Whole lines; what a kill cut off is not a line. */
  async #readLines(): Promise<unknown[]> {
    const lines: unknown[] = [];
    const decoder = new TextDecoder();
    let rest = "";
    this.#counted(0);
    for await (const piece of this.#child.stdout) {
      const parts = (rest + decoder.decode(piece, { stream: true })).split("\n");
      rest = parts.pop()!;
      for (const part of parts) this.#counted(lines.push(JSON.parse(part)));
    }
    return lines;
  }

  #counted(count: number): void {
    if (count === 1) this.#readiness.resolve();
    const { afterLines, afterMs } = this.#death;
    if (count === afterLines) this.#timers.push(setTimeout(() => this.kill(), afterMs));
  }
}
