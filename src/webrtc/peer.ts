/**
 * One WebRTC connection, device side: the browser offers, we answer as DTLS server. The only folder
 * that knows werift 0.25.2, which it corrects from outside (DESIGN 7); each correction is a file of
 * its own: `udp`, `ice_patch`, `paths`, `dtls_patch`, `sctp_driver`, `video`.
 *
 * It is not the place that decides whom to trust: descriptions come from `protocol/sdp.ts`, written
 * from verified fields, and nothing that arrives on a channel means anything before the agent has
 * confirmed.
 */
import { createSelfSignedCertificate, RTCPeerConnection } from "werift";
import type { Bytes } from "../lib/bytes.ts";
import type { NetworkPath } from "../lib/network_path.ts";
import { Channels, type DataChannel, MAX_MESSAGE_BYTES } from "./channel.ts";
import { DtlsControl, type DtlsStats } from "./dtls_patch.ts";
import { IceControl, loopbackAddresses, usableCandidate, within } from "./ice_patch.ts";
import { type IceServer, type IceServers, readIceServers } from "./ice_servers.ts";
import {
  checkInternals,
  connectionInternals,
  ECDSA_SHA256,
  iceInternals,
  SECP256R1,
} from "./internals.ts";
import { LoopbackLast } from "./loopback_last.ts";
import type { IceCredentials } from "./next_path.ts";
import { type PeerCounts, PeerTotals } from "./peer_totals.ts";
import { pathOf } from "./path.ts";
import { Paths, type SocketParts } from "./paths.ts";
import { selfCheck } from "./self_check.ts";
import type { UdpStats } from "./udp.ts";
import { type OpenSocket, OwnPorts, SharedPorts } from "./udp_ports.ts";
import { type SectionCodec, Sections, videoCodecs, type VideoSender } from "./video.ts";

/**
 * `failed` and `closed` are final, yet `close` has to be called; `close` of this end is not told.
 */
export type PeerState = "connecting" | "connected" | "failed" | "closed";

/** What a connection tells its owner. None of them may throw. */
export interface PeerHandlers {
  candidate(candidate: string): void;
  state(state: PeerState): void;
  keyFrameWanted(mid: string): void;
}

/** Remote candidates taken in one connection: a browser with many networks has some twenty. */
const MAX_REMOTE_CANDIDATES = 64;
/** How long werift may take to close its sockets, in ms: a relay may not answer any more. */
const CLOSE_LIMIT_MS = 1000;
/** werift's first flight timer, in ms: it runs on after a quick handshake and cannot be stopped. */
const FLIGHT_TIMER_MS = 550;

/** What each layer of a connection counts. */
export interface PeerStats {
  readonly udp: UdpStats;
  readonly dtls: DtlsStats;
  readonly sctp: Channels["stats"];
  /** How often packets went over to another path. */
  readonly restarts: number;
}

/** What connections are made of. */
export interface PeerFactoryOptions {
  readonly openSocket: OpenSocket;
  /** One UDP port for all connections; 0 or nothing gives each its own. */
  readonly port?: number | undefined;
  /** Certificates in PEM that relays over TLS are checked with; the system's by default. */
  readonly relayCa?: string;
}

/** Makes connections. */
export interface PeerFactory {
  /** A new connection with a certificate of its own. Implements `CreatePeer` of agent/seams.ts. */
  readonly createPeer: (options: {
    readonly iceServers: readonly IceServer[];
    readonly handlers: PeerHandlers;
  }) => Promise<WeriftPeer>;
  /**
   * Takes the configured port, and makes sure that what this folder corrects in werift is correct
   * (self_check.ts). Rejects with an Error of one line; nobody may be served then.
   */
  start(): Promise<void>;
  /** What all connections have counted. */
  readonly totals: Pick<PeerTotals, "counts" | "paths">;
  /** Lets go of the port. Connections are to be closed before. Never rejects. */
  close(): Promise<void>;
}

/** Puts the parts of this folder together; `main` hands the sockets of the platform in. */
export function createPeerFactory(options: PeerFactoryOptions): PeerFactory {
  const { openSocket, port = 0, relayCa } = options;
  const shared = port === 0 ? undefined : new SharedPorts(openSocket, { port });
  const parts: PeerParts = {
    totals: new PeerTotals(),
    openSocket,
    relayCa,
    ports: shared ?? new OwnPorts(openSocket),
  };
  const create: PeerFactory["createPeer"] = (options) => createPeer(options, parts);
  const { totals } = parts;
  let tested: Promise<void> = Promise.resolve();
  return {
    createPeer: create,
    totals,
    start: async () => {
      await shared?.start();
      tested = (await selfCheck({ createPeer: create, openSocket })).settled;
    },
    close: async () => {
      await tested;
      await shared?.close();
    },
  };
}

