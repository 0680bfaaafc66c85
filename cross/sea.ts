/**
 * One file for armv7: Deno does not exist there, so it is Node as a "single executable application". The blob is made by the
 * very Node that will read it, under qemu where this machine cannot run it, and put into a copy of it by `postject`.
 *
 * Which Node: `NODE_ARMV7`, a file or a URL of an executable or of Node's own archive (tar.gz, tar.xz), with its checksum in
 * `NODE_ARMV7_SHA256`; it must be linked to no libnode, as Node's own are and Debian's is not. Without it npm's newest,
 * 20.11, which has no node:sqlite: what is made of it can tell its version and why it does not serve.
 */
import { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import { demandChecksum } from "./checksum.ts";
import { run, say } from "./process.ts";
import { runtime } from "./runtimes.ts";
import { sysroot } from "./sysroot.ts";

/** What Node looks for, to know that a blob was put in (nodejs.org, "Single executable applications"). */
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";
const SECTION = "NODE_SEA_BLOB";

/** Makes `output` of a script in CommonJS. */
export async function makeNodeApplication(
  { script, output }: { readonly script: string; readonly output: string },
): Promise<void> {
  const scratch = await Deno.makeTempDir();
  try {
    const node = `${scratch}/node`;
    await Deno.copyFile(await chosenNode(scratch), node);
    await Deno.chmod(node, 0o755);
    const blob = `${scratch}/app.blob`;
    const settings = { main: script, output: blob, disableExperimentalSEAWarning: true };
    await Deno.writeTextFile(`${scratch}/sea.json`, JSON.stringify(settings));
    await runForArm(node, ["--experimental-sea-config", `${scratch}/sea.json`]);
    await run("arm-linux-gnueabihf-strip", [node]); // before the blob is in: what comes after destroys it
    await inject(node, await Deno.readFile(blob));
    await Deno.copyFile(node, output);
    await Deno.chmod(output, 0o755);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

async function chosenNode(scratch: string): Promise<string> {
  const chosen = Deno.env.get("NODE_ARMV7");
  if (chosen === undefined) {
    await say(
      "armv7: no NODE_ARMV7, so Node 20.11 of npm: the result has no SQLite and will not serve",
    );
    return await runtime("node-armv7");
  }
  const sha256 = Deno.env.get("NODE_ARMV7_SHA256");
  if (sha256 === undefined) {
    throw new Error("Cannot use NODE_ARMV7: give its checksum, too, in NODE_ARMV7_SHA256");
  }
  const path = /^https?:/.test(chosen) ? await downloaded(chosen, scratch) : chosen;
  await demandChecksum(path, { sha256, what: chosen });
  return /\.tar\.\w+$/.test(chosen) ? await unpacked(path, scratch) : path;
}

async function downloaded(url: string, scratch: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`Cannot fetch '${url}': it answers ${response.status}`);
  const path = `${scratch}/download`;
  await Deno.writeFile(path, response.body!);
  return path;
}

/** Node's archives hold one folder, named after the version. */
async function unpacked(archive: string, scratch: string): Promise<string> {
  const folder = `${scratch}/archive`;
  await Deno.mkdir(folder);
  await run(
    "tar",
    ["-xf", archive, "-C", folder, "--strip-components=1", "--wildcards"]
      .concat("*/bin/node"),
  );
  return `${folder}/bin/node`;
}

/** Runs a program for armv7 here, with Debian's libraries. */
async function runForArm(program: string, args: readonly string[]): Promise<string> {
  if (Deno.build.arch !== "x86_64") return await run(program, args);
  return await run("qemu-arm-static", ["-L", await sysroot("armhf"), program, ...args]);
}

async function inject(executable: string, blob: Uint8Array): Promise<void> {
  const { inject } = createRequire(import.meta.url)(await runtime("postject"));
  await inject(executable, SECTION, Buffer.from(blob), { sentinelFuse: FUSE });
}
