/**
 * What one browser's session needs of the other parts. `main` connects them; nothing here knows werift, sockets,
 * cameras or the rendezvous. Implementers match these types by structure and do not import them.
 */
import type { Bytes } from "../lib/bytes.ts";
import type { Access, Operation } from "../protocol/access.ts";
import type { CameraCode, CameraState, Named } from "../protocol/control.ts";
import type { Header, RequestHead, ResponseHead, SocketClose } from "../protocol/http.ts";
import type { OwnerReply, OwnerRequest } from "../protocol/owner.ts";
import type { TransportFields } from "../protocol/sdp.ts";
import type { RestartMessage } from "../trust/handshake.ts";

/* ---- webrtc ---------------------------------------------------------------------------------------------- */

/** A STUN or TURN server, as the rendezvous hands them out. */
export interface IceServer {
  readonly urls: string;
  readonly username?: string;
  readonly credential?: string;
}

/** What a channel tells its owner. None of them may throw. */
export interface ChannelHandlers {
  open(): void;
  message(bytes: Bytes): void;
  /** `bufferedAmount` fell to the low-water mark: time to write again. */
  low(): void;
  /** Told once, whatever ended it. */
  close(): void;
}

/** A negotiated, reliable, ordered data channel. Messages are binary and never empty. */
export interface Channel {
  listen(handlers: ChannelHandlers): void;
  /** Queues one message. Ignored after close: the close handler has told the owner. */
  send(bytes: Uint8Array): void;
  /** Bytes handed to `send` that have not left for the network. */
  readonly bufferedAmount: number;
  /** Bytes worth handing over now: enough that the path is never idle. At 0 or below, wait for `low`. */
  readonly room: number;
  /** What is delivered from now on keeps its place in the receive window, until `resume`. */
  pause(): void;
  resume(): void;
}

/** H.264 access unit, already cut into RTP payloads (RFC 6184 5). */
export interface VideoFrame {
  readonly payloads: readonly Uint8Array[];
  /** 90 kHz clock, unsigned 32 bits, continuous for one viewer's eyes whatever the source does. */
  readonly timestamp: number;
  readonly keyFrame: boolean;
}

/** Sends one camera to one browser. Sequence numbers are its own and without gaps. */
export interface VideoSender {
  sendFrame(frame: VideoFrame): void;
  readonly ssrc: number;
  readonly rtxSsrc?: number;
  readonly cname: string;
}

export type PeerState = "connecting" | "connected" | "failed" | "closed";

export interface PeerHandlers {
  /** A local candidate, the text after "candidate:" included the word itself (RFC 8839 5.1). */
  candidate(candidate: string): void;
  state(state: PeerState): void;
  /** The browser lost a picture (PLI, FIR) in this section. */
  keyFrameWanted(mid: string): void;
}

/** Name and password of one end's ICE. */
export type IceCredentials = Pick<TransportFields, "ufrag" | "pwd">;

/** One WebRTC connection, device side. SDP is what `protocol/sdp.ts` wrote; it never comes from the network. */
export interface Peer {
  /** Takes an offer and gives the answer at once, without waiting for candidates. Also for later offers with media. */
  answer(offerSdp: string): Promise<string>;
  addCandidate(candidate: string): Promise<void>;
  /**
   * Looks for another path with new credentials, and goes over to it when there is one; a search before ends. Gives our
   * credentials; our candidates go to `candidate`. Rejects after close.
   */
  restart(
    remote: IceCredentials,
    candidate: (candidate: string) => void,
  ): Promise<IceCredentials>;
  /** A candidate of the browser for the newest restart. Never rejects. */
  addRestartCandidate(candidate: string): Promise<void>;
  /** Nothing was heard for a while: asks the browser's address for a sign of life, at once. */
  probe(): void;
  /** Creates the negotiated channel with this id. Call once per id. */
  channel(id: number, label: string): Channel;
  /** SHA-256 of the certificate the other end showed in its DTLS handshake; undefined before that. */
  seenFingerprint(): Bytes | undefined;
  /** When the last authentic packet came, in ms of `performance.now`; -Infinity before the first. */
  heardAt(): number;
  /** The sender of an answered section. Undefined if that section carries nothing. */
  video(mid: string): VideoSender | undefined;
  /** Says which codec a section will carry; to be called before `answer` of the offer that has the section. */
  prepareVideo(
    mid: string,
    codec: { payloadType: number; rtx?: number; fmtp: string; playoutDelay?: number },
  ): void;
  close(): Promise<void>;
}

export type CreatePeer = (
  options: { iceServers: readonly IceServer[]; handlers: PeerHandlers },
) => Promise<Peer>;

/* ---- control: someone whose offer was verified -------------------------------------------------------------- */

/** Proves, inside channel 0, that both ends are who signed the offer and the answer (M4). */
export interface Confirmation {
  /** First message to send. `seen` holds the fingerprints of the certificates of the handshake that took place. */
  start(seen: { local: Bytes; remote: Bytes }): Promise<Bytes>;
  /** Takes a message of the peer; gives the next to send, if any. Throws when the proof does not hold. */
  receive(message: Bytes): Promise<Bytes | undefined>;
  /** True once the peer's proof was verified and ours was sent. */
  readonly done: boolean;
}

