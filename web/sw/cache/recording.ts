/**
 * A body on its way to the page, of which a copy is kept. The page's reader alone sets the pace, and nothing is read that it
 * does not want: the copy is whole only if the page read all of it and the body ended well.
 */
import type { Bytes } from "../../../src/lib/bytes.ts";

/** Copies that are made at once, in bytes: a page may load many large files together. */
export const MAX_RECORDING_BYTES = 32 << 20;

/** What a part takes beside its bytes, so that a body of tiny parts counts as what it is in memory. */
const PART_COST_BYTES = 128;

/** What recordings share. */
export class RecordingRoom {
  readonly #limit: number;
  #used = 0;

  constructor(limit = MAX_RECORDING_BYTES) {
    this.#limit = limit;
  }

  take(bytes: number): boolean {
    if (this.#used + bytes > this.#limit) return false;
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}

/** A copy in the making. */
export class Recording {
  /** The body as the page gets it. */
  readonly stream: ReadableStream<Bytes>;
  readonly #options: { room: RecordingRoom; limit: number; whole(body: Bytes): void };
  readonly #ended: () => void;
  #parts: Bytes[] | undefined = [];
  #length = 0;
  #cost = 0;

  /** `whole` is told of a complete copy of at most `limit` bytes; `ended` of any end, before it. */
  constructor(
    body: ReadableStream<Bytes>,
    options: { room: RecordingRoom; limit: number; whole(body: Bytes): void; ended(): void },
  ) {
    this.#options = options;
    this.#ended = options.ended;
    const reader = body.getReader();
    this.stream = new ReadableStream<Bytes>({
      pull: async (controller) => {
        const { done, value } = await this.#read(reader);
        if (!done) return controller.enqueue(value);
        controller.close();
        this.#finish();
      },
      cancel: (reason) => {
        this.drop();
        return reader.cancel(reason);
      },
    }, { highWaterMark: 0 });
  }

  /** No copy is wanted any more; the page still gets the body. */
  drop(): void {
    if (this.#parts === undefined) return;
    this.#parts = undefined;
    this.#options.room.give(this.#cost);
    this.#ended();
  }

  async #read(reader: ReadableStreamDefaultReader<Bytes>) {
    try {
      const result = await reader.read();
      if (!result.done) this.#keep(result.value);
      return result;
    } catch (error) {
      this.drop(); // cut: a part must never look whole
      throw error;
    }
  }

  #keep(bytes: Bytes): void {
    if (this.#parts === undefined) return;
    const { limit, room } = this.#options;
    const cost = bytes.length + PART_COST_BYTES;
    if (this.#length + bytes.length > limit || !room.take(cost)) return this.drop();
    this.#cost += cost;
    this.#length += bytes.length;
    this.#parts.push(bytes);
  }

  #finish(): void {
    const parts = this.#parts;
    if (parts === undefined) return;
    this.drop();
    const body = new Uint8Array(this.#length); // not `concat`: there may be more parts than a call has arguments
    let offset = 0;
    for (const part of parts) {
      body.set(part, offset);
      offset += part.length;
    }
    this.#options.whole(body);
  }
}