/** What connections of one factory share. */
interface PeerParts extends SocketParts {
  readonly totals: PeerTotals;
}

async function createPeer(
  options: { readonly iceServers: readonly IceServer[]; readonly handlers: PeerHandlers },
  parts: PeerParts,
): Promise<WeriftPeer> {
  const keys = await createSelfSignedCertificate(ECDSA_SHA256, SECP256R1);
  const connection = new RTCPeerConnection({
    iceServers: [],
    iceAdditionalHostAddresses: loopbackAddresses(),
    bundlePolicy: "max-bundle",
    codecs: { audio: [], video: videoCodecs() },
    headerExtensions: { audio: [], video: [] },
    maxMessageSize: MAX_MESSAGE_BYTES,
    dtls: { keys },
  });
  const servers = readIceServers(options.iceServers);
  return new WeriftPeer(connection, { handlers: options.handlers, servers, parts });
}

/** Implements `Peer` of agent/seams.ts. */
export class WeriftPeer {
  readonly #connection: RTCPeerConnection;
  readonly #handlers: PeerHandlers;
  readonly #totals: PeerTotals;
  readonly #ice: IceControl;
  readonly #candidateOrder: LoopbackLast;
  readonly #paths: Paths;
  readonly #dtls: DtlsControl;
  readonly #channels: Channels;
  readonly #sections: Sections;
  #state: PeerState | "new" = "new";
  #candidates = 0;
  /** Answers are made one after the other. */
  #answering: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(
    connection: RTCPeerConnection,
    { handlers, servers, parts }: {
      readonly handlers: PeerHandlers;
      readonly servers: IceServers;
      readonly parts: PeerParts;
    },
  ) {
    this.#connection = connection;
    this.#handlers = handlers;
    this.#candidateOrder = new LoopbackLast((candidate) => handlers.candidate(candidate));
    const sctp = connectionInternals(connection).createSctpTransport();
    checkInternals(connection, sctp);
    this.#paths = new Paths(iceInternals(sctp.dtlsTransport), {
      servers,
      parts,
      records: (datagram) => this.#dtls.receive(datagram),
      stands: () => this.#dtls.connectedAt !== undefined,
      alive: () => this.#channels.pathAlive(),
      changed: () => this.#channels.pathChanged(),
    });
    this.#ice = new IceControl(connection, sctp.dtlsTransport);
    this.#dtls = new DtlsControl(sctp.dtlsTransport, {
      handlers: {
        send: (datagram) => this.#paths.send(datagram),
        data: (content) => this.#channels.receive(content),
      },
    });
    this.#channels = new Channels(sctp, {
      packet: (packet) => this.#dtls.sendData(packet),
      ended: () => this.#become("closed"),
    });
    this.#sections = new Sections(connection, {
      transport: sctp.dtlsTransport,
      send: (datagram) => this.#paths.send(datagram),
      keyFrameWanted: (mid) => this.#handlers.keyFrameWanted(mid),
    });
    this.#totals = parts.totals;
    this.#totals.add(this);
    this.#watch();
  }

  /**
   * Takes an offer and gives the answer, without waiting for candidates; they follow through the
   * handler. Rejects with an Error for an offer that does not fit, and after close.
   */
  answer(offerSdp: string): Promise<string> {
    const answer = this.#answering.then(() => this.#answer(offerSdp));
    this.#answering = answer.catch(() => {});
    return answer;
  }

  /** Gives werift a candidate of the browser. What it cannot use is dropped without a word. */
  async addCandidate(candidate: string): Promise<void> {
    if (!usableCandidate(candidate) || this.#candidates === MAX_REMOTE_CANDIDATES) return;
    if (this.#closing !== undefined) return;
    this.#candidates++;
    try {
      await this.#connection.addIceCandidate({ candidate, sdpMLineIndex: 0 });
    } catch {
      // Malformed, or too late. Either way this candidate leads nowhere.
    }
  }

  /**
   * Looks for another path with new credentials (RFC 8445 9), and goes over to it when there is one;
   * a search before ends. Gives our credentials; our candidates go to `candidate`. Rejects with an
   * Error after close.
   */
  restart(
    remote: IceCredentials,
    candidate: (candidate: string) => void,
  ): Promise<IceCredentials> {
    return Promise.resolve().then(() => this.#paths.restart(remote, candidate));
  }

  /** Takes a candidate of the browser for the newest restart. Never rejects. */
  addRestartCandidate(candidate: string): Promise<void> {
    return this.#paths.addCandidate(candidate);
  }

  /** Nothing was heard for a while: asks the browser's address for a sign of life, at once. */
  probe(): void {
    this.#paths.probe();
  }

  /**
   * Creates the negotiated channel with this id; `listen` belongs into the same task. Throws if it
   * exists.
   */
  channel(id: number, label: string): DataChannel {
    return this.#channels.create(id, label);
  }

  /** SHA-256 of the browser's certificate, after the handshake. */
  seenFingerprint(): Bytes | undefined {
    return this.#dtls.seenFingerprint;
  }

  /** When the last authentic packet came, in ms of `performance.now`; -Infinity before the first. */
  heardAt(): number {
    return this.#dtls.heardAt;
  }

  /** Which way packets go; undefined before there is one. */
  path(): NetworkPath | undefined {
    const { nominated, remoteCandidates } = this.#paths.ice;
    return nominated === undefined ? undefined : pathOf(nominated, remoteCandidates);
  }

  /** What came, went and was kept out, by layer. */
  get stats(): PeerStats {
    const { stats: udp } = this.#paths;
    return {
      udp,
      dtls: { ...this.#dtls.stats },
      sctp: this.#channels.stats,
      restarts: this.#paths.changes,
    };
  }

  /** What metrics add up. */
  get counts(): PeerCounts {
    const { sctp, restarts } = this.stats;
    const { sent, repeated } = this.#sections.counts;
    return {
      ...this.#paths.bytes,
      restarts,
      sctpPacketsSent: sctp.packetsSent,
      sctpRetransmissions: sctp.retransmissions,
      sctpTimeouts: sctp.timeouts,
      rtpPacketsSent: sent,
      rtpPacketsRepeated: repeated,
    };
  }

  /** The sender of a section that was answered with a camera. */
  video(mid: string): VideoSender | undefined {
    return this.#sections.sender(mid);
  }

  /** Says what a section will carry; before `answer` of the offer that has it. */
  prepareVideo(mid: string, codec: SectionCodec): void {
    this.#sections.prepare(mid, codec);
  }

  /**
   * Ends the connection and waits until sockets and timers are gone, two seconds at most. Never
   * rejects.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #answer(offerSdp: string): Promise<string> {
    if (this.#closing !== undefined) throw new Error("Cannot answer: connection is closed");
    if (this.#state === "new") this.#become("connecting");
    await this.#connection.setRemoteDescription({ type: "offer", sdp: offerSdp });
    this.#sections.apply();
    const { sdp } = await this.#connection.createAnswer();
    await this.#connection.setLocalDescription({ type: "answer", sdp });
    return sdp;
  }

  #watch(): void {
    const connection = this.#connection;
    connection.onIceCandidate.subscribe((candidate) => {
      if (candidate?.candidate) this.#candidateOrder.take(candidate.candidate);
    });
    connection.connectionStateChange.subscribe((state) => {
      if (state === "connected" || state === "failed" || state === "closed") this.#become(state);
    });
    // Neither reaches the state of the connection (werift-audit.md 6).
    for (const transport of connection.dtlsTransports) {
      transport.onStateChange.subscribe((state) => {
        if (state === "failed" || state === "closed") this.#become(state);
      });
    }
  }

  #become(state: PeerState): void {
    if (this.#state === "failed" || this.#state === "closed" || this.#state === state) return;
    this.#state = state;
    if (state !== "connecting") this.#candidateOrder.stop();
    if (state === "failed" || state === "closed") this.#channels.close();
    if (this.#closing === undefined) this.#handlers.state(state);
  }

  async #close(): Promise<void> {
    // A microtask later `#closing` is set, and what follows is not told as an event.
    await Promise.resolve();
    this.#totals.remove(this);
    this.#sections.close();
    this.#ice.stop();
    this.#dtls.close();
    const closed = within(this.#connection.close().catch(() => {}), CLOSE_LIMIT_MS);
    const left = this.#paths.close();
    await closed;
    this.#become("closed");
    await Promise.all([left, this.#ice.settle()]);
    const flight = (this.#dtls.connectedAt ?? -Infinity) + FLIGHT_TIMER_MS - performance.now();
    if (flight > 0) await within(new Promise(() => {}), flight);
  }
}
