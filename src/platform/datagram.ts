/**
 * UDP sockets. On Deno with `--unstable-net` they are `Deno.listenDatagram`, whose `send` costs a
 * third less than that of `node:dgram` there (measured on 2.9.5: 4.2 against 6.7 µs of CPU for
 * 1200 bytes); elsewhere `node:dgram`.
 *
 * Whom to believe is not known here: that is `webrtc/udp_gate.ts`.
 */
import { createSocket } from "node:dgram";
import { Backlog, type Receive } from "./datagram_backlog.ts";

/** What a socket is opened for. */
export interface DatagramOptions {
  readonly family: 4 | 6;
  /** 0 for any free port. */
  readonly port: number;
  /**
   * Called with each datagram. The bytes are only there during the call: the next datagram may be
   * written over them. Must not throw.
   */
  readonly receive: Receive;
}

/** A socket bound to all addresses of one family. */
export interface DatagramSocket {
  readonly port: number;
  /** Datagrams that could not be sent or received: no route, no buffer, an ICMP error. */
  readonly errors: number;
  /**
   * Sends one datagram, and never throws: a datagram may be lost at any time. The bytes must not
   * change afterwards. `address` is an IP address of the socket's family.
   */
  send(bytes: Uint8Array, address: string, port: number): void;
  /** Resolves when the port is free again. Never rejects. */
  close(): Promise<void>;
}

/** Opens a socket on all addresses. Rejects with an Error when the port cannot be had. */
export function openDatagramSocket(options: DatagramOptions): Promise<DatagramSocket> {
  const listen = typeof Deno === "object" ? Deno.listenDatagram : undefined;
  // Deno's own sockets for IPv6 take IPv4's port as well, so that a fixed one could not be shared.
  if (listen === undefined || (options.family === 6 && options.port !== 0)) {
    return NodeSocket.open(options);
  }
  return new Promise((resolve) => resolve(new DenoSocket(listen, options)));
}

class DenoSocket implements DatagramSocket {
  readonly port: number;
  errors = 0;
  readonly #socket: Deno.DatagramConn;
  readonly #receiving: Promise<void>;
  readonly #failed = () => void this.errors++;
  readonly #backlog: Backlog;
  #closed = false;

  constructor(listen: typeof Deno.listenDatagram, options: DatagramOptions) {
    const { family, port, receive } = options;
    const hostname = family === 4 ? "0.0.0.0" : "::";
    this.#socket = listen({ transport: "udp", hostname, port });
    this.port = (this.#socket.addr as Deno.NetAddr).port;
    this.#backlog = new Backlog(receive, this.#failed);
    this.#receiving = this.#receive();
  }

  send(bytes: Uint8Array, hostname: string, port: number): void {
    if (this.#closed) return;
    this.#socket.send(bytes, { transport: "udp", hostname, port }).catch(this.#failed);
  }

  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#socket.close();
      this.#backlog.close();
    }
    await this.#receiving;
  }

  /** What is there already comes without a turn of the event loop: the loop runs until it is empty. */
  async #receive(): Promise<void> {
    const backlog = this.#backlog;
    for (let failures = 0; !this.#closed && failures < MAX_FAILURES_IN_A_ROW;) {
      try {
        const buffer = backlog.buffer();
        const [bytes, from] = await this.#socket.receive(buffer);
        failures = 0;
        if (this.#closed) return;
        const { hostname: address, port } = from as Deno.NetAddr;
        backlog.push({ buffer, bytes, address, port });
        const room = backlog.room();
        if (room !== undefined) await room;
      } catch {
        if (this.#closed) return;
        this.errors++; // an ICMP error of an earlier datagram
        failures++;
      }
    }
  }
}

/** A socket that only fails is broken; without an end the loop would take a core. */
const MAX_FAILURES_IN_A_ROW = 10_000;

class NodeSocket implements DatagramSocket {
  readonly port: number;
  readonly #socket: ReturnType<typeof createSocket>;
  #errors = 0;
  #closing: Promise<void> | undefined;

  private constructor(socket: ReturnType<typeof createSocket>) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on("error", () => this.#errors++);
  }

  static async open({ family, port, receive }: DatagramOptions): Promise<NodeSocket> {
    const socket = family === 4
      ? createSocket("udp4")
      : createSocket({ type: "udp6", ipv6Only: true });
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(port, family === 4 ? "0.0.0.0" : "::", () => {
        socket.off("error", reject);
        resolve();
      });
    }).catch((error) => {
      socket.close();
      throw error;
    });
    const opened = new NodeSocket(socket);
    socket.on("message", (bytes, from) => receive(bytes, from.address, from.port));
    return opened;
  }

  get errors(): number {
    return this.#errors;
  }

  send(bytes: Uint8Array, address: string, port: number): void {
    if (this.#closing !== undefined) return;
    try {
      this.#socket.send(bytes, port, address);
    } catch {
      this.#errors++;
    }
  }

  close(): Promise<void> {
    return this.#closing ??= new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}
