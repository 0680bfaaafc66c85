/**
 * Tells candidates of this machine's loopback only when nothing else has led to a connection for a while. A browser looks
 * at one candidate after the other, Chromium 48 ms apart, and on another machine these lead nowhere: told with the rest they
 * cost each connection 120 ms (docs/benchmarks.md). A browser on this machine gets here by any other address too; where there is
 * none they are told at once.
 */
import { networkInterfaces } from "node:os";
import { isLoopbackAddress } from "../lib/network_path.ts";

/** How long the others have, in ms: some ten checks of Chromium's. */
const HEAD_START_MS = 500;

export class LoopbackLast {
  readonly #tell: (candidate: string) => void;
  readonly #isAlone: boolean;
  readonly #headStartMs: number;
  #waiting: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  /** `isAlone` says that loopback is all that this machine has. `tell` must not throw. */
  constructor(
    tell: (candidate: string) => void,
    { isAlone = hasLoopbackOnly(), headStartMs = HEAD_START_MS } = {},
  ) {
    this.#tell = tell;
    this.#isAlone = isAlone;
    this.#headStartMs = headStartMs;
  }

  take(candidate: string): void {
    if (this.#isStopped) return;
    if (this.#isAlone || !isLoopback(candidate)) return this.#tell(candidate);
    this.#waiting.push(candidate);
    this.#timer ??= setTimeout(() => this.#tellAll(), this.#headStartMs);
  }

  /** Connected or closed: nothing is told any more. */
  stop(): void {
    this.#isStopped = true;
    this.#waiting = [];
    clearTimeout(this.#timer);
  }

  #tellAll(): void {
    this.#timer = undefined;
    for (const candidate of this.#waiting.splice(0)) this.#tell(candidate);
  }
}

/** RFC 8839 5.1: foundation, component, transport, priority, address, port, "typ", type. What a server named is no host's. */
function isLoopback(candidate: string): boolean {
  const [, , , , address = "", , , type] = candidate.split(" ");
  return type === "host" && isLoopbackAddress(address);
}

function hasLoopbackOnly(): boolean {
  return Object.values(networkInterfaces()).flat().every((info) => info?.internal !== false);
}
