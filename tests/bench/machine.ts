/** What a reader must know of the machine to read its figures; no name of it, nor of anybody. */
import { inCheckout } from "../e2e/checkout.ts";
import { runPorthole } from "../e2e/processes.ts";

export interface Machine {
  readonly cores: number;
  readonly memoryMB: number;
  readonly kernel: string;
  readonly arch: string;
  /** Of the agent. */
  readonly runtime: string;
  readonly browser: string;
  /** Of the bundle or the sources that were measured; undefined without git. */
  readonly commit: string | undefined;
}

/** Asks the bundle itself what it is. `browser` is Chromium's version. */
export async function machineFacts(browser: string): Promise<Machine> {
  const { code, stdout, stderr } = await runPorthole({
    args: ["version", "--json"],
    from: "bundle on Deno",
  });
  if (code !== 0) throw new Error(`Cannot run dist/porthole.mjs: ${stderr}`);
  const { runtime, arch, commit } = JSON.parse(stdout);
  return { ...hardware(), arch, runtime, browser: `Chromium ${browser}`, commit };
}

/** The same for measures of the sources. */
export async function sourceFacts(browser: string): Promise<Machine> {
  return {
    ...hardware(),
    arch: Deno.build.arch,
    runtime: `Deno ${Deno.version.deno}`,
    browser: `Chromium ${browser}`,
    commit: await headCommit(),
  };
}

function hardware(): Pick<Machine, "cores" | "memoryMB" | "kernel"> {
  return {
    cores: navigator.hardwareConcurrency,
    memoryMB: Math.round(Deno.systemMemoryInfo().total / 1e6),
    kernel: Deno.osRelease(),
  };
}

async function headCommit(): Promise<string | undefined> {
  try {
    const { code, stdout } = await new Deno.Command("git", {
      args: ["rev-parse", "--short", "HEAD"],
      cwd: inCheckout(""),
      stderr: "null",
    }).output();
    return code === 0 ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined; // no git
  }
}
