/**
 * Debian packages: `dist/porthole_VERSION_ARCH.deb`, each with one of the executables, the units, a manual page and
 * completions. No build system of Debian's: dpkg-deb alone, which needs neither root nor the architecture. The same
 * sources give the same bytes. Run by Deno: `deno run -A cross/deb/deb.ts [x86_64|aarch64|armv7 …]`.
 */
import { createHash } from "node:crypto";
import { VERSION } from "../../src/version.ts";
import { type Arch, ARCHES, build } from "../build.ts";
import { bashCompletion, fishCompletion, manualPage, zshCompletion } from "../manual.ts";
import { run, say } from "../process.ts";
import { dateText, sourceTime } from "../sources.ts";
import { copyrightText } from "./copyright.ts";

const ROOT = new URL("../../", import.meta.url);
const HERE = new URL("./", import.meta.url);
const SCRIPTS = ["postinst", "prerm", "postrm"] as const;
const UNITS = ["porthole.service", "porthole-rendezvous.service", "porthole-pair.service"] as const;

/** Debian's name, and what the runtime is linked to (`objdump -T`). */
const DEBIAN = {
  x86_64: { arch: "amd64", libraries: "libc6 (>= 2.27), libgcc-s1" },
  aarch64: { arch: "arm64", libraries: "libc6 (>= 2.27), libgcc-s1" },
  armv7: { arch: "armhf", libraries: "libc6 (>= 2.28), libgcc-s1, libstdc++6, libatomic1" },
} as const;

