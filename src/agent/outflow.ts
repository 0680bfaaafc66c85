/** Writes towards the browser on one stream, at the pace that the mux allows. */
import type { Bytes } from "../lib/bytes.ts";
import { orAborted } from "./aborted.ts";
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
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve; // before the call: a channel with room says `writable` while it is under way
    const goOn = this.#run((mux, now) => mux.write(now, this.#id, bytes, message));
    if (!goOn) await orAborted(promise, signal);
  }

  /** The mux said `writable`. */
  writable(): void {
    this.#wake?.();
  }
}