/** What this session may reach: ids of services and cameras. Of an owner everything. */
export type SessionAccess =
  | { readonly role: "owner" }
  | {
    readonly role: "guest";
    readonly services: ReadonlySet<string>;
    readonly cameras: ReadonlySet<string>;
    readonly operations: ReadonlySet<Operation>;
  };

/** What the hello says beside the names of services and cameras. */
export interface Greeting {
  readonly access: Access;
  /** 16 bytes, a secret. */
  readonly pass: Bytes;
  /** Owners: the newest entry of the log. */
  readonly audit?: { readonly sequence: number; readonly hash: Bytes };
  /** Owners: what stands for a service or camera in grants, 1 to 65535. */
  numberOf?(kind: "service" | "camera", id: string): number;
}

/** Answers the questions of one owner. */
export interface OwnerDesk {
  /** Rejects with an error whose `code` is an OwnerError; any other counts as "failed". */
  answer(request: OwnerRequest): Promise<OwnerReply>;
  /** Something that `people` shows is different now. At most one listener, which never throws. */
  onChange(listener: () => void): void;
}

/** Somebody reached for something, and got it or not. `id` of an owner-request is its kind. */
export interface Use {
  readonly kind: "service" | "camera" | "owner-request";
  readonly id: string;
  readonly allowed: boolean;
}

/** A verified offer that waits for its answer. */
export interface Admission {
  /** Short text for logs: never a secret. */
  readonly sessionId: string;
  /** Key id of the person's browser, for logs and limits. */
  readonly holder: string;
  /** Whose cookies and logins at services are used. Not for logs. */
  readonly account: string;
  readonly remote: TransportFields;
  readonly remoteCandidates: readonly string[];
  readonly iceServers: readonly IceServer[];
  /** Seals and signs the answer and sends it. */
  answer(local: TransportFields): Promise<void>;
  /** Seals and sends one candidate; after `answer` only. */
  sendCandidate(candidate: string): Promise<void>;
  /** Candidates of the browser as they come, in order. Set once. */
  onCandidate(listener: (candidate: string) => void): void;
  /** Seals and sends a message about another path; after `confirmed`. */
  sendRestart(message: RestartMessage): Promise<void>;
  /** What the browser says about another path, as it comes, in order; after `confirmed`. Set once. */
  onRestart(listener: (message: RestartMessage) => void): void;
  readonly confirmation: Confirmation;
  /** The peer confirmed: what the handshake wanted (an owner to add, say) becomes lasting now, before anything opens. */
  confirmed(): Promise<void>;
  /** After `confirmed`. */
  readonly access: SessionAccess;
  /** Control ends the session, at any time; the reason is a ByeCode. */
  readonly ended: AbortSignal;
  /** After `confirmed`. */
  greeting(): Greeting;
  /** After `confirmed`. Undefined: not an owner. */
  readonly desk: OwnerDesk | undefined;
  /** For the log of who did what: told once for each thing, outcome and session. Cheap, never throws. */
  used(use: Use): void;
  /** The session ended; lets the signalling side forget it. */
  release(): void;
}

/* ---- upstream ------------------------------------------------------------------------------------------------- */

/** A request on its way to a service. The body is pulled: an unread body holds the browser back. */
export interface UpstreamRequest {
  readonly head: RequestHead;
  /** Null when the page sent none. */
  readonly body: ReadableStream<Bytes> | null;
}

export interface UpstreamResponse {
  readonly head: ResponseHead;
  /** Pulled by the browser's credit; `cancel()` closes the device's socket. Errors with a StreamError. */
  readonly body: ReadableStream<Bytes>;
}

export interface SocketMessage {
  readonly text: boolean;
  readonly bytes: Bytes;
}

/** An accepted WebSocket of a service. */
export interface UpstreamSocket {
  readonly head: ResponseHead;
  /** Messages from the service; not pulled means the service's socket blocks. Closes when the service closed. */
  readonly messages: ReadableStream<SocketMessage>;
  /** How it ended; resolves once, never rejects. */
  readonly closed: Promise<SocketClose>;
  /** Resolves when the service's socket can take more. */
  send(message: SocketMessage): Promise<void>;
  close(how: SocketClose): void;
}

/** The services of this device. Both methods throw a StreamError whose code goes to the browser. */
export interface Services {
  list(): readonly Named[];
  request(request: UpstreamRequest, signal: AbortSignal): Promise<UpstreamResponse>;
  socket(head: RequestHead, signal: AbortSignal): Promise<UpstreamSocket>;
}

/* ---- camera --------------------------------------------------------------------------------------------------- */

export interface CameraListener {
  state(state: CameraState, code?: CameraCode): void;
}

/** A running camera, as one viewer sees it. */
export interface CameraFeed {
  /** From the SPS in use: what the browser must be able to decode. */
  readonly profileLevelId: string;
  /** Starts delivery: the kept frames since the last key frame at once, then live. Call once. */
  play(sink: { sendFrame(frame: VideoFrame): void }): void;
  keyFrameWanted(): void;
  close(): void;
}

export interface Cameras {
  list(): readonly Named[];
  /** Starts the source if this is its first viewer. Failures go to `listener`, and the source is tried again. Rejects when aborted, or with an error whose `code` is "unknown", "busy" or "ended". */
  open(camera: string, listener: CameraListener, signal: AbortSignal): Promise<CameraFeed>;
}

/** Re-exported so that a session's own files have one place to look. */
export type { Header, Named, RequestHead, ResponseHead, SocketClose };
