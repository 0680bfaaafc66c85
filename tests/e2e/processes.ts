/** porthole itself, started as a person would: from source, or as the bundle on Deno or Node. */
import { Child, type ChildEnd } from "./child.ts";
import { inCheckout, NODE_VERSIONS, nodeExecutable, V8_FLAGS } from "./checkout.ts";

/** How long a command may take until it says that it is ready; from source, on a loaded machine with two cores. */
const READY_LIMIT_MS = 60_000;
/** How long a command that ends by itself may run. */
const RUN_LIMIT_MS = 60_000;

/** What is started: `source` (the default) needs no bundle; the others need `deno task bundle`. */
export type Origin = "source" | "bundle on Deno" | `bundle on Node ${typeof NODE_VERSIONS[number]}`;

/** An artefact that was built before: the beginning of its command line. */
export type CommandLine = readonly string[];

export interface PortholeOptions {
  readonly args: readonly string[];
  readonly from?: Origin | CommandLine;
  /** How long it may take until it is ready; for machines that are emulated. */
  readonly readyLimitMs?: number;
  /** Network namespace to run in (`two_hosts.ts`). */
  readonly netns?: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
}

/** A porthole that serves until it is stopped. */
export interface Porthole extends AsyncDisposable {
  /** Its first line, printed once it is ready. */
  readonly ready: Readonly<Record<string, unknown>>;
  readonly child: Child;
  stop(): Promise<ChildEnd>;
}

/** Starts `porthole run`, `rendezvous` or `demo` with `--json` among its args, and waits until it is ready. */
export async function startPorthole(options: PortholeOptions): Promise<Porthole> {
  const child = await spawn(options);
  try {
    const ready = await child.firstJson(options.readyLimitMs ?? READY_LIMIT_MS);
    return {
      ready,
      child,
      stop: () => child.stop(),
      [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/** Runs a command that ends by itself, such as `pair --json`. */
export async function runPorthole(
  options: PortholeOptions,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  await using child = await spawn(options);
  const limitMs = options.readyLimitMs ?? RUN_LIMIT_MS;
  await child.find(() => undefined as true | undefined, { what: "end", limitMs })
    .catch(() => undefined);
  const { code } = await child.stop();
  return { code, stdout: child.stdout, stderr: child.stderr };
}

async function spawn({ args, from = "source", netns, env }: PortholeOptions): Promise<Child> {
  const [command, ...before] = await commandLine(from);
  return Child.start({
    command: command!,
    args: [...before, ...args],
    netns,
    // Node 22 calls node:sqlite experimental, on stderr.
    env: { NO_COLOR: "1", NODE_NO_WARNINGS: "1", ...env },
  });
}

async function commandLine(from: Origin | CommandLine): Promise<string[]> {
  if (typeof from !== "string") return [...from];
  const bundle = inCheckout("dist/porthole.mjs");
  const deno = [Deno.execPath(), "run", "-A", V8_FLAGS];
  if (from === "source") return [...deno, inCheckout("src/main.ts")];
  if (from === "bundle on Deno") return [...deno, "--no-config", bundle];
  const version = NODE_VERSIONS.find((version) => from.endsWith(version))!;
  return [await nodeExecutable(version), bundle];
}
