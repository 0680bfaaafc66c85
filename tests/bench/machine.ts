/** What a reader must know of the machine to read its figures; no name of it, nor of anybody. */
import { runPorthole } from "../e2e/processes.ts";

export interface Machine {
  readonly cores: number;
  readonly memoryMB: number;
  readonly kernel: string;
  readonly arch: string;
  /** Of the agent. */
  readonly runtime: string;
  readonly browser: string;
  /** Of the bundle that was measured; undefined where it was made without git. */
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
  return {
    cores: navigator.hardwareConcurrency,
    memoryMB: Math.round(Deno.systemMemoryInfo().total / 1e6),
    kernel: Deno.osRelease(),
    arch,
    runtime,
    browser: `Chromium ${browser}`,
    commit,
  };
}
