/**
 * Makes `dist/porthole.mjs`: the whole program with its web files inlined, as one module that runs on Deno and on
 * Node >= 22.13 alike. `build.ts` makes the same for each way of packaging. Run by Deno: `deno task bundle`.
 */
import { Buffer } from "node:buffer";
import { type Assets, readAssets } from "../src/platform/assets.ts";
import type { Build, Packaged } from "../src/version.ts";
import { bundleWeb } from "./bundle_web.ts";

const ROOT = new URL("../", import.meta.url);
const OUTPUT = "dist/porthole.mjs";
/** Generated sources. They lie in the checkout so that deno.json's import map and the lock file hold for them. */
const GENERATED = "dist/program/";

/** Without `await` at the top: an application of Node (`sea.ts`) is a script, not a module. */
const ENTRY = `import process from "node:process";
import { main } from "../../src/main.ts";
import { assets } from "./assets.ts";
import { build } from "./build.ts";

void main({ args: process.argv.slice(2), assets, ...build }).then((status) => process.exit(status));
`;

/** One way of packaging (`src/version.ts`). */
export interface ProgramOptions {
  readonly packaged: Packaged;
  /** From the root of the checkout. */
  readonly output: string;
  readonly format: "esm" | "cjs";
}

/** Writes the generated sources, bundles them, and checks that the result stands alone. */
export async function bundleProgram(
  { packaged, output, format }: ProgramOptions = {
    packaged: "bundle",
    output: OUTPUT,
    format: "esm",
  },
): Promise<void> {
  await bundleWeb();
  await Deno.mkdir(new URL(GENERATED, ROOT), { recursive: true });
  await write("assets.ts", assetsModule(await readAssets(ROOT)));
  await write("build.ts", buildModule({ packaged, ...await readCommit() }));
  await write("entry.ts", ENTRY);
  await run(["bundle", "--quiet", "--platform", "deno", "--format", format, "--minify"]
    .concat("--output", output, `${GENERATED}entry.ts`));
  const foreign = foreignImports(await Deno.readTextFile(new URL(output, ROOT)));
  if (foreign.length > 0) {
    throw new Error(`Cannot use ${output}: it still imports ${foreign.join(", ")}`);
  }
}

function buildModule(build: Build): string {
  return `import type { Build } from "../../src/version.ts";
export const build: Build = ${JSON.stringify(build)};
`;
}

/** Import statements and literal dynamic imports of minified text, where a statement or a value may begin. */
const IMPORTS = /(?:^|[;\n}])import(?:[\w$*{},\s]+?from)?\s*"([^"]+)"|[=(,;\s]import\("([^"]+)"\)/g;

/** Modules that bundled text needs and that are not built into both runtimes. */
export function foreignImports(text: string): string[] {
  const specifiers = [...text.matchAll(IMPORTS)].map(([, fixed, dynamic]) => fixed ?? dynamic!);
  return [...new Set(specifiers)].filter((specifier) => !specifier.startsWith("node:"));
}

/** A module whose `assets()` gives the map that `readAssets` gives; commands that serve nothing never decode it. */
function assetsModule(assets: Assets): string {
  const rows = [...assets].map(([key, { bytes, type }]) =>
    `  [${JSON.stringify(key)}, asset(${JSON.stringify(type)}, "${
      Buffer.from(bytes).toString("base64")
    }")],\n`
  );
  return `import { Buffer } from "node:buffer";
function asset(type: string, text: string): { bytes: Uint8Array; type: string } {
  return { bytes: new Uint8Array(Buffer.from(text, "base64")), type };
}
export function assets(): Promise<ReadonlyMap<string, { bytes: Uint8Array; type: string }>> {
  return Promise.resolve(new Map([
${rows.join("")}]));
}
`;
}

/**
 * The commit, marked where files differ from it, and its time: not that of the build, so that the same sources give the
 * same bytes. Neither outside a repository, unless `SOURCE_DATE_EPOCH` gives the time.
 */
async function readCommit(): Promise<Pick<Build, "commit" | "builtAt">> {
  const commit = await git(["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]);
  const time = Deno.env.get("SOURCE_DATE_EPOCH") ?? await git(["log", "-1", "--format=%ct"]);
  return {
    ...commit !== undefined && { commit },
    ...time !== undefined && { builtAt: Number(time) },
  };
}

async function git(args: readonly string[]): Promise<string | undefined> {
  const { success, stdout } = await new Deno.Command("git", {
    args: [...args],
    cwd: ROOT,
    stderr: "null",
  }).output().catch(() => ({ success: false, stdout: new Uint8Array() }));
  return success ? new TextDecoder().decode(stdout).trim() : undefined;
}

async function write(name: string, text: string): Promise<void> {
  await Deno.writeTextFile(new URL(GENERATED + name, ROOT), text);
}

async function run(args: readonly string[]): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    stdout: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`Cannot bundle: 'deno ${args.join(" ")}' failed`);
}

if (import.meta.main) {
  await bundleProgram();
  await Deno.stderr.write(new TextEncoder().encode(`bundle: ${OUTPUT}\n`));
}
