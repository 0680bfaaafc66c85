/**
 * The sockets of one RTSP session: connects, feeds `session.ts` with what comes and with time, does
 * what it says, and hands access units to the sink. One `run`, one exit, everything closed behind
 * it.
 */
import { createHash, randomBytes } from "node:crypto";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { toHex } from "../../lib/bytes.ts";
import type { Clock } from "../clock.ts";
import { MediaReceiver } from "../media_receiver.ts";
import { asCameraError, CameraError, type UnitSink } from "../source.ts";
import { RtspParser, writeInterleaved } from "./message.ts";
import { H264_FORMAT } from "../rtp_h264.ts";
import { H265_FORMAT } from "../rtp_h265.ts";
import type { VideoCodec, VideoTrack } from "./sdp.ts";
import { type EndReason, RtspSession, type SessionOutput } from "./session.ts";
import type { AgreedTransport, Delivery, Transport } from "./transport.ts";
import { UdpPair } from "./udp_pair.ts";
import type { RtspTarget } from "./url.ts";

/** Which certificate of an `rtsps://` camera is the right one; without one, whatever the system trusts. */
export type CameraTrust =
  /** SHA-256 of the certificate, 64 lower-case hexadecimal digits; names and dates do not matter. */
  | { readonly type: "pinned"; readonly sha256: string }
  /** A person said that any certificate will do: encrypted, but to whoever answers. */
  | { readonly type: "unverified" };

export const CONNECT_LIMIT_MS = 5000;
/** How long a camera gets to take the good-bye. */
const GOODBYE_LIMIT_MS = 500;
const REPORT_INTERVAL_MS = 5000; // RFC 3550 6.2
/** A camera that does not read our few small requests is gone. */
const MAX_UNSENT_BYTES = 64 * 1024;

/** Why the session is over; `aborted` is the signal's doing. */
export type ClientEnd = EndReason | { readonly type: "aborted" };

export interface ClientOptions {
  readonly target: RtspTarget;
  readonly trust?: CameraTrust | undefined;
  readonly transport: Transport;
  readonly clock: Clock;
  /** Where units of this codec go; called once a session. */
  readonly sinkFor: (codec: VideoCodec) => UnitSink;
  readonly signal: AbortSignal;
}

/** Plays until something ends it. Never rejects. */
export async function playRtsp(options: ClientOptions): Promise<ClientEnd> {
  let socket: Socket | undefined;
  let udp: UdpPair | undefined;
  try {
    socket = await connect(options);
    if (options.transport === "udp") udp = await UdpPair.open(cameraAddress(socket));
    if (options.signal.aborted) return { type: "aborted" };
    return await new Connection(options, socket, udp).run();
  } catch (error) {
    if (options.signal.aborted) return { type: "aborted" };
    return { type: "error", error: asCameraError(error) };
  } finally {
    socket?.destroy();
    udp?.close();
  }
}

function cameraAddress(socket: Socket): string {
  const address = socket.remoteAddress ?? "";
  return address.replace(/^::ffff:(?=\d+\.)/, ""); // an IPv4 camera on a dual-stack socket
}

/**
 * Resolves with a connected socket, or rejects with a CameraError `unreachable` and leaves none
 * behind.
 */
function connect({ target, trust, clock, signal }: ClientOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = openSocket(target, trust);
    const settle = (error?: CameraError) => {
      cancelLimit();
      signal.removeEventListener("abort", onAbort);
      socket.removeListener("error", onError);
      socket.on("error", () => {}); // whoever owns the socket now hears of it by "close"
      if (error === undefined) return resolve(socket);
      socket.destroy();
      reject(error);
    };
    const onAbort = () => settle(unreachable("given up"));
    const onError = (cause: Error) => settle(unreachable(reasonOf(cause), cause));
    const cancelLimit = clock.after(CONNECT_LIMIT_MS, () => settle(unreachable("no answer")));
    signal.addEventListener("abort", onAbort, { once: true });
    socket.on("error", onError);
    socket.once(target.secure ? "secureConnect" : "connect", () => {
      settle(target.secure ? pinFailure(socket as TLSSocket, trust) : undefined);
    });
    if (signal.aborted) onAbort();
  });
}

