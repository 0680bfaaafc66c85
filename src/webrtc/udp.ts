/**
 * Our sockets under werift's ICE. werift binds a socket for each address and believes whatever
 * comes (werift-audit.md 4); here a session has one carrier per family, and a gate in front of
 * werift. DTLS goes past werift's ICE altogether, straight to `dtls_patch.ts`.
 *
 *   socket or shared port -> Gate -> requests, answers, media -> StunProtocol of werift
 *                                 -> DTLS                     -> `records`
 *   TURN server -> RelayDatagrams or RelayStream -> TurnProtocol of werift -> Gate -> the same
 */
import type { Buffer } from "node:buffer";
import { isLoopbackAddress } from "../lib/network_path.ts";
import type {
  Address,
  IceInternals,
  ProtocolInternals,
  RelayInternals,
  StunMessage,
  StunProtocolInternals,
  TransportInternals,
} from "./internals.ts";
import { Gate, type GateStats } from "./udp_gate.ts";
import { type Carrier, copyOf, type Family, type Ports } from "./udp_ports.ts";

/** Transactions that a pair remembers to count repetitions; werift forgets none (audit 4). */
const MAX_REMEMBERED_TRANSACTIONS = 64;

const SENT: Promise<void> = Promise.resolve();

/** What a session's sockets count, in datagrams. */
export interface UdpStats extends GateStats {
  received: number;
  sent: number;
  /** Sends and receives that the system refused. */
  errors: number;
  /** In bytes, without headers of UDP and IP. */
  bytesReceived: number;
  bytesSent: number;
}

/** The sockets of one path of a session. Implements `PortUser`. */
export class SessionSockets {
  /** Takes DTLS datagrams. Without it they go the way through werift. */
  records: ((datagram: Uint8Array) => void) | undefined;
  /** Told of each sign of life that ICE gives: the path carries something. */
  alive: (() => void) | undefined;
  readonly connection: object;
  readonly #ice: IceInternals;
  readonly #ports: Ports;
  readonly #gate: Gate;
  readonly #relayGate: Gate;
  readonly #carriers = new Map<Family, Promise<Carrier>>();
  readonly #open = new Map<Family, Carrier>();
  readonly #lines: Line[] = [];
  #sent = 0;
  #received = 0;
  #bytesSent = 0;
  #bytesReceived = 0;

  constructor(ice: IceInternals, { ports, connection }: { ports: Ports; connection?: object }) {
    this.connection = connection ?? this;
    this.#ice = ice;
    this.#ports = ports;
    const credentials = () => ({
      ufrag: ice.localUsername,
      password: ice.localPassword,
      remoteUfrag: ice.remoteUsername,
    });
    this.#gate = new Gate(credentials, (address, port) => this.#claim(address, port));
    this.#relayGate = new Gate(credentials);
    this.#hookProtocols();
  }

  get ufrag(): string {
    return this.#ice.localUsername;
  }

