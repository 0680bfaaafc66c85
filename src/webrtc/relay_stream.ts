/**
 * The TCP or TLS connection to one TURN server (RFC 8656 2.1), in the shape that werift's
 * `TurnProtocol` wants. Cuts the stream into messages here, since werift would keep whatever a
 * server sends that is none, without a limit. A stream that breaks is over: ICE looks for another
 * path.
 */
import { Buffer } from "node:buffer";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Address, TransportInternals } from "./internals.ts";
import { within } from "./ice_patch.ts";

/** The longest message: a length of 16 bits, the header of STUN, padding. */
const MAX_MESSAGE_BYTES = 0xffff + 20 + 3;
/** Bytes that wait for a slow server before datagrams are dropped, as a full queue in a network would. */
const MAX_WAITING_BYTES = 256 * 1024;

const SENT: Promise<void> = Promise.resolve();

export interface RelayStreamOptions {
  /** TLS, with a certificate for the server's name. */
  readonly tls: boolean;
  /** Certificates in PEM to trust instead of the system's. */
  readonly ca?: string | undefined;
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** See the head of this file. */
export class RelayStream implements TransportInternals {
  readonly type: "tcp" | "tls";
  /** Where the stream leads: werift sends everything there. */
  readonly remoteAddress: Address;
  onData: (datagram: Buffer, from: Address) => void = () => {};
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket, options: RelayStreamOptions) {
    this.type = options.tls ? "tls" : "tcp";
    this.#socket = socket;
    this.remoteAddress = [socket.remoteAddress ?? "", socket.remotePort ?? 0];
    socket.on("data", (bytes: Buffer) => this.#take(bytes));
  }

  /** Connects. Rejects with an Error when that fails, or takes longer than the limit. */
  static async open([host, port]: Address, options: RelayStreamOptions): Promise<RelayStream> {
    const { tls, ca, limitMs, signal } = options;
    const trust = ca === undefined ? {} : { ca };
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = tls ? connectTls({ host, port, ...name, ...trust }) : connect({ host, port });
    let failure: Error | undefined = new Error(`no connection in ${limitMs} ms`);
    const opened = new Promise<void>((resolve) => {
      socket.once(tls ? "secureConnect" : "connect", () => resolve(failure = undefined));
      socket.on("error", (error: Error) => resolve(void (failure = error)));
      socket.once("close", resolve);
    });
    await within(opened, limitMs, signal);
    if (failure !== undefined || socket.destroyed) {
      socket.destroy();
      throw new Error(`Cannot reach relay '${host}:${port}': ${failure?.message ?? "it hung up"}`);
    }
    socket.setNoDelay(true);
    return new RelayStream(socket, options);
  }

  get closed(): boolean {
    return this.#socket.destroyed;
  }

  get address(): { address: string; port: number; family: string } {
    const { localAddress = "", localPort = 0, localFamily = "" } = this.#socket;
    return { address: localAddress, port: localPort, family: localFamily };
  }

  readonly send = (datagram: Uint8Array): Promise<void> => {
    if (!this.closed && this.#socket.writableLength <= MAX_WAITING_BYTES) {
      this.#socket.write(datagram);
    }
    return SENT;
  };

  readonly close = (): Promise<void> => {
    if (this.#socket.closed) return SENT;
    const closed = new Promise<void>((resolve) => this.#socket.once("close", () => resolve()));
    this.#socket.destroy();
    return closed;
  };

  #take(bytes: Buffer): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    for (;;) {
      const length = messageLength(all, at);
      if (length === undefined || length > MAX_MESSAGE_BYTES) return void this.#socket.destroy();
      if (length === 0 || at + length > all.length) break;
      this.#deliver(all.subarray(at, at + length));
      at += length;
    }
    this.#rest = Buffer.from(all.subarray(at));
  }

  #deliver(message: Buffer): void {
    try {
      this.onData(message, this.remoteAddress);
    } catch {
      // One message less.
    }
  }
}

/**
 * Length of the message that begins here, padding included: of STUN, or of channel data
 * (RFC 8656 12.5). 0 while too little of it is there; undefined for what is neither.
 */
function messageLength(bytes: Buffer, at: number): number | undefined {
  if (bytes.length - at < 4) return 0;
  const [first, length] = [bytes[at]!, bytes.readUInt16BE(at + 2)];
  if (first >= 64 && first <= 79) return 4 + length + (-length & 3);
  return first < 4 && length % 4 === 0 ? 20 + length : undefined;
}
