/** Programs with a web UI that nobody here wrote, each started in a temporary folder and on a free port of the loopback. */
import { Child } from "../e2e/child.ts";
import { exists } from "../e2e/checkout.ts";
import { freePort } from "../e2e/free_port.ts";

/** First starts on a loaded machine with two cores: some make keys or databases. */
const READY_LIMIT_MS = 180_000;
const POLL_MS = 250;
const POLL_LIMIT_MS = 10_000;
/** Between choosing a port and the program's binding it somebody else may take it: then another is chosen. */
const PORT_TRIES = 3;

/** Where a program is to run. */
export interface Place {
  /** Empty, its own, removed afterwards. */
  readonly folder: string;
  readonly port: number;
}

/** How a program is started. */
export interface ProgramPlan {
  /** Executables of which each must exist; else the UI is skipped. */
  readonly needs: readonly string[];
  /** Writes what the program reads, and gives its command line. */
  prepare(place: Place): Promise<ProgramCommand>;
  /** Path whose answer, of whatever status, shows that the program is there. */
  readonly readyPath?: string;
}

export interface ProgramCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A running program. */
export interface Program extends Place, AsyncDisposable {
  /** Such as "http://127.0.0.1:8080", without a slash at its end. */
  readonly url: string;
  readonly child: Child;
}

/** Why a UI cannot be tried here, if it cannot; said on stderr as well. For `Deno.test({ ignore })`. */
export async function uiMissing(
  name: string,
  needs: readonly string[],
): Promise<string | undefined> {
  for (const path of needs) {
    if (await exists(path)) continue;
    const lack = `there is no ${path.split("/").at(-1)}: run cross/setup_uis.sh`;
    Deno.stderr.writeSync(new TextEncoder().encode(`${name} is skipped: ${lack}\n`));
    return lack;
  }
  return undefined;
}

/** Starts a program and waits until it answers. Dispose of it. */
export async function startProgram(plan: ProgramPlan): Promise<Program> {
  for (let attempt = 1;; attempt++) {
    try {
      return await startOnce(plan);
    } catch (error) {
      if (attempt === PORT_TRIES) throw error;
    }
  }
}

async function startOnce(plan: ProgramPlan): Promise<Program> {
  const folder = await Deno.makeTempDir({ prefix: "porthole-ui-" });
  const port = freePort();
  const child = Child.start(await plan.prepare({ folder, port }));
  const stop = async () => {
    await child.stop();
    await Deno.remove(folder, { recursive: true });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await answering(`${url}${plan.readyPath ?? "/"}`, child);
    return { url, port, folder, child, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function answering(url: string, child: Child): Promise<void> {
  const end = performance.now() + READY_LIMIT_MS;
  const ended = new AbortController();
  child.exited().then(() => ended.abort());
  for (;;) {
    try {
      const limit = AbortSignal.timeout(POLL_LIMIT_MS);
      const answer = await fetch(url, { redirect: "manual", signal: limit });
      await answer.body?.cancel();
      return;
    } catch (cause) {
      if (performance.now() > end || ended.signal.aborted) {
        throw new Error(`Cannot reach ${url}; it wrote:\n${written(child)}`, { cause });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function written({ stdout, stderr }: Child): string {
  return (stdout + stderr).slice(-2000);
}