function openSocket(target: RtspTarget, trust: CameraTrust | undefined): Socket {
  const { host, port } = target;
  if (!target.secure) return connectTcp({ host, port, noDelay: true });
  const rejectUnauthorized = trust === undefined;
  return connectTls({
    ...{ host, port, rejectUnauthorized },
    ...(isIP(host) === 0 ? { servername: host } : {}),
  });
}

/** Compared before a byte of the password leaves. */
function pinFailure(socket: TLSSocket, trust: CameraTrust | undefined): CameraError | undefined {
  if (trust?.type !== "pinned") return undefined;
  const { raw } = socket.getPeerCertificate(true);
  const shown = raw && createHash("sha256").update(raw).digest("hex");
  if (shown === trust.sha256) return undefined;
  const remedy = "check the camera, and pin this one if it is right";
  return unreachable(
    `its certificate is ${shown ?? "absent"}, the pinned one is another: ${remedy}`,
  );
}

/** The system's word for it; its own message may repeat what a person typed. */
function reasonOf(error: Error & { code?: unknown }): string {
  const code = typeof error.code === "string" ? error.code : "";
  if (/CERT|SIGNATURE|ISSUER/i.test(`${code} ${error.message}`)) {
    return "its certificate is not trusted: set pin to its SHA-256, or verify = false";
  }
  return code === "" ? "connection failed" : code;
}

function unreachable(reason: string, cause?: Error): CameraError {
  return new CameraError("unreachable", `Cannot reach camera: ${reason}`, { cause });
}

class Connection {
  readonly #options: ClientOptions;
  readonly #socket: Socket;
  readonly #udp: UdpPair | undefined;
  readonly #session: RtspSession;
  readonly #parser = new RtspParser();
  readonly #ssrc = randomBytes(4).readUInt32BE();
  readonly #ended = Promise.withResolvers<ClientEnd>();
  #media: { receiver: MediaReceiver; transport: AgreedTransport; sink: UnitSink } | undefined;
  #reportAt = Infinity;
  #over = false;
  #cancelTimer: () => void = () => {};

  constructor(options: ClientOptions, socket: Socket, udp: UdpPair | undefined) {
    this.#options = options;
    this.#socket = socket;
    this.#udp = udp;
    const delivery: Delivery = udp === undefined
      ? { type: "tcp" }
      : { type: "udp", ports: udp.ports };
    const { url, credentials } = options.target;
    const clientNonce = toHex(randomBytes(8));
    this.#session = new RtspSession({ url, credentials, delivery, clientNonce });
  }

  async run(): Promise<ClientEnd> {
    const { signal } = this.#options;
    const onAbort = () => this.#finish({ type: "aborted" });
    signal.addEventListener("abort", onAbort, { once: true });
    this.#listen();
    this.#step((now) => this.#session.start(now));
    const end = await this.#ended.promise;
    signal.removeEventListener("abort", onAbort);
    this.#cancelTimer();
    await this.#sayGoodbye();
    return end;
  }

