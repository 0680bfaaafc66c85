/**
 * A Debian of its own in a folder, to install packages into: made once by debootstrap (root, some minutes), kept as an archive
 * in `.tools/`, unpacked for each test. Commands run in it by chroot; it has no services unless a test boots it.
 */
import { archive } from "../../cross/sysroot.ts";
import { run, say } from "../../cross/process.ts";
import { exists, inCheckout } from "../e2e/checkout.ts";

const ARCHIVE = inCheckout(".tools/sysroots/debian-amd64.tar");
/** Nothing that the package does not ask for, but systemd and what it wants. */
const PACKAGES =
  "systemd,systemd-sysv,dbus,init-system-helpers,libgcc-s1,ca-certificates,man-db,bash-completion";

/** Why there can be none here; undefined if there can. */
export function scratchSystemLack(): string | undefined {
  return Deno.uid() === 0 ? undefined : "a scratch system needs root";
}

export class ScratchSystem implements AsyncDisposable {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static async make(): Promise<ScratchSystem> {
    if (!await exists(ARCHIVE)) await bootstrap();
    const root = await Deno.makeTempDir({ prefix: "porthole-system-" });
    await run("tar", ["-xpf", ARCHIVE, "-C", root]);
    await Deno.chmod(root, 0o755);
    return new ScratchSystem(root);
  }

  /** Runs a command in it, with a /proc of its own; the exit code is given, not thrown. */
  async run(...command: readonly string[]): Promise<{ code: number; output: string }> {
    const mount = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"';
    const { code, stdout, stderr } = await new Deno.Command("unshare", {
      args: ["--mount", "--pid", "--fork", "sh", "-c", mount, this.root, ...command],
      env: { DEBIAN_FRONTEND: "noninteractive", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
      clearEnv: true,
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
  }

  /** Whether there is something at an absolute path inside. */
  async has(path: string): Promise<boolean> {
    return await Deno.lstat(this.root + path).then(() => true, () => false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

async function bootstrap(): Promise<void> {
  await say("scratch system: debootstrap, some minutes");
  const folder = await Deno.makeTempDir({ dir: inCheckout(".tools"), prefix: "debian." });
  try {
    const options = ["--variant=minbase", `--include=${PACKAGES}`, "bookworm", folder];
    await run("debootstrap", [...options, await archive()]);
    await run("tar", ["-cpf", `${ARCHIVE}.new`, "-C", folder, "."]);
    await Deno.rename(`${ARCHIVE}.new`, ARCHIVE);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
