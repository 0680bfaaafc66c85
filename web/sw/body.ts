/**
 * Bodies over a stream's port. Downwards: a ReadableStream that the pump feeds as far as its reader pulls; it ends
 * cleanly only after the mux verified the byte total, and errors in every other case. Upwards: a reader drained within
 * the pump's credit.
 */
import type { Bytes } from "../../src/lib/bytes.ts";
import type { StreamCode } from "../../src/protocol/errors.ts";
import { MAX_BODY_PART_BYTES } from "./port_messages.ts";

/** Chunks (of at most 16 KiB) that wait inside the stream for its reader; more wait in the mux's window. */
const READ_AHEAD_CHUNKS = 8;

/** Where a body's owner reports to. */
export interface BodySource {
  taken(bytes: number): void;
  cancel(): void;
}

/** A body as its port delivers it. `stream` is what a Response is made of. */
export class PulledBody {
  readonly stream: ReadableStream<Bytes>;
  readonly #source: BodySource;
  readonly #waiting: Bytes[] = [];
  #controller!: ReadableStreamDefaultController<Bytes>; // set by `start`, which runs in the constructor below
  #state: "open" | "ending" | "closed" = "open";

  constructor(source: BodySource) {
    this.#source = source;
    this.stream = new ReadableStream<Bytes>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#feed(),
      cancel: () => {
        this.#state = "closed";
        this.#waiting.length = 0;
        source.cancel();
      },
    }, { highWaterMark: READ_AHEAD_CHUNKS });
  }

  push(bytes: Bytes): void {
    if (this.#state !== "open") return;
    if (bytes.length > 0) this.#waiting.push(bytes); // bounded by the credit of the stream
    this.#feed();
  }

  /** The total was verified: what waits is still delivered. */
  end(): void {
    if (this.#state === "open") this.#state = "ending";
    this.#feed();
  }

  /** A cut body must never look whole; one whose total was verified is whole, even if its tail still waits here. */
  fail(code: StreamCode): void {
    if (this.#state !== "open") return;
    this.#state = "closed";
    this.#waiting.length = 0;
    this.#controller.error(new TypeError(`Cannot read the body: stream ended with "${code}"`));
  }

  #feed(): void {
    if (this.#state === "closed") return;
    let bytes = 0;
    while ((this.#controller.desiredSize ?? 0) > 0) {
      const chunk = this.#waiting.shift();
      if (chunk === undefined) break;
      bytes += chunk.length;
      this.#controller.enqueue(chunk);
    }
    if (bytes > 0) this.#source.taken(bytes);
    if (this.#state !== "ending" || this.#waiting.length > 0) return;
    this.#state = "closed";
    this.#controller.close();
  }
}

/** Where an upload goes: a StreamPort. */
export interface BodySink {
  readonly open: boolean;
  hasCreditFor(bytes: Uint8Array): boolean;
  send(bytes: Bytes, message: { text: boolean; last: boolean }): void;
  endBody(): void;
}

/** An upload under way. `run` ends when the body does, or with the stream. */
export class Upload {
  readonly #sink: BodySink;
  readonly #progress: (bytes: number, done: boolean) => void;
  #sent = 0;
  #wake: () => void = () => {};
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  /** `progress` is told how many bytes have left, and of the end. */
  constructor(sink: BodySink, progress: (bytes: number, done: boolean) => void = () => {}) {
    this.#sink = sink;
    this.#progress = progress;
  }

  /** The sink has credit again, or is closed: then the page's body is let go, even while it says nothing. */
  wake(): void {
    if (!this.#sink.open) this.#reader?.cancel().catch(() => {}); // nobody reads the rest
    this.#wake();
  }

  /** Sends the whole body; false when the page's body broke off. Never rejects. */
  async run(body: ReadableStream<Uint8Array>): Promise<boolean> {
    const reader = this.#reader = body.getReader();
    try {
      while (this.#sink.open) {
        const { done, value } = await reader.read();
        if (!this.#sink.open) break;
        if (done) {
          this.#sink.endBody();
          this.#progress(this.#sent, true);
          return true;
        }
        await this.#sendAll(value);
      }
      reader.cancel().catch(() => {}); // the stream is gone: nobody reads the rest
      return true;
    } catch {
      return false; // the page gave its own body up
    }
  }

  async #sendAll(bytes: Uint8Array): Promise<void> {
    for (let start = 0; start < bytes.length; start += MAX_BODY_PART_BYTES) {
      const part = bytes.slice(start, start + MAX_BODY_PART_BYTES); // a copy: its memory is given away
      while (this.#sink.open && !this.#sink.hasCreditFor(part)) {
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
      if (!this.#sink.open) return;
      this.#sent += part.length; // before it is given away
      this.#sink.send(part, { text: false, last: false });
      this.#progress(this.#sent, false);
    }
  }
}