  get stats(): UdpStats {
    const stats: UdpStats = {
      ...this.#gate.stats,
      received: this.#received,
      sent: this.#sent,
      bytesReceived: this.#bytesReceived,
      bytesSent: this.#bytesSent,
      errors: [...this.#open.values()].reduce((sum, { errors }) => sum + errors, 0),
    };
    for (const key of Object.keys(this.#relayGate.stats) as (keyof GateStats)[]) {
      stats[key] += this.#relayGate.stats[key];
    }
    return stats;
  }

  awaits(transaction: string): boolean {
    return this.#gate.awaits(transaction);
  }

  readonly receive = (datagram: Uint8Array, address: string, port: number): void => {
    this.#received++;
    this.#bytesReceived += datagram.length;
    const kind = this.#gate.admit(datagram, { address, port, now: performance.now() });
    if (kind === undefined) return;
    if (kind === "dtls" && this.records !== undefined) return this.records(datagram);
    if (kind !== "media") this.alive?.();
    const copy = copyOf(datagram);
    const family = familyOf(address);
    if (kind !== "response") return this.#lineFor(family, address)?.deliver(copy, [address, port]);
    for (const line of this.#lines) {
      if (line.addressFamily === family) line.deliver(copy, [address, port]);
    }
  };

  /**
   * Sends a datagram on the path that ICE chose, at once and without a copy. It is lost when there
   * is none, or the other end no longer consents (RFC 7675).
   */
  send(datagram: Uint8Array): void {
    const pair = this.#ice.nominated;
    if (pair === undefined || !this.#ice.canSendApplicationData()) return;
    const { protocol, remoteCandidate: { host, port } } = pair;
    if (protocol.transport instanceof Line) protocol.transport.sendTo(datagram, host, port);
    else protocol.sendData(copyOf(datagram), [host, port]).catch(() => {}); // as good as lost
    this.#bytesSent += datagram.length;
    pair.packetsSent++;
    pair.bytesSent += datagram.length;
  }

  /* ---- werift's protocols ------------------------------------------------------------------------- */

  /** werift calls this for each local address and each relay, before anything can come from it. */
  #hookProtocols(): void {
    const ensure = this.#ice.ensureProtocol.bind(this.#ice);
    this.#ice.ensureProtocol = (protocol) => {
      if (isRelay(protocol)) this.#guardRelay(protocol);
      else if (protocol.type === "stun") this.#giveLine(protocol);
      else throw new Error(`Cannot use ICE protocol "${protocol.type}": it has no gate`);
      ensure(protocol);
      protocol.onRequestReceived.subscribe((message, from) => {
        this.#followNomination(protocol, { message, from });
        this.#prune();
      });
    };
  }

  #giveLine(protocol: StunProtocolInternals): void {
    this.#noteQuestions(protocol, this.#gate);
    protocol.connectionMade = async (useIpv4) => {
      const family = useIpv4 ? 4 : 6;
      const line = new Line(family, await this.#carrier(family), {
        protocol,
        sent: () => this.#sent++,
        closed: (line) => this.#close(line),
      });
      this.#lines.push(line);
      protocol.transport = line;
      line.onData = (data, from) => protocol.datagramReceived(data, from);
    };
  }

  #guardRelay(protocol: RelayInternals): void {
    this.#noteQuestions(protocol, this.#relayGate);
    protocol.turn.onData.allUnsubscribe();
    protocol.turn.onData.subscribe((data, from) => {
      this.#received++;
      this.#bytesReceived += data.length;
      const [address, port] = from;
      const kind = this.#relayGate.admit(data, { address, port, now: performance.now() });
      if (kind !== undefined) protocol.handleStunMessage(data, from);
    });
  }

  /**
   * Answers are let in for as long as the question waits. An address that gave one with the other
   * end's MESSAGE-INTEGRITY, which werift checks, has passed.
   */
  #noteQuestions(protocol: ProtocolInternals, gate: Gate): void {
    const request = protocol.request.bind(protocol);
    protocol.request = async (message, to, key, ...rest) => {
      const transaction = message.transactionIdHex;
      if (!gate.ask(transaction)) throw new Error("Cannot check a pair: too many are under way");
      try {
        const answer = await request(message, to, key, ...rest);
        if (key !== undefined) gate.trust(...answer[1]);
        return answer;
      } finally {
        gate.settle(transaction);
      }
    };
  }

  /**
   * werift keeps the first pair for ever; a browser that goes from Wi-Fi to another network
   * nominates another one, after checks in both directions (werift-audit.md 4, 9.7).
   */
  #followNomination(
    protocol: ProtocolInternals,
    { message, from: [host, port] }: { readonly message: StunMessage; readonly from: Address },
  ): void {
    const ice = this.#ice;
    if (ice.nominated === undefined || ice.iceControlling) return;
    if (!message.attributesKeys.includes("USE-CANDIDATE")) return;
    const { nominated } = ice;
    if (nominated.remoteCandidate.host === host && nominated.remoteCandidate.port === port) return;
    const pair = ice.checkList.find(({ protocol: own, remoteCandidate, state }) =>
      own === protocol && remoteCandidate.host === host && remoteCandidate.port === port &&
      state === PAIR_SUCCEEDED
    );
    if (pair !== undefined) ice.nominated = pair;
  }

  #prune(): void {
    for (const { requestTransactionIds } of this.#ice.checkList) {
      if (requestTransactionIds.size > MAX_REMEMBERED_TRANSACTIONS) requestTransactionIds.clear();
    }
  }

  /* ---- lines and carriers -------------------------------------------------------------------------- */

  /** One of the lines of a family: they share the port, so that any will do but for statistics. */
  #lineFor(family: Family, address: string): Line | undefined {
    const local = isLoopbackAddress(address);
    const lines = this.#lines.filter(({ addressFamily }) => addressFamily === family);
    return lines.find((line) => isLoopbackAddress(line.localIp) === local) ?? lines[0];
  }

  #carrier(family: Family): Promise<Carrier> {
    const known = this.#carriers.get(family);
    if (known !== undefined) return known;
    const joining = this.#ports.join(family, this).then((carrier) => {
      this.#open.set(family, carrier);
      return carrier;
    });
    this.#carriers.set(family, joining);
    joining.catch(() => this.#carriers.delete(family));
    return joining;
  }

  #claim(address: string, port: number): boolean {
    return this.#open.get(familyOf(address))?.claim(address, port) ?? false;
  }

  /** The carrier of a family goes with its last line. */
  async #close(line: Line): Promise<void> {
    const at = this.#lines.indexOf(line);
    if (at < 0) return;
    this.#lines.splice(at, 1);
    const { addressFamily: family } = line;
    if (this.#lines.some(({ addressFamily }) => addressFamily === family)) return;
    const carrier = this.#open.get(family);
    this.#open.delete(family);
    this.#carriers.delete(family);
    await carrier?.close();
  }
}

