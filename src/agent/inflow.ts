/**
 * What a browser sent on one stream and nobody took yet. Bounded by the mux's credit: the browser gets new credit only
 * when a part is taken from here.
 */
import type { Bytes } from "../lib/bytes.ts";
import { StreamError } from "../protocol/errors.ts";
import type { SocketClose } from "../protocol/http.ts";
import { orAborted } from "./aborted.ts";

/** One DATA frame of the browser. */
export interface Part {
  readonly bytes: Bytes;
  readonly text: boolean;
  readonly last: boolean;
}

type Ending = { readonly state: "open" } | {
  readonly state: "ended";
  readonly close?: SocketClose | undefined;
};

/** A queue with one reader. */
export class Inflow {
  #parts: Part[] = [];
  #ending: Ending = { state: "open" };
  #discarding = false;
  #wake: (() => void) | undefined;
  readonly #taken: (payload: number) => void;

  /** `taken` gives credit back for so many payload bytes. */
  constructor(taken: (payload: number) => void) {
    this.#taken = taken;
  }

  /** The browser's close code and reason, once it ended its half. */
  get close(): SocketClose | undefined {
    return this.#ending.state === "ended" ? this.#ending.close : undefined;
  }

  push(part: Part): void {
    if (this.#discarding) return this.#taken(part.bytes.length);
    this.#parts.push(own(part));
    this.#wake?.();
  }

  end(close?: SocketClose): void {
    this.#ending = { state: "ended", close };
    this.#wake?.();
  }

  /** Nobody reads on: what is here and what still comes is dropped, so that the browser is not held up. */
  discard(): void {
    this.#discarding = true;
    for (const part of this.#parts.splice(0)) this.#taken(part.bytes.length);
    this.#wake?.();
  }

  /** Waits until there is a part or the end; gives whether a part is there. */
  async some(signal: AbortSignal): Promise<boolean> {
    while (this.#parts.length === 0 && this.#ending.state === "open" && !this.#discarding) {
      await this.#change(signal);
    }
    return this.#parts.length > 0;
  }

  /**
   * The next part, or undefined after the last. Rejects with the signal's reason when aborted, and with a StreamError when
   * the rest was discarded: nobody may take the part for the whole.
   */
  async next(signal: AbortSignal): Promise<Part | undefined> {
    if (!await this.some(signal)) {
      if (this.#ending.state === "ended") return undefined;
      throw new StreamError("cancelled", "Cannot read on: the rest was discarded");
    }
    const part = this.#parts.shift()!; // `some` saw it
    this.#taken(part.bytes.length);
    return part;
  }

  #change(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return orAborted(promise, signal);
  }
}

/** A part that waits must not keep a message of 256 KiB alive for the sake of one byte of it. */
function own(part: Part): Part {
  const { bytes, text, last } = part;
  return bytes.buffer.byteLength > 2 * bytes.length ? { bytes: bytes.slice(), text, last } : part;
}
