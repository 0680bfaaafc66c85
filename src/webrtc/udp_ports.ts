/**
 * Where sessions get their UDP ports from: one of its own for each session, or one for all sessions
 * of the agent, so that a firewall rule is possible (`port` in porthole.toml). The shared one finds
 * the session of a datagram by the ICE name in a request, by the question that an answer is for,
 * and by the address that passed a check before. Nothing is believed here: `udp_gate.ts` decides.
 */
import { Buffer } from "node:buffer";
import { kindOf, readProof, transactionOf } from "./stun.ts";

/** A UDP socket, as `platform/datagram.ts` opens it; `main` hands the function in. */
export interface DatagramSocket {
  readonly port: number;
  readonly errors: number;
  /** Never throws. The bytes must not change afterwards. */
  send(bytes: Uint8Array, address: string, port: number): void;
  close(): Promise<void>;
}

/** Takes a datagram; the bytes are only there during the call. */
export type Receive = (datagram: Uint8Array, address: string, port: number) => void;

/** Opens a socket on all addresses of a family. Rejects when the port cannot be had. */
export type OpenSocket = (
  options: { readonly family: Family; readonly port: number; readonly receive: Receive },
) => Promise<DatagramSocket>;

export type Family = 4 | 6;

/** Whom datagrams are for. */
export interface PortUser {
  /** The session's ICE name, known to the other end. */
  readonly ufrag: string;
  /** The connection that it is part of: its paths share what addresses are claimed. */
  readonly connection: object;
  /** Whether it waits for an answer to this question. */
  awaits(transaction: string): boolean;
  readonly receive: Receive;
}

/** A user's way to the network in one family. */
export interface Carrier {
  readonly port: number;
  readonly errors: number;
  send(bytes: Uint8Array, address: string, port: number): void;
  /** Says that datagrams of this address are for the user; gives false when they are another's. */
  claim(address: string, port: number): boolean;
  /** Never rejects. */
  close(): Promise<void>;
}

/** Gives carriers. */
export interface Ports {
  /** Rejects when there is no socket to be had. */
  join(family: Family, user: PortUser): Promise<Carrier>;
}

/** A socket for each user and family. */
export class OwnPorts implements Ports {
  readonly #openSocket: OpenSocket;

  constructor(openSocket: OpenSocket) {
    this.#openSocket = openSocket;
  }

  async join(family: Family, user: PortUser): Promise<Carrier> {
    const socket = await this.#openSocket({ family, port: 0, receive: user.receive });
    return {
      port: socket.port,
      get errors() {
        return socket.errors;
      },
      send: (bytes, address, port) => socket.send(bytes, address, port),
      claim: () => true,
      close: () => socket.close(),
    };
  }
}

/**
 * An address stays with its session for so long after the last check, in ms: the life of consent
 * (RFC 7675 5.1). Else a hostile browser could claim another's by a forged sender.
 */
const CLAIM_MS = 30_000;

interface Claim {
  user: PortUser;
  at: number;
}

/** One socket for each family, shared by all users. */
export class SharedPorts implements Ports {
  readonly #openSocket: OpenSocket;
  readonly #port: number;
  readonly #now: () => number;
  /** With the number of families that each has joined. */
  readonly #users = new Map<PortUser, number>();
  /** By address and port. Each user's part is bounded by what its gate trusts. */
  readonly #claims = new Map<string, Claim>();
  readonly #sockets = new Map<Family, Promise<DatagramSocket>>();
  #strangers = 0;

  constructor(
    openSocket: OpenSocket,
    options: { readonly port: number; readonly now?: () => number },
  ) {
    this.#openSocket = openSocket;
    this.#port = options.port;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Datagrams that were for no session. */
  get strangers(): number {
    return this.#strangers;
  }

  /**
   * Opens the sockets. Rejects with an Error that names the port when it is taken; a machine
   * without IPv6 does without.
   */
  async start(): Promise<void> {
    try {
      await this.#socket(4);
    } catch (cause) {
      throw new Error(
        `Cannot use UDP port ${this.#port} for connections: stop what has it, or change 'port'`,
        { cause },
      );
    }
    await this.#socket(6).catch(() => {});
  }

  async join(family: Family, user: PortUser): Promise<Carrier> {
    const socket = await this.#socket(family);
    this.#users.set(user, (this.#users.get(user) ?? 0) + 1);
    return {
      port: socket.port,
      errors: 0, // those of a shared socket are nobody's own
      send: (bytes, address, port) => socket.send(bytes, address, port),
      claim: (address, port) => this.#claim(`${address} ${port}`, user),
      close: () => {
        this.#leave(user);
        return Promise.resolve();
      },
    };
  }

  /** Closes the sockets. Never rejects. */
  async close(): Promise<void> {
    const sockets = await Promise.allSettled(this.#sockets.values());
    this.#sockets.clear();
    this.#users.clear();
    this.#claims.clear();
    for (const socket of sockets) {
      if (socket.status === "fulfilled") await socket.value.close();
    }
  }

  #socket(family: Family): Promise<DatagramSocket> {
    const known = this.#sockets.get(family);
    if (known !== undefined) return known;
    const receive: Receive = (datagram, address, port) => {
      const user = this.#userOf(datagram, `${address} ${port}`);
      if (user === undefined) this.#strangers++;
      else user.receive(datagram, address, port);
    };
    const opening = this.#openSocket({ family, port: this.#port, receive });
    this.#sockets.set(family, opening);
    opening.catch(() => this.#sockets.delete(family));
    return opening;
  }

  #userOf(datagram: Uint8Array, from: string): PortUser | undefined {
    const kind = kindOf(datagram);
    if (kind === "request") return this.#userNamed(readProof(datagram)?.username);
    if (kind !== "response") return this.#claims.get(from)?.user;
    const transaction = transactionOf(datagram);
    for (const user of this.#users.keys()) if (user.awaits(transaction)) return user;
    return undefined;
  }

  /** RFC 8445 7.2.2: the name in front of the colon is that of who is asked. */
  #userNamed(username: string | undefined): PortUser | undefined {
    const ufrag = username?.split(":", 1)[0];
    for (const user of this.#users.keys()) if (user.ufrag === ufrag) return user;
    return undefined;
  }

  #claim(from: string, user: PortUser): boolean {
    const now = this.#now();
    const claim = this.#claims.get(from);
    if (claim === undefined) {
      this.#claims.set(from, { user, at: now });
    } else if (claim.user.connection === user.connection || now - claim.at > CLAIM_MS) {
      claim.user = user;
      claim.at = now;
    } else return false;
    return true;
  }

  #leave(user: PortUser): void {
    const families = (this.#users.get(user) ?? 0) - 1;
    if (families > 0) return void this.#users.set(user, families);
    this.#users.delete(user);
    for (const [from, claim] of this.#claims) if (claim.user === user) this.#claims.delete(from);
  }
}

/** A copy that may be kept. */
export function copyOf(datagram: Uint8Array): Buffer {
  return Buffer.from(datagram);
}
