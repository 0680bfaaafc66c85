/**
 * The ways that one connection's datagrams take, one after the other (RFC 8445 9). The first is werift's own; a restart
 * looks for the next one beside it, and bytes go over when it is found. What still comes on the old one counts for a
 * while. werift's idea of the first path's end no longer ends a connection that stands: the session's supervisor does.
 *
 *   DTLS, SRTP, SRTCP --send--> current path --> its sockets        sockets of all paths --> DTLS, SRTP
 */
import type { Buffer } from "node:buffer";
import { Gathering } from "./ice_gather.ts";
import { closeSockets, probe } from "./ice_patch.ts";
import type { IceServers } from "./ice_servers.ts";
import type { IceInternals } from "./internals.ts";
import { type IceCredentials, NextPath } from "./next_path.ts";
import type { RelayParts } from "./relay.ts";
import { SessionSockets, type UdpStats } from "./udp.ts";
import type { Ports } from "./udp_ports.ts";

/** How long the old path is heard after a change, in ms: the other end goes over a little later. */
const FAREWELL_MS = 3000;

export interface PathsOptions {
  readonly parts: SocketParts;
  /** Whom to ask for addresses. */
  readonly servers: IceServers;
  /** Takes DTLS datagrams. */
  readonly records: (datagram: Uint8Array) => void;
  /** Whether DTLS stands: from then on werift's ICE may fail and end nothing. */
  readonly stands: () => boolean;
  /** The path gave a sign of life. */
  readonly alive: () => void;
  /** Bytes go another way from now on. */
  readonly changed: () => void;
}

/** Where sockets come from. */
export interface SocketParts extends RelayParts {
  readonly ports: Ports;
}

/** In bytes, without headers of UDP and IP. */
type ByteCounts = Pick<UdpStats, "bytesSent" | "bytesReceived">;

interface Path {
  readonly ice: IceInternals;
  readonly gathering: Gathering;
  readonly sockets: SessionSockets;
  close(): Promise<void>;
}

/** See the head of this file. */
export class Paths {
  readonly #options: PathsOptions;
  readonly #first: Path;
  #current: Path;
  #next: NextPath | undefined;
  /** Former ones that are still heard, and searches that are being closed. */
  readonly #leaving = new Map<Path, ReturnType<typeof setTimeout> | undefined>();
  #closed = false;
  #changes = 0;
  /** Of paths that are gone. */
  #bytes: ByteCounts = { bytesSent: 0, bytesReceived: 0 };

  constructor(ice: IceInternals, options: PathsOptions) {
    this.#options = options;
    const sockets = new SessionSockets(ice, { ...options.parts, connection: this });
    const gathering = new Gathering(ice, { servers: options.servers, ...options.parts });
    this.#first = this.#current = {
      ice,
      sockets,
      gathering,
      close: () => {
        gathering.stop();
        return leaveFirst(ice);
      },
    };
    this.#hear(this.#first);
    ice.send = (data: Buffer) => Promise.resolve(this.send(data));
    const setState = ice.setState.bind(ice);
    ice.setState = (state) => {
      if (state === "failed" && options.stands()) ice.state = state; // consent ended: nothing more is sent there
      else setState(state);
    };
  }

  /** Sends a datagram on the current path, at once and without a copy, or loses it. */
  send(datagram: Uint8Array): void {
    this.#current.sockets.send(datagram);
  }

  /** Of the current path. */
  get ice(): Pick<IceInternals, "nominated" | "remoteCandidates"> {
    return this.#current.ice;
  }

  /** Of the current path. */
  get stats(): UdpStats {
    return this.#current.sockets.stats;
  }

  /** Of all paths so far. */
  get bytes(): ByteCounts {
    const paths = [this.#current, ...this.#next ? [this.#next] : [], ...this.#leaving.keys()];
    return paths.reduce((all, { sockets }) => sum(all, sockets.stats), this.#bytes);
  }

  /** How often bytes went over to another path. */
  get changes(): number {
    return this.#changes;
  }

  /** Looks for another path; a search before ends. Gives our credentials. Throws an Error after `close`. */
  restart(remote: IceCredentials, candidate: (candidate: string) => void): IceCredentials {
    if (this.#closed) throw new Error("Cannot restart ICE: connection is closed");
    if (this.#next !== undefined) this.#leave(this.#next, 0);
    const { parts, servers } = this.#options;
    const first = this.#first.ice;
    const next = new NextPath({ parts, servers, first, connection: this, remote, candidate });
    this.#next = next;
    this.#hear(next);
    void next.search().then((isFound) => this.#searched(next, isFound)); // never rejects
    return next.local;
  }

  /** Takes a candidate of the browser for the search under way, or the path that it found. Never rejects. */
  async addCandidate(candidate: string): Promise<void> {
    const path = this.#next ?? this.#current;
    if (path instanceof NextPath) await path.add(candidate);
  }

  /** Asks the browser's address for a sign of life. */
  probe(): void {
    if (!this.#closed) probe(this.#current.ice);
  }

  /** Lets go of all paths but werift's own, which its connection closes. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#first.gathering.stop();
    const others = new Set([
      ...this.#leaving.keys(),
      this.#current,
      ...this.#next ? [this.#next] : [],
    ]);
    others.delete(this.#first);
    for (const timer of this.#leaving.values()) clearTimeout(timer);
    this.#leaving.clear();
    await Promise.all([...others].map((path) => path.close()));
  }

  #hear(path: Path): void {
    path.sockets.records = this.#options.records;
    path.sockets.alive = () => {
      if (path === this.#current) this.#options.alive();
    };
  }

  #searched(next: NextPath, isFound: boolean): void {
    if (this.#next !== next || this.#closed) return;
    this.#next = undefined;
    if (!isFound) return this.#leave(next, 0);
    const before = this.#current;
    this.#current = next;
    this.#changes++;
    this.#leave(before, FAREWELL_MS);
    this.#options.changed();
  }

  /** Closes a path after a while. */
  #leave(path: Path, afterMs: number): void {
    const close = () => {
      this.#leaving.set(path, undefined); // `close` of the connection waits for it
      void path.close().then(() => this.#left(path)); // never rejects
    };
    if (afterMs === 0) close();
    else this.#leaving.set(path, setTimeout(close, afterMs));
  }

  #left(path: Path): void {
    if (this.#leaving.delete(path)) this.#bytes = sum(this.#bytes, path.sockets.stats);
  }
}

function sum(one: ByteCounts, other: ByteCounts): ByteCounts {
  return {
    bytesSent: one.bytesSent + other.bytesSent,
    bytesReceived: one.bytesReceived + other.bytesReceived,
  };
}

/** werift's own path goes, and its peer connection must not take that for its end. */
async function leaveFirst(ice: IceInternals): Promise<void> {
  ice.stopConsentLifecycle();
  ice.remoteCandidatesEnd = true;
  ice.nominated = undefined;
  await closeSockets(ice);
}
