/**
 * The UDP socket to one TURN server, in the shape that werift's `TurnProtocol` wants. Hears nobody
 * but that server; what the server relays is believed no more than anything else: it passes the
 * session's gate in `udp.ts`.
 */
import type { Buffer } from "node:buffer";
import { isIP } from "node:net";
import type { Address, TransportInternals } from "./internals.ts";
import { copyOf, type DatagramSocket, type Family, type OpenSocket } from "./udp_ports.ts";

const SENT: Promise<void> = Promise.resolve();

/** See the head of this file. */
export class RelayDatagrams implements TransportInternals {
  readonly type = "udp";
  readonly addressFamily: Family;
  closed = false;
  onData: (datagram: Buffer, from: Address) => void = () => {};
  readonly #server: Address;
  #socket!: DatagramSocket;

  private constructor(server: Address) {
    this.#server = server;
    this.addressFamily = isIP(server[0]) === 6 ? 6 : 4;
  }

  /** `server` is an IP address and a port. Rejects when there is no socket of its family. */
  static async open(server: Address, openSocket: OpenSocket): Promise<RelayDatagrams> {
    const relay = new RelayDatagrams(server);
    const receive = (datagram: Uint8Array, address: string, port: number) =>
      relay.#receive(datagram, [address, port]);
    relay.#socket = await openSocket({ family: relay.addressFamily, port: 0, receive });
    return relay;
  }

  get address(): { address: string; port: number; family: string } {
    const address = this.addressFamily === 4 ? "0.0.0.0" : "::";
    return { address, port: this.#socket.port, family: `IPv${this.addressFamily}` };
  }

  /** Whatever werift names as the destination: there is only the server. */
  readonly send = (datagram: Uint8Array): Promise<void> => {
    if (!this.closed) this.#socket.send(datagram, this.#server[0], this.#server[1]);
    return SENT;
  };

  readonly close = async (): Promise<void> => {
    this.closed = true;
    await this.#socket.close();
  };

  #receive(datagram: Uint8Array, [address, port]: Address): void {
    if (address !== this.#server[0] || port !== this.#server[1]) return;
    try {
      this.onData(copyOf(datagram), this.#server);
    } catch {
      // One datagram less.
    }
  }
}
