/**
 * The members of werift 0.25.2 that this folder reaches for although they are private, in one
 * place. `checkInternals` looks for each at the first connection, so that another version of werift
 * fails with a sentence and not with a hole.
 */
import type { Buffer } from "node:buffer";
import type { RTCDtlsTransport, RTCPeerConnection, RTCSctpTransport } from "werift";
import type { TranscriptMessage } from "./dtls_guard.ts";

/** ECDSA with SHA-256 on P-256, in the numbers of TLS (RFC 5246 7.4.1.4.1, RFC 8422 5.1.1). */
export const ECDSA_SHA256 = { signature: 3, hash: 4 } as const;
export const SECP256R1 = 23;

/**
 * `Event` of werift, which it does not export: subscribers are called in order, in the same tick.
 */
export interface Signal<Arguments extends unknown[]> {
  subscribe(listener: (...values: Arguments) => void): { unSubscribe(): void };
  allUnsubscribe(): void;
}

/** webrtc/peerConnection.ts */
export interface ConnectionInternals {
  createSctpTransport(): RTCSctpTransport;
  gatherCandidates(): Promise<void>;
  connect(): Promise<void>;
  readonly secureManager: { gatherCandidates(): Promise<void> };
}

/** webrtc/transport/dtls.ts and what hangs on it in dtls/src/socket.ts */
export interface DtlsInternals {
  verifyRemoteCertificateFingerprint(): void;
  setRemoteParams(parameters: object): void;
  remoteParameters?: object | undefined;
  srtpProfiles: readonly number[];
  startSrtp(): void;
  readonly dtls?: DtlsSocketInternals;
}

export interface DtlsSocketInternals {
  readonly remoteCertificate?: Uint8Array;
  readonly cipher: {
    readonly masterSecret: Uint8Array;
    readonly localRandom: { serialize(): Uint8Array };
    readonly remoteRandom: { serialize(): Uint8Array };
    /** dtls/src/cipher/suites/aead.ts */
    readonly cipher?: {
      readonly blockAlgorithm?: string;
      readonly clientWriteKey?: Uint8Array;
      readonly serverWriteKey?: Uint8Array;
      readonly clientNonce?: Uint8Array;
      readonly serverNonce?: Uint8Array;
    };
  };
  readonly dtls: {
    sequenceNumber: number;
    flight: number;
    readonly cookie?: Uint8Array;
    readonly lastMessage: readonly Buffer[];
    readonly remoteExtendedMasterSecret: boolean;
    readonly sortedHandshakeCache: TranscriptMessage[];
  };
  readonly transport: {
    readonly socket: { onData: (datagram: Buffer) => void };
    send: (datagram: Buffer) => Promise<void>;
  };
  readonly srtp: { readonly srtpProfile?: number };
  readonly onError: { execute(error: unknown): void };
  readonly onClose: { execute(): void };
  onHandleHandshakes: (messages: TranscriptMessage[]) => Promise<void>;
}

/** Host and port. */
export type Address = readonly [host: string, port: number];

/** common/src/transport.ts, `Transport`. */
export interface TransportInternals {
  readonly type: string;
  readonly closed: boolean;
  readonly address: { address: string; port: number; family: string };
  readonly addressFamily?: 4 | 6;
  onData: (datagram: Buffer, from: Address) => void;
  send(datagram: Uint8Array, to?: Address): Promise<void>;
  close(): Promise<void>;
}

/** ice-server/src/stun/message.ts */
export interface StunMessage {
  readonly transactionIdHex: string;
  readonly attributesKeys: readonly string[];
}

/** ice/src/candidate.ts */
export interface LocalCandidate {
  readonly host: string;
  readonly port: number;
  readonly type: string;
  priority: number;
}

/** ice/src/types/model.ts, `Protocol`: one local candidate. */
export interface ProtocolInternals {
  readonly type: string;
  readonly transport?: TransportInternals;
  localCandidate?: LocalCandidate;
  readonly onRequestReceived: Signal<[StunMessage, Address, Buffer]>;
  request(
    message: StunMessage,
    to: Address,
    integrityKey?: Buffer,
    ...rest: unknown[]
  ): Promise<[StunMessage, Address]>;
  sendData(data: Buffer, to: Address): Promise<void>;
  close?(): Promise<void>;
}

