/** The two stacks as processes: how each is started, and what it costs. */
import { inCheckout, V8_FLAGS } from "../../e2e/checkout.ts";
import { Child } from "../../e2e/child.ts";

export type StackName = "ours" | "pion";

const READY_LIMIT_MS = 60_000;
/** The Go compiler fetches modules the first time. */
const BUILD_LIMIT_MS = 10 * 60_000;
const TICKS_PER_SECOND = 100; // USER_HZ of Linux
const PION = inCheckout("tests/bench/peers/pion");

/** Why there is no pion on this machine; undefined if it was built. */
export async function buildPion(output: string): Promise<string | undefined> {
  try {
    const { code, stderr } = await new Deno.Command("go", {
      args: ["build", "-o", output, "."],
      cwd: PION,
      stdout: "null",
      stderr: "piped",
      signal: AbortSignal.timeout(BUILD_LIMIT_MS),
    }).output();
    return code === 0 ? undefined : `go build failed: ${new TextDecoder().decode(stderr).trim()}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "Go is not installed";
    throw error;
  }
}

/** Version of pion's module that is measured. */
export async function pionVersion(): Promise<string> {
  const text = await Deno.readTextFile(`${PION}/go.mod`);
  return /github.com\/pion\/webrtc\/v4 (v\S+)/.exec(text)![1]!;
}

/** A device's process, ready for offers. */
export class DeviceProcess implements AsyncDisposable {
  readonly base: string;
  readonly #child: Child;
  readonly #pid: number;

  private constructor(child: Child, { base, pid }: { base: string; pid: number }) {
    this.#child = child;
    this.base = base;
    this.#pid = pid;
  }

  static async start(
    stack: StackName,
    { pion, address, netns }: {
      readonly pion: string;
      readonly address: string;
      readonly netns?: string | undefined;
    },
  ): Promise<DeviceProcess> {
    const entry = inCheckout("tests/bench/transport/device.ts");
    const [command, ...args] = stack === "pion"
      ? [pion, `${address}:0`]
      // As in the bundle: Deno's sockets of datagrams are unstable in name only.
      : [
        Deno.execPath(),
        "run",
        "-A",
        "--no-check",
        "--unstable-net",
        V8_FLAGS,
        entry,
        `${address}:0`,
      ];
    const child = Child.start({ command: command!, args, netns });
    try {
      const { port, pid } = await child.firstJson(READY_LIMIT_MS);
      return new DeviceProcess(child, { base: `http://${address}:${port}`, pid: Number(pid) });
    } catch (error) {
      await child.stop();
      throw error;
    }
  }

  /** CPU time so far, all threads, in seconds. */
  cpuSeconds(): number {
    const stat = Deno.readTextFileSync(`/proc/${this.#pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(") ") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  /** Starts anew to look for the highest memory (proc(5), clear_refs). */
  forgetPeak(): void {
    Deno.writeTextFileSync(`/proc/${this.#pid}/clear_refs`, "5", { create: false });
  }

  /** Highest resident memory since, in MB. */
  peakMb(): number {
    const status = Deno.readTextFileSync(`/proc/${this.#pid}/status`);
    return Number(/VmHWM:\s*(\d+) kB/.exec(status)![1]) * 1024 / 1e6;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stop();
  }
}
