/**
 * Sockets to TURN servers. werift opens them through `UdpTransport.init`, which does not say for
 * whom; a mark in the place of its interface addresses does. What the server relays is believed no
 * more than anything else: it passes the session's gate in `udp.ts`.
 */
import type { Buffer } from "node:buffer";
import { isIP } from "node:net";
import { UdpTransport } from "werift";
import type { Address, TransportInternals } from "./internals.ts";
import { copyOf, type Family, type OpenSocket } from "./udp_ports.ts";

/** TURN servers that one relay socket talks to: the configured one, and where it redirects. */
const MAX_RELAY_SERVERS = 4;

const SENT: Promise<void> = Promise.resolve();

/**
 * Stands where werift keeps its interface addresses and hands them to `UdpTransport.init`, so that
 * the socket of a TURN server is known to be one of ours. Has no visible members.
 */
export class RelayMark {
  readonly #openSocket: OpenSocket;

  constructor(openSocket: OpenSocket) {
    this.#openSocket = openSocket;
  }

  open(family: Family): Promise<RelaySocket> {
    return RelaySocket.open(family, this.#openSocket);
  }
}

/** The socket to a TURN server: hears nobody but whom it has asked. */
class RelaySocket implements TransportInternals {
  readonly type = "udp";
  readonly addressFamily: Family;
  closed = false;
  onData: (datagram: Buffer, from: Address) => void = () => {};
  readonly #socket: Awaited<ReturnType<OpenSocket>>;
  readonly #servers: Set<string>;

  private constructor(
    family: Family,
    options: { socket: Awaited<ReturnType<OpenSocket>>; servers: Set<string> },
  ) {
    this.addressFamily = family;
    this.#socket = options.socket;
    this.#servers = options.servers;
  }

  static async open(family: Family, openSocket: OpenSocket): Promise<RelaySocket> {
    const servers = new Set<string>();
    const socket = await openSocket({
      family,
      port: 0,
      receive: (datagram, address, port) => {
        if (!servers.has(`${address} ${port}`)) return;
        try {
          relay.onData(copyOf(datagram), [address, port]);
        } catch {
          // One datagram less.
        }
      },
    });
    const relay = new RelaySocket(family, { socket, servers });
    return relay;
  }

  get address(): { address: string; port: number; family: string } {
    const address = this.addressFamily === 4 ? "0.0.0.0" : "::";
    return { address, port: this.#socket.port, family: `IPv${this.addressFamily}` };
  }

  readonly send = (datagram: Uint8Array, to?: Address): Promise<void> => {
    if (to === undefined || isIP(to[0]) === 0) return SENT; // werift resolves names before
    const server = `${to[0]} ${to[1]}`;
    if (!this.#servers.has(server) && this.#servers.size < MAX_RELAY_SERVERS) {
      this.#servers.add(server);
    }
    this.#socket.send(datagram, to[0], to[1]);
    return SENT;
  };

  readonly close = async (): Promise<void> => {
    this.closed = true;
    await this.#socket.close();
  };
}

type Init = typeof UdpTransport.init;

let patched = false;

/** Makes sockets to TURN servers ours, for connections that carry a `RelayMark`. Others keep werift's. */
export function patchRelaySockets(): void {
  if (patched) return;
  patched = true;
  const init: Init = UdpTransport.init.bind(UdpTransport);
  const open = (...[type, options]: Parameters<Init>) => {
    const mark: unknown = options?.interfaceAddresses;
    return mark instanceof RelayMark ? mark.open(type === "udp6" ? 6 : 4) : init(type, options);
  };
  UdpTransport.init = open as unknown as Init;
}
