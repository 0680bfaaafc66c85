/**
 * The client's end of a stream's port, as the service worker and the WebSocket shim use it: checked messages in, body
 * within credit out. What a stream means is its user's business.
 */
import type { Bytes } from "../../src/lib/bytes.ts";
import type { StreamCode } from "../../src/protocol/errors.ts";
import type { ResponseHead, SocketClose } from "../../src/protocol/http.ts";
import { bodyCost, type FromPump, parseFromPump, type ToPump } from "./port_messages.ts";

/** What a stream tells its user. After `end` or `error` nothing more comes. */
export interface StreamHandlers {
  head(head: ResponseHead): void;
  data(bytes: Bytes, message: { text: boolean; last: boolean }): void;
  end(close: SocketClose | undefined): void;
  error(code: StreamCode): void;
  /** There is room for more body, or no way left for it: see `open`. */
  credit(): void;
}

/** One stream, client side. */
export class StreamPort {
  readonly #port: MessagePort;
  readonly #handlers: StreamHandlers;
  #state: "open" | "closed" = "open";
  #credit = 0;
  /** The bytes of data that its user took and the pump was not told of. */
  #taken = 0;
  /** The service ended its half; only the body may still be on its way. */
  #answered = false;

  constructor(port: MessagePort, handlers: StreamHandlers) {
    this.#port = port;
    this.#handlers = handlers;
  }

  start(): void {
    this.#port.onmessage = (event) => this.#take(event.data);
    // Chromium tells when the pump's page is gone; elsewhere the watch of proxy.ts finds out.
    this.#port.addEventListener("close", () => this.fail("session_closed"));
  }

  /** Whether a body part of any size that is legal may be sent now. One part may overdraw nothing: see `send`. */
  hasCreditFor(bytes: Uint8Array): boolean {
    return bodyCost(bytes) <= this.#credit;
  }

  /** Sends one part; its memory is given away. The caller looked at `hasCreditFor`. */
  send(bytes: Bytes, message: { text: boolean; last: boolean }): void {
    this.#credit -= bodyCost(bytes);
    this.#post({ type: "body", bytes, ...message }, [bytes.buffer]);
  }

  /** Our half is complete. */
  endBody(close?: SocketClose): void {
    this.#post({ type: "body-end", close });
    if (this.#answered) this.#close();
  }

  /** The reader took this much payload: the service may send as much again. */
  taken(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken === 0 || this.#answered) return; // nothing more will come
    this.#post({ type: "pull", bytes: this.#taken });
    this.#taken = 0;
  }

  /** Nobody wants it any more: RESET. The handlers hear nothing of it. */
  cancel(): void {
    this.#post({ type: "cancel" });
    this.#close();
  }

  /** Ends it as if the pump had said so. What was answered in full stays so: only the body is given up. */
  fail(code: StreamCode): void {
    if (this.#state === "closed") return;
    this.#close();
    if (this.#answered) this.#handlers.credit();
    else this.#handlers.error(code);
  }

  /** Whether the port is still in use. */
  get open(): boolean {
    return this.#state === "open";
  }

  #take(data: unknown): void {
    const message = this.#state === "open" ? parseFromPump(data) : undefined;
    if (message !== undefined) this.#dispatch(message);
  }

  #dispatch(message: FromPump): void {
    switch (message.type) {
      case "head":
        return this.#handlers.head(message);
      case "data":
        return this.#handlers.data(message.bytes, message);
      case "pull":
        this.#credit += message.bytes;
        return this.#handlers.credit();
      case "end":
        this.#answered = true;
        return this.#handlers.end(message.close);
      case "error":
        return this.fail(message.code);
    }
  }

  #post(message: ToPump, transfer: Transferable[] = []): void {
    if (this.#state === "open") this.#port.postMessage(message, transfer);
  }

  #close(): void {
    this.#state = "closed";
    this.#port.close();
  }
}