/** ice/src/stun/protocol.ts */
export interface StunProtocolInternals extends Omit<ProtocolInternals, "transport"> {
  transport?: TransportInternals;
  readonly localIp?: string;
  connectionMade(useIpv4: boolean): Promise<void>;
  datagramReceived(data: Buffer, from: Address): void;
}

/** ice/src/turn/protocol.ts, `StunOverTurnProtocol`. */
export interface RelayInternals extends ProtocolInternals {
  readonly turn: { readonly onData: Signal<[Buffer, Address]> };
  handleStunMessage(data: Buffer, from: Address): void;
}

/** ice/src/iceBase.ts, `CandidatePair`. */
export interface PairInternals {
  readonly protocol: ProtocolInternals;
  readonly localCandidate: LocalCandidate;
  readonly remoteAddr: Address;
  readonly remoteCandidate: LocalCandidate;
  readonly state: number;
  /** Of the last answer, in seconds. */
  readonly rtt?: number;
  readonly requestTransactionIds: Set<string>;
  packetsSent: number;
  bytesSent: number;
}

/** ice/src/candidate.ts, as much of it as others are told. */
export interface CandidateInternals {
  toSdp(): string;
}

/** ice/src/ice.ts */
export interface IceInternals {
  localUsername: string;
  localPassword: string;
  userHistory: Record<string, string>;
  readonly remoteUsername: string;
  readonly remotePassword: string;
  readonly iceControlling: boolean;
  readonly onIceCandidate: Signal<[CandidateInternals]>;
  readonly onData: Signal<[Buffer]> & { execute(data: Buffer): void };
  /** What the data of the layers above goes out by. */
  send: (data: Buffer) => Promise<void>;
  setRemoteParams(parameters: object): void;
  gatherCandidates(): Promise<void>;
  addRemoteCandidate(candidate: unknown): Promise<void>;
  buildRequest(parts: object): StunMessage;
  stopConsentLifecycle(): void;
  close(): Promise<void>;
  stunServer?: unknown;
  turnServer?: unknown;
  readonly options: object;
  readonly generation: number;
  readonly localCandidates: readonly LocalCandidate[];
  remoteCandidatesEnd: boolean;
  protocols: ProtocolInternals[];
  readonly checkList: PairInternals[];
  readonly remoteCandidates: readonly LocalCandidate[];
  readonly checkListState: { put(result: Promise<number>): void; get(): Promise<number> };
  readonly checkListDone: boolean;
  state: string;
  earlyChecks: (readonly unknown[])[];
  earlyChecksDone: boolean;
  connect(): Promise<void>;
  pairRemoteCandidate(candidate: unknown): void;
  pairLocalProtocol(protocol: ProtocolInternals): void;
  getCandidatePromises(addresses: readonly string[], timeout?: number): Promise<unknown>[];
  appendLocalCandidate(candidate: LocalCandidate): void;
  sortCheckList(): void;
  unfreezeInitial(): void;
  checkIncoming(...check: readonly unknown[]): void;
  /** Starts the next check; false when there is nothing to wait for any more. */
  schedulingChecks(): boolean;
  queryConsent(): void;
  setState(state: string): void;
  nominated?: PairInternals;
  canSendApplicationData(): boolean;
  ensureProtocol(protocol: StunProtocolInternals | RelayInternals): void;
}

/** What is left of an association for werift to do. */
export interface AssociationSteps {
  start(): void;
  stop(): void;
  /** Rejects when the association ends before. */
  readonly connected: Promise<void>;
}

/** sctp/src/const.ts, SCTP_STATE. */
const SCTP_CLOSED = 1;

/**
 * Takes werift's association out of a transport and puts a stand-in there, with the members that
 * werift touches (webrtc/src/transport/sctp.ts, sctpManager.ts).
 */