/** ice/src/iceBase.ts, CandidatePairState.SUCCEEDED. */
const PAIR_SUCCEEDED = 3;

/** What a `StunProtocol` of werift takes for its UDP socket: one local address on a carrier. */
class Line implements TransportInternals {
  readonly type = "udp";
  readonly addressFamily: Family;
  closed = false;
  onData: (datagram: Buffer, from: Address) => void = () => {};
  readonly #carrier: Carrier;
  readonly #owner: LineOwner;

  constructor(family: Family, carrier: Carrier, owner: LineOwner) {
    this.addressFamily = family;
    this.#carrier = carrier;
    this.#owner = owner;
  }

  get localIp(): string {
    return this.#owner.protocol.localIp ?? "";
  }

  get address(): { address: string; port: number; family: string } {
    const address = this.addressFamily === 4 ? "0.0.0.0" : "::";
    return { address, port: this.#carrier.port, family: `IPv${this.addressFamily}` };
  }

  get host(): string {
    return this.address.address;
  }

  get port(): number {
    return this.#carrier.port;
  }

  readonly send = (datagram: Uint8Array, to?: Address): Promise<void> => {
    if (to !== undefined) this.sendTo(datagram, to[0], to[1]);
    return SENT;
  };

  sendTo(datagram: Uint8Array, host: string, port: number): void {
    if (this.closed) return;
    this.#owner.sent();
    this.#carrier.send(datagram, host, port);
  }

  /** werift's handlers catch what they throw; what they do not must not reach the socket. */
  deliver(datagram: Buffer, from: Address): void {
    try {
      this.onData(datagram, from);
    } catch {
      // One datagram less.
    }
  }

  readonly close = async (): Promise<void> => {
    if (this.closed) return;
    this.closed = true;
    await this.#owner.closed(this);
  };
}

interface LineOwner {
  readonly protocol: StunProtocolInternals;
  sent(): void;
  closed(line: Line): Promise<void>;
}

function isRelay(
  protocol: StunProtocolInternals | RelayInternals | ProtocolInternals,
): protocol is RelayInternals {
  return protocol.type === "turn";
}

function familyOf(address: string): Family {
  return address.includes(":") ? 6 : 4;
}
