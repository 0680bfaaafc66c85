/**
 * Folders with Debian's libraries for other architectures, in `.tools/sysroots/`: what qemu-user needs to run programs for
 * boards on this machine. apt resolves, downloads and verifies, with lists and a cache of its own; nothing is installed, and
 * neither this system's apt nor its dpkg is read or changed but for the address of its archive. Needs Debian or a relative.
 */
import { run, say } from "./process.ts";

interface Sysroot {
  readonly arch: string;
  readonly suite: string;
  readonly packages: readonly string[];
}

const SYSROOTS = {
  /** What Deno for arm64 loads. */
  arm64: { arch: "arm64", suite: "bookworm", packages: ["libc6", "libgcc-s1"] },
  /** What npm's Node for armv7 loads. */
  armhf: {
    arch: "armhf",
    suite: "bookworm",
    packages: ["libc6", "libgcc-s1", "libstdc++6", "libatomic1"],
  },
  /** A Node for armv7 that has node:sqlite: the newest that Debian builds. */
  "armhf-node": { arch: "armhf", suite: "sid", packages: ["nodejs"] },
  /** Programs that tests of this machine start without installing them: cloud-init and Caddy change a system. */
  tools: { arch: "amd64", suite: "bookworm", packages: ["cloud-init", "caddy"] },
} satisfies Record<string, Sysroot>;

export type SysrootName = keyof typeof SYSROOTS;

const TOOLS = new URL("../.tools/", import.meta.url).pathname;
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Path of the folder, made if it is not there: some ten seconds and up to 150 MB each. */
export async function sysroot(name: SysrootName): Promise<string> {
  const path = `${TOOLS}sysroots/${name}`;
  if (await Deno.stat(path).catch(() => undefined)) return path;
  await say(`sysroot: downloading ${SYSROOTS[name].packages.join(", ")} for ${name}`);
  await Deno.mkdir(`${TOOLS}sysroots`, { recursive: true });
  const scratch = await Deno.makeTempDir({ dir: TOOLS, prefix: "sysroot." });
  try {
    await download(SYSROOTS[name], scratch);
    await unpack(`${scratch}/cache/archives`, `${scratch}/root`);
    await Deno.rename(`${scratch}/root`, path);
    return path;
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

async function download({ arch, suite, packages }: Sysroot, folder: string): Promise<void> {
  for (const below of ["lists/partial", "cache/archives/partial", "dpkg"]) {
    await Deno.mkdir(`${folder}/${below}`, { recursive: true });
  }
  await Deno.writeTextFile(`${folder}/dpkg/status`, ""); // no package is installed
  const source = `deb [arch=${arch} signed-by=${KEYRING}] ${await archive()} ${suite} main\n`;
  await Deno.writeTextFile(`${folder}/sources.list`, source);
  const settings = [
    ...[`APT::Architecture=${arch}`, `APT::Architectures::=${arch}`, "APT::Sandbox::User=root"],
    ...[`Dir::Etc::sourcelist=${folder}/sources.list`, "Dir::Etc::sourceparts=/dev/null"],
    ...["Dir::Etc::preferences=/dev/null", "Dir::Etc::preferencesparts=/dev/null"],
    ...[`Dir::State::lists=${folder}/lists`, `Dir::State::status=${folder}/dpkg/status`],
    ...[`Dir::Cache=${folder}/cache`, "Acquire::Languages=none"],
  ].flatMap((setting) => ["-o", setting]);
  await run("apt-get", [...settings, "update"]);
  const install = ["install", "--download-only", "--no-install-recommends", "-y", ...packages];
  await run("apt-get", [...settings, ...install]);
}

/** Where this machine has its own packages from. */
export async function archive(): Promise<string> {
  const targets = await run("apt-get", ["indextargets", "--format", "$(ORIGIN) $(REPO_URI)"]);
  const [, address] = /^Debian (\S+\/debian\/?)$/m.exec(targets) ?? [];
  if (address === undefined) {
    throw new Error("Cannot make a sysroot: apt of this machine knows no archive of Debian");
  }
  return address;
}

async function unpack(packages: string, root: string): Promise<void> {
  await Deno.mkdir(`${root}/usr/lib`, { recursive: true });
  await Deno.symlink("usr/lib", `${root}/lib`); // merged /usr: the loader is looked for in /lib
  for await (const { name } of Deno.readDir(packages)) {
    if (!name.endsWith(".deb")) continue;
    // Some still ship in /lib what others ship in /usr/lib.
    const tar = 'dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink -C "$2"';
    await run("sh", ["-c", tar, "sh", `${packages}/${name}`, root]);
  }
}

if (import.meta.main) {
  const names = Deno.args.length > 0 ? Deno.args : Object.keys(SYSROOTS);
  for (const name of names) await say(await sysroot(name as SysrootName));
}
