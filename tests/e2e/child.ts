/**
 * Child processes of tests: started, watched and ended here, so that no test leaves one behind. Their output is kept (its
 * end, bounded) and shown when they do not do what was expected of them.
 */

/** Characters of output that are kept: the end of a long run says what went wrong. */
const KEPT_CHARACTERS = 200_000;
/** How long a program may take to end after SIGTERM; then it is killed, and `stop` says so. */
const STOP_LIMIT_MS = 10_000;
/** How long output is read after the end: a grandchild that lives on keeps the pipes open. */
const DRAIN_LIMIT_MS = 500;
/** Characters of output that an error shows. */
const SHOWN_CHARACTERS = 4_000;

export interface ChildOptions {
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Network namespace to run in (`two_hosts.ts`); needs root. */
  readonly netns?: string | undefined;
}

/** How a child ended. */
export interface ChildEnd {
  /** Exit code; 128 + n after signal n, as a shell says it. */
  readonly code: number;
  /** Whether it had to be killed. */
  readonly killed: boolean;
}

/** A running program. Dispose of it, or call `stop`. */
export class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #name: string;
  readonly #reading: Promise<unknown>;
  readonly #readers: ReadableStreamDefaultReader<Uint8Array>[] = [];
  readonly #waiting = new Set<() => void>();
  #stdout = "";
  #stderr = "";
  #end: ChildEnd | undefined;
  #ended: Promise<ChildEnd> | undefined;
  #closed = false;

  private constructor(name: string, process: Deno.ChildProcess) {
    this.#name = name;
    this.#process = process;
    this.#reading = Promise.all([
      this.#read(process.stdout, (text) => this.#stdout = keptEnd(this.#stdout + text)),
      this.#read(process.stderr, (text) => this.#stderr = keptEnd(this.#stderr + text)),
    ]).finally(() => {
      this.#closed = true;
      this.#wake();
    });
  }

  static start(options: ChildOptions): Child {
    const { command, args = [], cwd, env, netns } = options;
    const line = netns ? ["ip", "netns", "exec", netns, command, ...args] : [command, ...args];
    const process = new Deno.Command(line[0]!, {
      args: line.slice(1),
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new Child([command, ...args].join(" "), process);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** The end of what it wrote so far. */
  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** What `look` finds in the output, looked for again whenever more of it comes. */
  async find<Found>(
    look: (child: Child) => Found | undefined,
    { what, limitMs }: { readonly what: string; readonly limitMs: number },
  ): Promise<Found> {
    const limit = Promise.withResolvers<"late">();
    const timer = setTimeout(limit.resolve, limitMs, "late");
    try {
      for (;;) {
        const ended = this.#closed;
        const found = look(this);
        if (found !== undefined) return found;
        if (ended) throw this.#failure(`ended without ${what}`);
        const more = Promise.withResolvers<"more">();
        const wake = () => more.resolve("more");
        this.#waiting.add(wake);
        const next = await Promise.race([more.promise, limit.promise]);
        this.#waiting.delete(wake);
        if (next === "late") throw this.#failure(`gave no ${what} within ${limitMs} ms`);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** The first whole line on stdout as JSON. */
  async firstJson(limitMs: number): Promise<Record<string, unknown>> {
    const line = await this.find(({ stdout }) => /^(.*)\n/.exec(stdout)?.[1], {
      what: "line on stdout",
      limitMs,
    });
    try {
      return JSON.parse(line);
    } catch (cause) {
      throw new Error(`${this.#name} printed a first line that is no JSON: ${line}`, { cause });
    }
  }

  signal(name: Deno.Signal): void {
    if (this.#end === undefined) this.#process.kill(name);
  }

  /** Waits for its end, without asking for it. */
  exited(): Promise<ChildEnd> {
    this.#ended ??= this.#wait(undefined);
    return this.#ended;
  }

  /** Asks it to end with SIGTERM, kills it when it does not, and gives how it ended. */
  async stop(): Promise<ChildEnd> {
    if (this.#end !== undefined) return this.#end;
    try {
      this.#process.kill("SIGTERM");
    } catch {
      // It ended by itself in the meantime.
    }
    return await this.#wait(STOP_LIMIT_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #wait(limitMs: number | undefined): Promise<ChildEnd> {
    let killed = false;
    const timer = limitMs === undefined ? undefined : setTimeout(() => {
      killed = true;
      this.#process.kill("SIGKILL");
    }, limitMs);
    const { code } = await this.#process.status.finally(() => clearTimeout(timer));
    this.#end ??= { code, killed };
    const drained = setTimeout(
      () => this.#readers.forEach((reader) => void reader.cancel()),
      DRAIN_LIMIT_MS,
    );
    await this.#reading.finally(() => clearTimeout(drained));
    return this.#end;
  }

  async #read(stream: ReadableStream<Uint8Array>, add: (text: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    const reader = stream.getReader();
    this.#readers.push(reader);
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      add(decoder.decode(read.value, { stream: true }));
      this.#wake();
    }
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  #failure(how: string): Error {
    const shown = (this.#stderr + this.#stdout).slice(-SHOWN_CHARACTERS);
    return new Error(`"${this.#name}" ${how}. It wrote:\n${shown}`);
  }
}

function keptEnd(text: string): string {
  return text.slice(-KEPT_CHARACTERS);
}
