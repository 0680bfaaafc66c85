/** Writes towards the browser on one stream, at the pace that the mux allows. */
import type { Bytes } from "../lib/bytes.ts";
import type { RunMux } from "./mux_driver.ts";

/** The sending half of one stream, for one writer. */
export class Outflow {
  readonly #id: number;
  readonly #run: RunMux;
  #wake: (() => void) | undefined;

  constructor(id: number, run: RunMux) {
    this.#id = id;
    this.#run = run;
  }

  /** Queues bytes; resolves when more may be written. Rejects with the signal's reason when aborted. */
  async write(
    bytes: Bytes,
    options: { signal: AbortSignal; message?: { text: boolean; last: boolean } },
  ): Promise<void> {
    const { signal, message } = options;
    signal.throwIfAborted();
    const goOn = this.#run((mux, now) => mux.write(now, this.#id, bytes, message));
    if (!goOn) await this.#writable(signal);
  }

  /** The mux said `writable`. */
  writable(): void {
    this.#wake?.();
  }

  #writable(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const aborted = () => reject(signal.reason);
    signal.addEventListener("abort", aborted, { once: true });
    this.#wake = resolve;
    return promise.finally(() => signal.removeEventListener("abort", aborted));
  }
}
