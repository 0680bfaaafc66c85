/** A scratch system whose systemd runs, in namespaces of its own: units start there as on a board, walls and all. */
import { Child } from "../e2e/child.ts";
import { inCheckout } from "../e2e/checkout.ts";
import { ScratchSystem } from "./scratch_system.ts";

const BOOT_LIMIT_MS = 120_000;
const LOOK_EVERY_MS = 200;
const NAMESPACES = ["--mount", "--pid", "--fork", "--uts", "--ipc", "--cgroup", "--net"];

export interface Said {
  readonly code: number;
  readonly output: string;
}

export class BootedSystem implements AsyncDisposable {
  readonly system: ScratchSystem;
  readonly #container: Child;
  readonly #init: number;

  private constructor(system: ScratchSystem, container: Child, init: number) {
    this.system = system;
    this.#container = container;
    this.#init = init;
  }

  static async boot(system: ScratchSystem): Promise<BootedSystem> {
    const container = Child.start({
      command: "unshare",
      args: [...NAMESPACES, inCheckout("tests/board/boot_system.sh"), system.root],
    });
    const init = await until("a process 1", async () => await onlyChild(container.pid));
    const booted = new BootedSystem(system, container, init);
    try {
      await until("multi-user.target", async () => {
        const { code } = await booted.run("systemctl", "is-active", "multi-user.target");
        return code === 0 ? true : undefined;
      });
      return booted;
    } catch (error) {
      await booted[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs a command as root in it. */
  async run(...command: readonly string[]): Promise<Said> {
    const { code, stdout, stderr } = await new Deno.Command("nsenter", {
      args: ["-t", String(this.#init), "-m", "-p", "-C", "-n", "-i", "-u", "-r", "-w", ...command],
      env: { DEBIAN_FRONTEND: "noninteractive", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
      clearEnv: true,
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
  }

  /** The same of a command that must succeed. */
  async succeed(...command: readonly string[]): Promise<string> {
    const { code, output } = await this.run(...command);
    if (code === 0) return output;
    throw new Error(`"${command.join(" ")}" failed with ${code}: ${output}`);
  }

  /** One property of a unit, as systemd has it now. */
  async property(unit: string, name: string): Promise<string> {
    return (await this.succeed("systemctl", "show", unit, "--property", name, "--value")).trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    Deno.kill(this.#init, "SIGKILL"); // with process 1 all others of its namespace end
    await this.#container.stop();
  }
}

/** Looks until there is something. Throws an Error after a limit that only a broken system reaches. */
export async function until<Found>(
  what: string,
  look: () => Promise<Found | undefined>,
  limitMs = BOOT_LIMIT_MS,
): Promise<Found> {
  const end = performance.now() + limitMs;
  while (performance.now() < end) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new Error(`there was no ${what} within ${limitMs} ms`);
}

async function onlyChild(pid: number): Promise<number | undefined> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`).catch(() => "");
  return text.trim() === "" ? undefined : Number(text.trim().split(" ")[0]);
}
