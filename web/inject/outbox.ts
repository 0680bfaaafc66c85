/**
 * WebSocket messages on their way out: kept in order while a Blob is still being read, cut into parts, sent within the
 * pump's credit. What it holds is the socket's `bufferedAmount`.
 */
import type { Bytes } from "../../src/lib/bytes.ts";
import { MAX_BODY_PART_BYTES } from "../sw/port_messages.ts";

/** A message as the page gave it. Strings and views were copied; a Blob is read when its turn comes. */
type Payload = { readonly text: boolean; readonly bytes: Bytes } | { readonly blob: Blob };

/** Where parts go: a StreamPort. */
export interface PartSink {
  hasCreditFor(bytes: Uint8Array): boolean;
  send(bytes: Bytes, message: { text: boolean; last: boolean }): void;
}

/** The queue of one socket. */
export class Outbox {
  readonly #sink: PartSink;
  readonly #queue: Payload[] = [];
  #state: "idle" | "reading" | "closed" = "idle";
  /** Bytes of the first message that have left. */
  #offset = 0;
  #bytes = 0;
  #drained: (() => void) | undefined;

  constructor(sink: PartSink) {
    this.#sink = sink;
  }

  /** Bytes that wait. */
  get bufferedAmount(): number {
    return this.#bytes;
  }

  push(payload: Payload): void {
    this.#bytes += "blob" in payload ? payload.blob.size : payload.bytes.length;
    if (this.#state === "closed" || this.#drained !== undefined) return; // counted for ever, as the standard has it
    this.#queue.push(payload);
    this.flush();
  }

  /** Takes nothing more, and calls back once all that was pushed so far has left. */
  finish(callback: () => void): void {
    this.#drained = callback;
    this.flush();
  }

  /** Nothing more leaves. */
  close(): void {
    this.#state = "closed";
    this.#queue.length = 0;
    this.#drained = undefined;
  }

  /** Sends as much as there is credit for. */
  flush(): void {
    while (this.#state === "idle" && this.#queue.length > 0) {
      const first = this.#queue[0]!; // the loop's condition
      if ("blob" in first) return this.#read(first.blob);
      if (!this.#sendPart(first)) return;
    }
    if (this.#state !== "idle" || this.#drained === undefined) return;
    const drained = this.#drained;
    this.close();
    drained();
  }

  #sendPart(message: { text: boolean; bytes: Bytes }): boolean {
    const part = message.bytes.slice(this.#offset, this.#offset + MAX_BODY_PART_BYTES);
    if (!this.#sink.hasCreditFor(part)) return false;
    this.#offset += part.length;
    this.#bytes -= part.length;
    const last = this.#offset === message.bytes.length;
    if (last) {
      this.#queue.shift();
      this.#offset = 0;
    }
    this.#sink.send(part, { text: message.text, last });
    return true;
  }

  #read(blob: Blob): void {
    this.#state = "reading";
    blob.arrayBuffer().then((buffer) => new Uint8Array(buffer), () => {
      this.#bytes -= blob.size; // the file went away: an empty message, as browsers send it
      return new Uint8Array(0);
    }).then((bytes) => {
      if (this.#state === "closed") return;
      this.#state = "idle";
      this.#queue[0] = { text: false, bytes };
      this.flush();
    });
  }
}