  #listen(): void {
    this.#socket.on("data", (chunk: Uint8Array) => this.#receive(chunk));
    this.#socket.on("close", () => this.#fail("broken", "Cannot receive video: connection closed"));
    this.#socket.on("end", () => this.#fail("ended", "Cannot receive video: camera hung up"));
    this.#udp?.listen({
      rtp: (bytes) => this.#step((now) => this.#receiveRtp(now, bytes)),
      rtcp: (bytes) => this.#step((now) => this.#media?.receiver.receiveControl(now, bytes)),
    });
  }

  #receive(chunk: Uint8Array): void {
    this.#step((now) => {
      for (const item of this.#parser.push(chunk)) {
        if (this.#over) return;
        this.#session.receive(now, item);
        this.#drain(now);
      }
    });
  }

  /**
   * Everything that happens goes through here: one input, then all that follows from it, then the
   * timer.
   */
  #step(input: (now: number) => void): void {
    if (this.#over) return;
    const now = this.#options.clock.now();
    try {
      input(now);
      this.#drain(now);
    } catch (error) {
      this.#finish({ type: "error", error: asCameraError(error) });
    }
    if (!this.#over) this.#setTimer(now);
  }

  #drain(now: number): void {
    for (let output = this.#session.poll(); output !== undefined; output = this.#session.poll()) {
      this.#perform(now, output);
    }
  }

  #perform(now: number, output: SessionOutput): void {
    if (output.type === "transmit") this.#write(output.bytes);
    else if (output.type === "ready") this.#prepare(now, output.track, output.transport);
    else if (output.type === "rtp") this.#receiveRtp(now, output.bytes);
    else if (output.type === "rtcp") this.#media?.receiver.receiveControl(now, output.bytes);
    else this.#finish(output.reason);
  }

  #prepare(now: number, track: VideoTrack, transport: AgreedTransport): void {
    const { payloadType, parameterSets } = track;
    const ordered = this.#udp === undefined;
    const format = track.codec === "h264" ? H264_FORMAT : H265_FORMAT;
    const receiver = new MediaReceiver({ payloadType, ordered, ssrc: this.#ssrc, format });
    const sink = this.#options.sinkFor(track.codec);
    this.#media = { receiver, transport, sink };
    this.#reportAt = now + REPORT_INTERVAL_MS;
    sink.unit({ nals: parameterSets, timestamp: 0, keyFrame: false });
    if (transport.serverPorts !== undefined) this.#udp?.open(transport.serverPorts);
  }

  #receiveRtp(now: number, bytes: Uint8Array): void {
    const units = this.#media?.receiver.receive(now, bytes);
    if (units === undefined) return;
    this.#session.mediaArrived(now);
    for (const unit of units) {
      if (!this.#over) this.#media?.sink.unit(unit);
    }
  }

  #write(bytes: Uint8Array): void {
    if (this.#socket.writableLength > MAX_UNSENT_BYTES) {
      throw new CameraError("broken", "Cannot talk to camera: it does not read");
    }
    this.#socket.write(bytes);
  }

  #setTimer(now: number): void {
    this.#cancelTimer();
    const at = Math.min(this.#session.deadline(), this.#reportAt);
    if (at === Infinity) return;
    const onTime = () => this.#step((later) => this.#tick(later));
    this.#cancelTimer = this.#options.clock.after(Math.max(0, at - now), onTime);
  }

  #tick(now: number): void {
    this.#session.tick(now);
    if (now < this.#reportAt) return;
    this.#reportAt = now + REPORT_INTERVAL_MS;
    const report = this.#media?.receiver.report(now);
    if (report === undefined) return;
    const { channels, serverPorts } = this.#media!.transport;
    if (this.#udp === undefined) this.#write(writeInterleaved(channels?.[1] ?? 1, report));
    else if (serverPorts !== undefined) this.#udp.sendRtcp(report, serverPorts[1]);
  }

  #fail(code: "broken" | "ended", message: string): void {
    this.#finish({ type: "error", error: new CameraError(code, message) });
  }

  #finish(end: ClientEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#ended.resolve(end);
  }

  /** TEARDOWN, so that the camera's place is free for the next viewer at once. */
  async #sayGoodbye(): Promise<void> {
    this.#session.stop(this.#options.clock.now());
    const output = this.#session.poll();
    if (output?.type !== "transmit" || this.#socket.destroyed) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(GOODBYE_LIMIT_MS, resolve);
      this.#socket.end(output.bytes, () => {
        cancel();
        resolve();
      });
    });
  }
}
