/**
 * One stream of the mux and the port of whoever opened it. Bytes wait in the mux until its credit lets them go, and on
 * the reader's side until the reader takes them: `pull` messages carry that both ways. Nothing is buffered here.
 */
import type { Bytes } from "../../src/lib/bytes.ts";
import { type StreamCode, StreamError } from "../../src/protocol/errors.ts";
import type { SocketClose } from "../../src/protocol/http.ts";
import type { Mux, MuxEvent } from "../../src/protocol/mux.ts";
import { BODY_WINDOW, bodyCost, type FromPump, parseToPump } from "../sw/port_messages.ts";

/** Runs one call on the mux (`ChannelDriver.run`). */
export type RunMux = <T>(call: (mux: Mux, now: number) => T) => T;

/** The pump's end of one stream's port. */
export class PortStream {
  readonly #port: MessagePort;
  readonly #id: number;
  readonly #kind: "http" | "websocket";
  readonly #run: RunMux;
  readonly #forget: () => void;
  #state: "open" | "over" = "open";
  /** Whether the opener ended its half, and the service its. */
  readonly #ended = { ours: false, theirs: false };
  /** What the client may still send. */
  #credit = 0;
  /** What the client sent while the mux was full: becomes credit again once it is writable. */
  #owed = 0;
  /** Payload given to the client that its reader has not taken. */
  #untaken = 0;

  constructor(
    port: MessagePort,
    options: { id: number; kind: "http" | "websocket"; run: RunMux; forget: () => void },
  ) {
    this.#port = port;
    this.#id = options.id;
    this.#kind = options.kind;
    this.#run = options.run;
    this.#forget = options.forget;
  }

  start(): void {
    this.#port.onmessage = (event) => this.#take(event.data);
    // Chromium tells when the other end is gone (a page that crashed); elsewhere `cancel` must do.
    this.#port.addEventListener("close", () => this.#cancel("cancelled"));
    this.#grant(BODY_WINDOW);
  }

  /** What the mux says about this stream. */
  event(event: MuxEvent): void {
    switch (event.type) {
      case "head":
        return this.#post({ type: "head", ...event.head });
      case "data":
        return this.#give(event);
      case "end":
        return this.#takeEnd(event.close);
      case "reset":
        return this.fail(event.code);
      case "writable":
        return this.#repay();
      case "open": // an opener's mux never says this
        return;
    }
  }

  /** Tells the client that the stream is gone. The mux knows it already. */
  fail(code: StreamCode): void {
    if (this.#state === "over") return;
    this.#post({ type: "error", code });
    this.#close();
  }

  #take(data: unknown): void {
    if (this.#state === "over") return;
    const message = parseToPump(data);
    if (message === undefined) return; // not of ours: ignored
    switch (message.type) {
      case "body":
        return this.#send(message);
      case "body-end":
        return this.#end(message.close);
      case "pull":
        return this.#taken(message.bytes);
      case "cancel":
        return this.#cancel("cancelled");
    }
  }

  #send(message: { bytes: Bytes; text: boolean; last: boolean }): void {
    const cost = bodyCost(message.bytes);
    if (this.#ended.ours || cost > this.#credit) return this.#breakOff();
    this.#credit -= cost;
    const { text, last } = message;
    const part = this.#kind === "websocket" ? { text, last } : undefined;
    this.#owed += cost; // before the call: `writable` may be told while it is under way
    try {
      const writable = this.#run((mux, now) => mux.write(now, this.#id, message.bytes, part));
      if (writable) this.#repay();
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.#cancel(error.code);
    }
  }

  #repay(): void {
    const owed = this.#owed;
    this.#owed = 0;
    this.#grant(owed);
  }

  #end(close: SocketClose | undefined): void {
    if (this.#ended.ours) return;
    this.#ended.ours = true;
    this.#run((mux, now) => mux.end(now, this.#id, close));
    this.#closeWhenDone();
  }

  #taken(bytes: number): void {
    if (bytes > this.#untaken) return this.#breakOff();
    this.#untaken -= bytes;
    this.#run((mux, now) => mux.consumed(now, this.#id, bytes));
  }

  #give(event: { bytes: Bytes; text: boolean; last: boolean }): void {
    const { text, last } = event;
    const bytes = event.bytes.slice(); // a view into a message that other streams share
    this.#untaken += bytes.length;
    this.#port.postMessage({ type: "data", bytes, text, last } satisfies FromPump, [bytes.buffer]);
    // Clients report bytes: an empty message counts as taken at once, or its frame's cost would never come back.
    if (bytes.length === 0) this.#run((mux, now) => mux.consumed(now, this.#id, 0));
  }

  /** A WebSocket that its service closed is closed by us as well (RFC 6455 5.5.1), whatever the page does. */
  #takeEnd(close: SocketClose | undefined): void {
    this.#ended.theirs = true;
    this.#post({ type: "end", close });
    if (this.#kind === "websocket") this.#end(close);
    this.#closeWhenDone();
  }

  #closeWhenDone(): void {
    if (this.#ended.ours && this.#ended.theirs) this.#close();
  }

  #breakOff(): void {
    this.#cancel("protocol");
  }

  #cancel(code: StreamCode): void {
    if (this.#state === "over") return;
    this.#run((mux, now) => mux.reset(now, this.#id, code));
    this.fail(code);
  }

  #grant(bytes: number): void {
    if (bytes === 0 || this.#state === "over") return;
    this.#credit += bytes;
    this.#post({ type: "pull", bytes });
  }

  #post(message: FromPump): void {
    if (this.#state === "open") this.#port.postMessage(message);
  }

  #close(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#forget();
    this.#port.close();
  }
}
