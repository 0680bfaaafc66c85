/** One request at the device of the conformance cases, and every way to answer it, right or wrong. */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { SocketReader } from "./socket_reader.ts";
import { unreadBytes } from "./kernel_queues.ts";

export type Lines = readonly (readonly [name: string, value: string])[];
export type Data = string | Uint8Array;

const CHUNK_BYTES = 64 << 10;

export interface Reply {
  readonly status?: number;
  readonly reason?: string;
  readonly headers?: Lines;
  readonly body?: Data;
}

export class Exchange {
  readonly method: string;
  /** As it stood in the request line. */
  readonly target: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Lines;
  /** The request line, byte for byte. */
  readonly line: string;
  readonly socket: Socket;
  readonly authority: string;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  /** Bytes of body that the system took to send. */
  written = 0;
  /** Whether the answer says itself where it ends, so that another request may follow. */
  isWhole = false;
  readonly #reader: SocketReader;
  #left: number | "chunked";

  constructor(
    { head, reader, socket, authority }: {
      head: string;
      reader: SocketReader;
      socket: Socket;
      authority: string;
    },
  ) {
    const [line = "", ...lines] = head.split("\r\n");
    const [method = "", target = ""] = line.split(" ");
    this.line = line;
    this.method = method;
    this.target = target;
    const [path = "", query = ""] = target.split(/\?(.*)/s);
    this.path = path;
    this.query = new URLSearchParams(query);
    this.headers = lines.map((text) => {
      const colon = text.indexOf(":");
      return [text.slice(0, colon), text.slice(colon + 1).trim()];
    });
    this.socket = socket;
    this.authority = authority;
    this.closed = new Promise((resolve) => socket.once("close", resolve));
    this.#reader = reader;
    const chunked = /chunked/i.test(this.header("transfer-encoding") ?? "");
    this.#left = chunked ? "chunked" : Number(this.header("content-length") ?? 0);
  }

  /** A header's value, several joined with ", "; undefined if it is not there. */
  header(wanted: string): string | undefined {
    const values = this.headers.filter(([name]) => name.toLowerCase() === wanted);
    return values.length === 0 ? undefined : values.map(([, value]) => value).join(", ");
  }

  /** A cookie's value. */
  cookie(wanted: string): string | undefined {
    for (const pair of (this.header("cookie") ?? "").split(/; */)) {
      if (pair.startsWith(`${wanted}=`)) return pair.slice(wanted.length + 1);
    }
    return undefined;
  }

  /** The request's body, piece by piece. Throws if it breaks off. */
  async *body(): AsyncGenerator<Buffer> {
    while (this.#left === "chunked") {
      const size = parseInt(await this.#reader.line() ?? "", 16);
      if (Number.isNaN(size)) throw new Error("Cannot read the body: cut in a chunk");
      if (size === 0) this.#left = 0;
      yield* this.#bytes(size);
      await this.#reader.line();
    }
    const length = this.#left;
    this.#left = 0;
    yield* this.#bytes(length);
  }

  /** The whole body. */
  async bytes(): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.body()) parts.push(part);
    return Buffer.concat(parts);
  }

  async text(): Promise<string> {
    return (await this.bytes()).toString();
  }

  async skipBody(): Promise<void> {
    for await (const _ of this.body());
  }

  /** A proper answer with its length; may not be kept by any cache unless `headers` say so. */
  reply({ status = 200, reason = "Fine", headers = [], body = "" }: Reply): void {
    const said = new Set(headers.map(([name]) => name.toLowerCase()));
    const bare = status === 204 || status === 304;
    const lines: Lines = [
      ...headers,
      ...(said.has("content-type") ? [] : [["Content-Type", "text/plain; charset=utf-8"] as const]),
      ...(said.has("cache-control") ? [] : [["Cache-Control", "no-store"] as const]),
      ...(bare || said.has("content-length") ? [] : [
        ["Content-Length", String(Buffer.byteLength(body))] as const,
      ]),
    ];
    this.isWhole = true;
    this.head(status, lines, reason);
    if (this.method !== "HEAD") this.socket.write(body);
  }

  json(value: unknown): void {
    this.reply({ headers: [["Content-Type", "application/json"]], body: JSON.stringify(value) });
  }

  html(body: string, headers: Lines = []): void {
    this.reply({ headers: [["Content-Type", "text/html; charset=utf-8"], ...headers], body });
  }

  /** A head alone, as it is given. */
  head(status: number, headers: Lines, reason = "Fine"): void {
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    this.socket.write(Buffer.from(`HTTP/1.1 ${status} ${reason}\r\n${lines}\r\n`, "latin1"));
  }

  /** Bytes as they are, once the system took them; throws if the connection is gone. */
  async write(data: Data): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const gone = () => reject(new Error("Cannot write: the connection is closed"));
      if (this.socket.destroyed) return gone();
      this.socket.once("close", gone);
      this.socket.write(data, (error) => {
        this.socket.off("close", gone);
        if (error) reject(error);
        else resolve();
      });
    });
    this.written += Buffer.byteLength(data);
  }

  /** Begins an answer in chunks. */
  startChunks(headers: Lines = [["Content-Type", "text/plain"]]): void {
    this.head(200, [["Transfer-Encoding", "chunked"], ["Cache-Control", "no-store"], ...headers]);
  }

  async chunk(data: Data): Promise<void> {
    const size = Buffer.byteLength(data).toString(16);
    await this.write(Buffer.concat([
      Buffer.from(`${size}\r\n`),
      Buffer.from(data as Uint8Array),
      Buffer.from("\r\n"),
    ]));
  }

  async endChunks(): Promise<void> {
    await this.write("0\r\n\r\n");
    this.isWhole = true;
  }

  /** Bytes as they are, and the end of the connection. */
  async raw(data: Data): Promise<void> {
    await this.write(data);
    this.socket.end();
  }

  /** Ends the connection with a reset, as a crashed device does. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Bytes of the answer that have left both ends' kernels: what the reader and everything behind it took. */
  async taken(): Promise<number> {
    const { localPort = 0, remotePort = 0 } = this.socket;
    return this.written - await unreadBytes(localPort, remotePort);
  }

  async *#bytes(length: number): AsyncGenerator<Buffer> {
    let left = length;
    while (left > 0) {
      const part = await this.#reader.some(Math.min(left, CHUNK_BYTES));
      if (part === undefined) throw new Error(`Cannot read the body: ${left} bytes are missing`);
      left -= part.length;
      yield part;
    }
  }
}
