/**
 * Makes `dist/web/` from `web/`: what browsers load, minified, in the layout in which the rendezvous serves it. Does
 * nothing when no source has changed since the last time, so that `make demo` starts at once. Run by Deno:
 * `deno task bundle:web`.
 */

/** One script. `iife` for what may be loaded as a classic script: no import, no export, nothing left in the globals. */
interface Script {
  readonly source: string;
  readonly output: string;
  readonly format: "esm" | "iife";
}

const SCRIPTS: readonly Script[] = [
  { source: "web/shell/main.tsx", output: "shell/shell.js", format: "esm" },
  { source: "web/pump/pump.ts", output: "shell/pump.js", format: "iife" },
  // Firefox ESR registers no module service workers.
  { source: "web/sw/sw.ts", output: "content/sw.js", format: "iife" },
  { source: "web/bridge/bridge.ts", output: "content/bridge.js", format: "iife" },
  { source: "web/doorway/doorway.ts", output: "content/doorway.js", format: "iife" },
  // Put into device pages, where it must have run before the next script begins: a module is deferred.
  { source: "web/inject/inject.ts", output: "content/inject.js", format: "iife" },
];

/** Folders whose other files (pages, styles, icons, manifest) are copied as they are. */
const STATIC_FOLDERS: readonly { readonly from: string; readonly to: string }[] = [
  { from: "web/shell/", to: "shell/" },
  { from: "web/bridge/", to: "content/" },
];
const RENAMED: Readonly<Record<string, string>> = { "shell/style.css": "shell/shell.css" };

/** All that a script may be made of (ARCHITECTURE.md, import table), and what makes it. */
const SOURCES = [
  "web/",
  "src/protocol/",
  "src/trust/",
  "src/lib/bytes.ts",
  "deno.json",
  "deno.lock",
  "cross/bundle_web.ts",
];
/** What is bundled, or only there for tests. */
const IS_NOT_SERVED = /\.tsx?$|\/testing\//;
const OUTPUT = "dist/web";
const STAMP = `${OUTPUT}/.stamp`;

/** The checkout that this script stands in. */
const ROOT = new URL("../", import.meta.url);

/** Bundles `web/` if any source has changed. Returns whether it had to. */
export async function bundleWeb(): Promise<boolean> {
  const stamp = await sourceStamp();
  if (await readTextIfThere(STAMP) === stamp) return false;
  await Deno.mkdir(new URL("dist/", ROOT), { recursive: true });
  const scratch = `dist/web.${crypto.randomUUID()}`;
  try {
    // One after the other: on a fresh machine each run would install esbuild, and two at once break each other's copy.
    for (const script of SCRIPTS) await bundle(script, `${scratch}/${script.output}`);
    for (const { from, to } of STATIC_FOLDERS) await copyStatic(from, `${scratch}/`, to);
    await Deno.writeTextFile(new URL(`${scratch}/.stamp`, ROOT), stamp);
    await replaceOutput(scratch, stamp);
  } finally {
    await removeIfThere(scratch);
  }
  return true;
}

/** Another run may do the same at the same time; whichever comes last finds the work done. */
async function replaceOutput(scratch: string, stamp: string): Promise<void> {
  await removeIfThere(OUTPUT);
  try {
    await Deno.rename(new URL(scratch, ROOT), new URL(OUTPUT, ROOT));
  } catch (error) {
    if (await readTextIfThere(STAMP) !== stamp) throw error;
  }
}

async function bundle(script: Script, output: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "browser", "--minify"]
      .concat(["--format", script.format, "--output", output, script.source]),
    cwd: ROOT,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  throw new Error(`Cannot bundle ${script.source}: ${new TextDecoder().decode(stderr).trim()}`);
}

async function copyStatic(from: string, scratch: string, to: string): Promise<void> {
  for (const path of await filesBelow(from)) {
    if (IS_NOT_SERVED.test(path)) continue;
    const plain = to + path.slice(from.length);
    const target = new URL(scratch + (RENAMED[plain] ?? plain), ROOT);
    await Deno.mkdir(new URL(".", target), { recursive: true });
    await Deno.copyFile(new URL(path, ROOT), target);
  }
}

/** A text that changes whenever a source does: name, size and time of change of each. */
async function sourceStamp(): Promise<string> {
  const lines: string[] = [];
  for (const source of SOURCES) {
    for (const path of source.endsWith("/") ? await filesBelow(source) : [source]) {
      if (/_test\.tsx?$|\/testing\//.test(path)) continue;
      const { size, mtime } = await Deno.stat(new URL(path, ROOT));
      lines.push(`${path} ${size} ${mtime?.getTime()}`);
    }
  }
  return lines.join("\n");
}

/** Paths from the root of the checkout, in a stable order. */
async function filesBelow(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const entry of Deno.readDir(new URL(folder, ROOT))) {
    const path = folder + entry.name;
    paths.push(...entry.isDirectory ? await filesBelow(`${path}/`) : [path]);
  }
  return paths.sort();
}

async function readTextIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(new URL(path, ROOT));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(new URL(path, ROOT), { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

if (import.meta.main && await bundleWeb()) {
  await Deno.stderr.write(new TextEncoder().encode("bundle: dist/web\n"));
}
