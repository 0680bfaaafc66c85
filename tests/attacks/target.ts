/** The device's process as an attack sees it: how to reach it, whether it lives, what it costs. */
import { Child } from "../e2e/child.ts";
import type { OpenedSession } from "./device.ts";

export const TARGETS = ["ours", "ours on one port", "stock"] as const;
export type Target = typeof TARGETS[number];

/** The device says when it is ready; from source, on a loaded machine. */
const READY_LIMIT_MS = 60_000;
/** The longest life of a device, in seconds: one that hangs does not end by itself. */
const LIFE_SECONDS = 150;
/** A device that does not answer for so long has stopped, in ms. */
export const HANG_LIMIT_MS = 6000;
const TICKS_PER_SECOND = 100; // USER_HZ of Linux

/** What a look into the device shows. */
export interface Look {
  readonly states: readonly string[];
  readonly paths: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  readonly keptBytes: number;
}

export class Device implements AsyncDisposable {
  readonly #child: Child;
  readonly #base: string;
  readonly #pid: number;
  /** Hostile datagrams so far: the CPU that may be spent grows with them. */
  datagrams = 0;
  /** Requests to the device so far, which cost it CPU too. */
  requests = 0;

  private constructor(child: Child, { port, pid }: { port: number; pid: number }) {
    this.#child = child;
    this.#base = `http://127.0.0.1:${port}`;
    this.#pid = pid;
  }

  static async start(target: Target): Promise<Device> {
    const entry = new URL("./device.ts", import.meta.url).pathname;
    const run = ["run", "-A", "--no-check", "--quiet", "--v8-flags=--expose-gc", entry, target];
    const child = Child.start({
      command: "timeout",
      args: ["-s", "KILL", String(LIFE_SECONDS), Deno.execPath(), ...run],
    });
    try {
      const { port, pid } = await child.firstJson(READY_LIMIT_MS);
      return new Device(child, { port: Number(port), pid: Number(pid) });
    } catch (error) {
      await child.stop();
      throw error;
    }
  }

  async open(offer: string): Promise<OpenedSession> {
    return await (await this.#request("/open", offer)).json();
  }

  async look(): Promise<Look> {
    return await (await this.#request("/look")).json();
  }

  /** Returns once the device has worked off what it was sent before. Rejects when it does not. */
  async drain(): Promise<void> {
    await (await this.#request("/")).text();
  }

  /** "alive", "hung", or what ended it. */
  async life(): Promise<string> {
    if (await this.drain().then(() => true, () => false)) return "alive";
    if (this.#runs()) return "hung";
    await new Promise((resolve) => setTimeout(resolve, 500)); // its last words are on their way
    return this.#child.stderr.split("\n").find((line) => line.includes("rror")) ?? "ended";
  }

  /** CPU time of the device so far, all threads, in seconds. NaN when it has ended. */
  cpuSeconds(): number {
    try {
      const stat = Deno.readTextFileSync(`/proc/${this.#pid}/stat`);
      const fields = stat.slice(stat.lastIndexOf(") ") + 2).split(" ");
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    } catch {
      return NaN;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      Deno.kill(this.#pid, "SIGKILL"); // a hung one hears nothing else
    } catch {
      // It has ended by itself.
    }
    await this.#child.stop();
  }

  #runs(): boolean {
    return !Number.isNaN(this.cpuSeconds());
  }

  #request(path: string, body?: string): Promise<Response> {
    this.requests++;
    const signal = AbortSignal.timeout(HANG_LIMIT_MS);
    return fetch(
      this.#base + path,
      body === undefined ? { signal } : {
        method: "POST",
        body,
        signal,
      },
    );
  }
}