/** Makes the package, and gives its path. The executable is made if it is not in dist/. */
export async function makeDeb(arch: Arch): Promise<string> {
  const executable = await builtExecutable(arch);
  const time = await sourceTime();
  const debian = DEBIAN[arch];
  const output = new URL(`dist/porthole_${VERSION}_${debian.arch}.deb`, ROOT).pathname;
  const root = await Deno.makeTempDir();
  try {
    const tree = new Tree(root);
    await tree.copy("usr/bin/porthole", executable, 0o755);
    await addUnits(tree, arch);
    await addDocuments(tree, time);
    await addControl(tree, debian);
    // Modes come from here, not from the umask; times from the commit (SOURCE_DATE_EPOCH).
    const env = { SOURCE_DATE_EPOCH: String(time) };
    const packing = ["--root-owner-group", "--threads-max=1", "-Zxz", "-z9"];
    await run("dpkg-deb", [...packing, "--build", root, output], { env });
    const { size } = await Deno.stat(output);
    await say(`deb: ${output.slice(ROOT.pathname.length)}, ${Math.round(size / 1e5) / 10} MB`);
    return output;
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function builtExecutable(arch: Arch): Promise<string> {
  const path = new URL(`dist/porthole-${arch}`, ROOT).pathname;
  return await Deno.stat(path).then(() => path, () => build(arch));
}

async function addUnits(tree: Tree, arch: Arch): Promise<void> {
  const from = new URL("systemd/", ROOT);
  const folder = "usr/lib/systemd/system";
  for (const unit of UNITS) await tree.copy(`${folder}/${unit}`, new URL(unit, from).pathname);
  await tree.copy("usr/lib/sysusers.d/porthole.conf", new URL("sysusers.conf", from).pathname);
  if (arch !== "armv7") return;
  for (const unit of ["porthole", "porthole-rendezvous"]) {
    const path = `${folder}/${unit}.service.d/armhf.conf`;
    await tree.copy(path, new URL("armhf.conf", from).pathname);
  }
}

async function addDocuments(tree: Tree, time: number): Promise<void> {
  const share = "usr/share";
  await tree.copy(`${share}/porthole/porthole.toml`, new URL("porthole.toml", HERE).pathname);
  await tree.compress(`${share}/man/man1/porthole.1`, manualPage(dateText(time)));
  await tree.write(`${share}/bash-completion/completions/porthole`, bashCompletion());
  await tree.write(`${share}/zsh/vendor-completions/_porthole`, zshCompletion());
  await tree.write(`${share}/fish/vendor_completions.d/porthole.fish`, fishCompletion());
  const documents = `${share}/doc/porthole`;
  await tree.write(`${documents}/copyright`, await copyrightText());
  await tree.compress(`${documents}/changelog`, changelog(time));
  await tree.copy(`${documents}/rendezvous.md`, new URL("docs/rendezvous.md", ROOT).pathname);
  const overrides = new URL("lintian-overrides", HERE).pathname;
  await tree.copy(`${share}/lintian/overrides/porthole`, overrides);
}

const MAINTAINER = "porthole developers <porthole@packages.debian.org>";

function changelog(time: number): string {
  return `porthole (${VERSION}) unstable; urgency=medium

  * What is new stands in CHANGELOG.md of the project.

 -- ${MAINTAINER}  ${new Date(time * 1000).toUTCString().replace("GMT", "+0000")}
`;
}

async function addControl(
  tree: Tree,
  { arch, libraries }: { readonly arch: string; readonly libraries: string },
): Promise<void> {
  await tree.write("DEBIAN/md5sums", tree.sums());
  await tree.write(
    "DEBIAN/control",
    `Package: porthole
Version: ${VERSION}
Architecture: ${arch}
Maintainer: ${MAINTAINER}
Installed-Size: ${tree.kilobytes()}
Depends: ${libraries}, init-system-helpers (>= 1.54), systemd (>= 247)
Recommends: ca-certificates
Section: net
Priority: optional
Description: this device's web pages and cameras in its owners' browsers
 porthole lets people that this device knows see its own web pages, WebSockets
 and cameras from anywhere, over one direct WebRTC connection that is encrypted
 from end to end. Browsers are paired by a QR code; guests get a link that ends
 by itself.
 .
 The agent runs once /etc/porthole/porthole.toml names a rendezvous, the meeting
 point of browsers and devices, which this package contains too.
`,
  );
  for (const script of SCRIPTS) {
    await tree.copy(`DEBIAN/${script}`, new URL(script, HERE).pathname, 0o755);
  }
}

/** The files of a package below a folder. */
class Tree {
  readonly #root: string;
  readonly #sums: string[] = [];
  #bytes = 0;

  constructor(root: string) {
    this.#root = root;
  }

  async copy(path: string, from: string, mode = 0o644): Promise<void> {
    await this.#add(path, await Deno.readFile(from), mode);
  }

  async write(path: string, text: string): Promise<void> {
    await this.#add(path, new TextEncoder().encode(text), 0o644);
  }

  /** As Debian wants it of manuals and change logs: `gzip -9n`, without name and time. */
  async compress(path: string, text: string): Promise<void> {
    await this.write(path, text);
    this.#sums.pop();
    await run("gzip", ["-9n", `${this.#root}/${path}`]);
    this.#count(`${path}.gz`, await Deno.readFile(`${this.#root}/${path}.gz`));
  }

  /** For `dpkg --verify`. */
  sums(): string {
    return this.#sums.join("");
  }

  kilobytes(): number {
    return Math.ceil(this.#bytes / 1024);
  }

  async #add(path: string, bytes: Uint8Array, mode: number): Promise<void> {
    const target = `${this.#root}/${path}`;
    await makeFolder(target.slice(0, target.lastIndexOf("/")));
    await Deno.writeFile(target, bytes);
    await Deno.chmod(target, mode);
    if (!path.startsWith("DEBIAN/")) this.#count(path, bytes);
  }

  #count(path: string, bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    this.#sums.push(`${createHash("md5").update(bytes).digest("hex")}  ${path}\n`);
  }
}

/** Whatever the umask says. */
async function makeFolder(path: string): Promise<void> {
  if (await Deno.stat(path).catch(() => undefined)) return;
  await makeFolder(path.slice(0, path.lastIndexOf("/")));
  await Deno.mkdir(path);
  await Deno.chmod(path, 0o755);
}

if (import.meta.main) {
  const arches = Deno.args.length > 0 ? Deno.args as Arch[] : ARCHES;
  for (const arch of arches) await makeDeb(arch);
}
