/**
 * Makes the executables for boards: `dist/porthole` for this machine, `dist/porthole-ARCH` for others. Each is the same
 * program (`bundle_program.ts`) with its runtime in one file:
 *
 *     x86_64, aarch64   `deno compile` where its base is at hand (DENORT_BIN_X86_64, DENORT_BIN_AARCH64: the unzipped
 *                       `denort` of the pinned version); else the single-file method on npm's Deno
 *     armv7             Node (`sea.ts`)
 *
 * The same sources give the same bytes. Run by Deno: `deno run -A cross/build.ts [host|x86_64|aarch64|armv7 …]`.
 */
import { bundleProgram } from "./bundle_program.ts";
import { Elf, padLastSegment, sharedPages } from "./elf.ts";
import { run, say } from "./process.ts";
import { runtime } from "./runtimes.ts";
import { makeNodeApplication } from "./sea.ts";
import { fuse } from "./single_file/fuse.ts";
import { readStub } from "./single_file/stub.ts";

export const ARCHES = ["x86_64", "aarch64", "armv7"] as const;
export type Arch = typeof ARCHES[number];
type DenoArch = Exclude<Arch, "armv7">;

const ROOT = new URL("../", import.meta.url);

/**
 * All that the program may need, since what it serves is not known here: services and cameras on the network, its state,
 * `exec:` cameras. Neither foreign functions nor code from elsewhere. The unit narrows it, and `run` without `exec:` cameras
 * gives up starting programs.
 */
const RIGHTS = ["net", "read", "write", "env", "sys", "run"].map((right) => `--allow-${right}`);
/** A young generation of 1 MB and code that is small: a board's memory is dearer than its time (docs/benchmarks.md). */
const ENGINE = "--v8-flags=--optimize-for-size,--max-semi-space-size=1";
/** Nothing but what is in the file: no configuration that happens to lie about, no download, no question. */
const ALONE = ["--no-config", "--no-lock", "--no-npm", "--no-remote", "--cached-only"];
const COMMON = ["--no-prompt", "--unstable-net", ENGINE, ...RIGHTS];

/** Makes one, and gives its path. Throws an Error with the remedy. */
export async function build(arch: Arch, output = `dist/porthole-${arch}`): Promise<string> {
  const path = new URL(output, ROOT).pathname;
  if (arch === "armv7") await buildForNode(path);
  else await buildForDeno(arch, path);
  await say(`build: ${output}, ${Math.round((await Deno.stat(path)).size / 1e5) / 10} MB`);
  return path;
}

async function buildForNode(path: string): Promise<void> {
  const program = "dist/program/porthole.cjs";
  await bundleProgram({ packaged: "sea", output: program, format: "cjs" });
  await makeNodeApplication({ script: new URL(program, ROOT).pathname, output: path });
}

async function buildForDeno(arch: DenoArch, path: string): Promise<void> {
  const base = Deno.env.get(`DENORT_BIN_${arch.toUpperCase()}`);
  const packaged = base === undefined ? "single-file" : "compile";
  const program = `dist/program/${packaged}.mjs`;
  await bundleProgram({ packaged, output: program, format: "esm" });
  const options = { arch, program: new URL(program, ROOT).pathname, path };
  if (base === undefined) await fuseFile(options);
  else await compileFile({ ...options, base });
  const shared = sharedPages(new Elf(await Deno.readFile(path)).segments());
  if (arch === "aarch64" && shared.length > 0) {
    throw new Error(`Cannot use '${path}': segments share pages of 64 KiB: ${shared.join(", ")}`);
  }
}

interface Made {
  readonly arch: DenoArch;
  readonly program: string;
  readonly path: string;
}

async function fuseFile({ arch, program, path }: Made): Promise<void> {
  const fused = fuse({
    runtime: await Deno.readFile(await runtime(`deno-${arch}`)),
    stub: await readStub(arch),
    program: await Deno.readFile(program),
    args: ["run", ...ALONE, ...COMMON, "--ext=mjs"],
  });
  await replaceFile(path, fused);
}

async function compileFile({ arch, program, path, base }: Made & { base: string }): Promise<void> {
  const scratch = await Deno.makeTempDir();
  try {
    const padded = await Deno.readFile(base);
    padLastSegment(new Elf(padded));
    await Deno.writeFile(`${scratch}/denort`, padded, { mode: 0o755 });
    await Deno.copyFile(program, `${scratch}/porthole.mjs`); // alone: nothing beside it is embedded
    const target = ["--target", `${arch}-unknown-linux-gnu`, "--output", `${scratch}/porthole`];
    const args = ["compile", "--no-config", "--no-lock", ...COMMON, ...target, "porthole.mjs"];
    await run(Deno.execPath(), args, { cwd: scratch, env: { DENORT_BIN: `${scratch}/denort` } });
    await replaceFile(path, await Deno.readFile(`${scratch}/porthole`));
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** A file that runs can be replaced, but not written to. */
async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  await Deno.writeFile(`${path}.new`, bytes);
  await Deno.chmod(`${path}.new`, 0o755);
  await Deno.rename(`${path}.new`, path);
}

if (import.meta.main) {
  for (const wanted of Deno.args.length > 0 ? Deno.args : ["host"]) {
    if (wanted === "host") await build(Deno.build.arch as DenoArch, "dist/porthole");
    else if (ARCHES.includes(wanted as Arch)) await build(wanted as Arch);
    else throw new Error(`Cannot build '${wanted}': expected host, ${ARCHES.join(", ")}`);
  }
}
