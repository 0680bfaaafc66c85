/** Reads a socket by asking, so that nothing is taken from it that nobody wants: heads, then bodies, then heads again. */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";

const HEAD_END = "\r\n\r\n";
/** Bytes of a request's head; more is no browser of ours. */
const HEAD_LIMIT_BYTES = 256 << 10;

export class SocketReader {
  readonly #socket: Socket;
  #held: Buffer = Buffer.alloc(0);
  #wake = () => {};
  readonly #woken = () => this.#wake();

  constructor(socket: Socket) {
    this.#socket = socket;
    for (const event of ["readable", "end", "close", "error"]) socket.on(event, this.#woken);
  }

  /** The next request's head without its empty line; undefined at the end. */
  async head(): Promise<string | undefined> {
    for (;;) {
      const end = this.#held.indexOf(HEAD_END);
      if (end >= 0) {
        const head = this.#held.subarray(0, end).toString("latin1");
        this.#held = this.#held.subarray(end + HEAD_END.length);
        return head;
      }
      if (this.#held.length > HEAD_LIMIT_BYTES) return undefined;
      const more = await this.#more();
      if (more === undefined) return undefined;
      this.#held = Buffer.concat([this.#held, more]);
    }
  }

  /** Up to so many bytes; undefined at the end. */
  async some(most: number): Promise<Buffer | undefined> {
    if (this.#held.length === 0) {
      const more = await this.#more();
      if (more === undefined) return undefined;
      this.#held = more;
    }
    const taken = this.#held.subarray(0, most);
    this.#held = this.#held.subarray(taken.length);
    return taken;
  }

  /** A line without its end; undefined at the end of the connection. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#held.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#held.subarray(0, end).toString("latin1");
        this.#held = this.#held.subarray(end + 2);
        return line;
      }
      const more = await this.#more();
      if (more === undefined) return undefined;
      this.#held = Buffer.concat([this.#held, more]);
    }
  }

  /** Leaves the socket to somebody else, with what was read too far. */
  release(): Buffer {
    for (const event of ["readable", "end", "close", "error"]) {
      this.#socket.off(event, this.#woken);
    }
    return this.#held;
  }

  async #more(): Promise<Buffer | undefined> {
    for (;;) {
      const data: Buffer | null = this.#socket.read();
      if (data !== null) return data;
      if (this.#socket.destroyed || this.#socket.readableEnded) return undefined;
      const woken = Promise.withResolvers<void>();
      this.#wake = woken.resolve;
      await woken.promise;
    }
  }
}
