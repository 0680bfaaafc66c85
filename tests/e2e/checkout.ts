/** Where things are for tests that start real programs: the checkout, what npm brings into it, what lies beside it. */

/** The checkout, with a slash at its end. */
export const ROOT = new URL("../../", import.meta.url);

/** A file of the checkout, as a path. */
export function inCheckout(path: string): string {
  return decodeURIComponent(new URL(path, ROOT).pathname);
}

/** The folder of probes and tools that porthole's developers share: `PORTHOLE_SHARED`, else beside the checkout. */
export async function sharedFolder(): Promise<string | undefined> {
  const folder = Deno.env.get("PORTHOLE_SHARED") ?? inCheckout("../shared");
  return await exists(`${folder}/tools`) ? folder : undefined;
}

/** Whether there is something at a path. */
export async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Time for npm to fetch a package and what it needs. */
const NPM_LIMIT_MS = 5 * 60 * 1000;

/**
 * Installs one exact npm package into a folder of `.tools/`, once, and gives that folder's `node_modules`. npm's own words
 * stay out of the tests' output: they name the registry in use.
 */
export async function npmInstalled(folder: string, spec: string): Promise<string> {
  const home = inCheckout(`.tools/${folder}`);
  const modules = `${home}/node_modules`;
  const stamp = `${home}/installed`;
  if (await Deno.readTextFile(stamp).catch(() => "") === spec) return modules;
  await Deno.mkdir(home, { recursive: true });
  const { code } = await new Deno.Command("npm", {
    args: ["install", "--silent", "--no-audit", "--no-fund", "--no-save", "--prefix", home, spec],
    stdout: "null",
    stderr: "null",
    signal: AbortSignal.timeout(NPM_LIMIT_MS),
  }).output();
  if (code !== 0) throw new Error(`Cannot install "${spec}": npm exited with ${code}`);
  await Deno.writeTextFile(stamp, spec);
  return modules;
}

/** The oldest Node that porthole supports, and the newest that 32-bit ARM boards get (Debian). */
export const NODE_VERSIONS = ["22.13.1", "24.21.0"] as const;

/** Path of a Node's executable, which npm has as a package. */
export async function nodeExecutable(version: typeof NODE_VERSIONS[number]): Promise<string> {
  return `${await npmInstalled(`node-${version}`, `node@${version}`)}/node/bin/node`;
}

/**
 * How porthole is started on Deno wherever it is: with it V8 keeps its heap small, and a gigabyte that is sent costs a third
 * less memory at the same speed (docs/benchmarks.md).
 */
export const V8_FLAGS = "--v8-flags=--optimize-for-size";
