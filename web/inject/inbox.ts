/** WebSocket messages on their way in: parts become whole messages again. */
import { type Bytes, concat } from "../../src/lib/bytes.ts";

/** Largest message that is put together, in bytes: browsers take more, and a page that needs it streams. */
const MAX_MESSAGE_BYTES = 256 << 20;

/** A whole message, or the close code with which the socket must fail (RFC 6455 7.4.1). */
export type Received = { readonly data: string | Bytes } | { readonly failure: 1007 | 1009 };

/** Puts the messages of one socket together. */
export class Inbox {
  #parts: Bytes[] = [];
  #length = 0;

  /** Takes the next part; gives the message when it was the last. */
  push(bytes: Bytes, message: { text: boolean; last: boolean }): Received | undefined {
    this.#length += bytes.length;
    if (this.#length > MAX_MESSAGE_BYTES) return { failure: 1009 };
    this.#parts.push(bytes);
    if (!message.last) return undefined;
    const whole = this.#parts.length === 1 ? bytes : concat(...this.#parts);
    this.#parts = [];
    this.#length = 0;
    return message.text ? decode(whole) : { data: whole };
  }
}

function decode(bytes: Bytes): Received {
  try {
    return { data: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { failure: 1007 }; // not UTF-8 (RFC 6455 8.1)
  }
}