export function replaceAssociation(transport: RTCSctpTransport, steps: AssociationSteps): void {
  const standIn = {
    associationState: SCTP_CLOSED,
    isServer: true,
    reconfigQueue: [],
    setRemotePort() {},
    transmitReconfigRequest() {},
    stateChanged: { connected: { asPromise: () => steps.connected } },
    start: () => Promise.resolve(steps.start()),
    stop: () => Promise.resolve(steps.stop()),
    setState: (state: number) => {
      if (state === SCTP_CLOSED) steps.stop();
    },
  };
  Reflect.set(transport, "sctp", standIn);
}

/**
 * Looks at the DTLS socket, which exists only from the handshake on. Throws like `checkInternals`.
 */
export function checkDtlsSocket(socket: DtlsSocketInternals): void {
  demandMembers(socket, {
    onHandleHandshakes: "function",
    transport: "object",
    srtp: "object",
    onError: "object",
    onClose: "object",
  });
  demandMembers(socket.dtls, {
    sequenceNumber: "number",
    flight: "number",
    lastMessage: "object",
    remoteExtendedMasterSecret: "boolean",
    sortedHandshakeCache: "object",
  });
  demandMembers(socket.transport, { send: "function" });
  demandMembers(socket.transport.socket, { onData: "function" });
}

/** The two views of one object: what werift promises, and what it has. */
export function connectionInternals(connection: RTCPeerConnection): ConnectionInternals {
  return connection as unknown as ConnectionInternals;
}

export function dtlsInternals(transport: RTCDtlsTransport): DtlsInternals {
  return transport as unknown as DtlsInternals;
}

export function iceInternals(transport: RTCDtlsTransport): IceInternals {
  return transport.iceTransport.connection as unknown as IceInternals;
}

/** Kind of value that a member must have, by object. */
type Expectation = readonly [owner: object, members: Readonly<Record<string, string>>];

/** Throws an Error when werift is not the one whose private members we know. */
export function checkInternals(connection: RTCPeerConnection, sctp: RTCSctpTransport): void {
  const expectations: readonly Expectation[] = [
    [connection, { gatherCandidates: "function", connect: "function", secureManager: "object" }],
    [connectionInternals(connection).secureManager, { gatherCandidates: "function" }],
    [sctp.dtlsTransport, {
      verifyRemoteCertificateFingerprint: "function",
      setRemoteParams: "function",
      srtpProfiles: "object",
      startSrtp: "function",
    }],
    [iceInternals(sctp.dtlsTransport), {
      localUsername: "string",
      localPassword: "string",
      userHistory: "object",
      stunServer: "object",
      generation: "number",
      options: "object",
      localCandidates: "object",
      getCandidatePromises: "function",
      appendLocalCandidate: "function",
      pairLocalProtocol: "function",
      remoteCandidatesEnd: "boolean",
      protocols: "object",
      remoteUsername: "string",
      remotePassword: "string",
      onIceCandidate: "object",
      onData: "object",
      send: "function",
      setRemoteParams: "function",
      gatherCandidates: "function",
      addRemoteCandidate: "function",
      buildRequest: "function",
      stopConsentLifecycle: "function",
      close: "function",
      iceControlling: "boolean",
      checkList: "object",
      remoteCandidates: "object",
      checkListState: "object",
      checkListDone: "boolean",
      state: "string",
      earlyChecks: "object",
      earlyChecksDone: "boolean",
      connect: "function",
      pairRemoteCandidate: "function",
      sortCheckList: "function",
      unfreezeInitial: "function",
      checkIncoming: "function",
      schedulingChecks: "function",
      queryConsent: "function",
      setState: "function",
      canSendApplicationData: "function",
      ensureProtocol: "function",
    }],
    [sctp, { start: "function", stop: "function", setRemotePort: "function" }],
  ];
  for (const [owner, members] of expectations) demandMembers(owner, members);
}

function demandMembers(owner: object, members: Readonly<Record<string, string>>): void {
  for (const [name, kind] of Object.entries(members)) {
    const found = typeof Reflect.get(owner, name);
    if (found !== kind) {
      throw new Error(
        `Cannot use werift: ${owner.constructor.name}.${name} is ${found}, not ${kind}`,
      );
    }
  }
}
