/**
 * A viewer made of stock werift: honest, or the one that attacks, since its records, packets and
 * sockets can be reached. It offers, as a browser does, and has channel 0.
 */
import { Buffer } from "node:buffer";
import { crc32c, type RTCDataChannel, RTCPeerConnection } from "werift";
import type { Device } from "./target.ts";

/** Key and certificate, as werift takes them. */
export type Keys = NonNullable<
  NonNullable<ConstructorParameters<typeof RTCPeerConnection>[0]>["dtls"]
>["keys"];

export interface ViewerOptions {
  readonly keys?: Keys;
  /** What the device is to be in the handshake. By default it may choose. */
  readonly deviceRole?: "server" | "client";
}

/** Above every record number that a handshake uses. */
const FIRST_FREE_RECORD = 64;

/** DATA, SACK, HEARTBEAT, ABORT and the three of a shutdown (RFC 9260 3.2). */
const HARMLESS_CHUNKS: readonly number[] = [0, 3, 4, 6, 7, 8, 14];

/** What werift keeps to itself (sctp/src/sctp.ts, dtls/src/socket.ts). */
interface AssociationInternals {
  remoteVerificationTag: number;
  localTsn: number;
}

/** Configuration of a connection that asks nobody and stays on 127.0.0.1. */
export function loopbackOnly(): NonNullable<ConstructorParameters<typeof RTCPeerConnection>[0]> {
  return {
    iceServers: [{ urls: "stun:127.0.0.1:9" }], // an empty list would mean Google's
    iceStunGatherTimeout: 0.05,
    iceAdditionalHostAddresses: ["127.0.0.1"],
    iceInterfaceAddresses: { udp4: "127.0.0.1" },
    iceUseIpv6: false,
    bundlePolicy: "max-bundle",
  };
}

export function withoutStun(connection: RTCPeerConnection): void {
  connection.iceTransports[0]!.connection.stunServer = undefined;
}

/** One end of a session with the device. */
export class Viewer {
  readonly connection: RTCPeerConnection;
  readonly channel: RTCDataChannel;
  readonly #device: Device;
  #echoes = 0;

  private constructor(connection: RTCPeerConnection, device: Device) {
    this.connection = connection;
    this.#device = device;
    this.channel = connection.createDataChannel("control", { negotiated: true, id: 0 });
    withoutStun(connection);
  }

  /** Offers to the device and takes its answer; whether they connect is another question. */
  static async offer(device: Device, options: ViewerOptions = {}): Promise<Viewer> {
    const { keys, deviceRole } = options;
    const dtls = keys === undefined ? {} : { dtls: { keys } };
    const viewer = new Viewer(new RTCPeerConnection({ ...loopbackOnly(), ...dtls }), device);
    const { connection } = viewer;
    await connection.setLocalDescription(await connection.createOffer());
    const offer = withSetup(connection.localDescription!.sdp, deviceRole);
    const { answer, candidates } = await device.open(offer);
    // A device that is told to be the client has to be: we will not start as one.
    const sdp = deviceRole === "client" ? answer.replace(/a=setup:\w+/g, "a=setup:active") : answer;
    await connection.setRemoteDescription({ type: "answer", sdp });
    for (const candidate of candidates) {
      await connection.addIceCandidate({ candidate, sdpMLineIndex: 0 });
    }
    return viewer;
  }

  /** A viewer with an open channel. Rejects when there is none within the limit. */
  static async connect(device: Device): Promise<Viewer> {
    const viewer = await Viewer.offer(device, { deviceRole: "server" });
    if (!await viewer.opened(15_000)) {
      throw new Error(`Cannot connect viewer: ${viewer.connection.connectionState}`);
    }
    // werift uses the number of its Finished again (werift-audit.md 3), and a device with a replay
    // window drops that record: it would be the attack's as well as any other.
    const { dtls } = viewer.connection.dtlsTransports[0]!.dtls!;
    dtls.recordSequenceNumber = Math.max(dtls.recordSequenceNumber, FIRST_FREE_RECORD);
    viewer.#shield();
    return viewer;
  }

  /**
   * Keeps answers to hostile packets away from our own werift: a device may well send back what it
   * complains of, or the HEARTBEAT that it was sent, and werift hangs on them.
   */
  #shield(): void {
    const transport = this.connection.dtlsTransports[0]!;
    const receive = transport.dataReceiver;
    transport.dataReceiver = (packet) => {
      if (chunkTypes(packet).every((type) => HARMLESS_CHUNKS.includes(type))) receive(packet);
    };
  }

  async opened(limitMs: number): Promise<boolean> {
    return await until(() => this.channel.readyState === "open", limitMs);
  }

  /** Whether one message comes back from the device. */
  async echo(limitMs: number): Promise<boolean> {
    const text = `echo ${++this.#echoes}`;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const { unSubscribe } = this.channel.onMessage.subscribe((message) => {
      if (message.toString() === text) resolve(true);
    });
    const timer = setTimeout(resolve, limitMs, false);
    try {
      this.channel.send(Buffer.from(text));
    } catch {
      resolve(false); // the device has ended the session
    }
    return await promise.finally(() => {
      clearTimeout(timer);
      unSubscribe();
    });
  }

  /** UDP port of the device in this session. */
  get devicePort(): number {
    const { nominated } = this.connection.iceTransports[0]!.connection as unknown as {
      nominated: { remoteCandidate: { port: number } };
    };
    return nominated.remoteCandidate.port;
  }

  /** Sends one datagram as this session's peer, in clear. */
  async sendDatagram(datagram: Buffer): Promise<void> {
    this.#device.datagrams++;
    await this.connection.iceTransports[0]!.connection.send(datagram);
  }

  /** Sends bytes as one encrypted record. */
  async sendRecord(bytes: Buffer): Promise<void> {
    this.#device.datagrams++;
    await this.connection.dtlsTransports[0]!.sendData(bytes);
  }

  /** Sends one SCTP packet with chunks as they are, a right tag and a right checksum. */
  async sendChunks(...chunks: readonly Uint8Array[]): Promise<void> {
    const isInit = chunks[0]?.[0] === 1; // RFC 9260 8.5.1: INIT has tag 0
    const header = Buffer.alloc(12);
    header.writeUInt16BE(5000, 0);
    header.writeUInt16BE(5000, 2);
    header.writeUInt32BE(isInit ? 0 : this.#association.remoteVerificationTag, 4);
    const packet = Buffer.concat([header, ...chunks]);
    packet.writeUInt32LE(crc32c(packet), 8);
    await this.sendRecord(packet);
  }

  /** A transmission number of ours that nothing else will use. */
  takeTsn(): number {
    const tsn = this.#association.localTsn;
    this.#association.localTsn = (tsn + 1) >>> 0;
    return tsn;
  }

  /** The last number that the device has sent and we have. */
  get lastReceivedTsn(): number {
    return Reflect.get(this.#association, "lastReceivedTsn") as number;
  }

  get #association(): AssociationInternals {
    return this.connection.sctpTransport!.sctp as unknown as AssociationInternals;
  }
}

function withSetup(sdp: string, deviceRole: ViewerOptions["deviceRole"]): string {
  const setup = { server: "active", client: "passive" } as const;
  return deviceRole === undefined
    ? sdp
    : sdp.replace(/a=setup:\w+/g, `a=setup:${setup[deviceRole]}`);
}

/** NaN stands for a chunk that is cut or has no length. */
function chunkTypes(packet: Buffer): number[] {
  const types: number[] = [];
  for (let at = 12; at < packet.length;) {
    const length = at + 4 <= packet.length ? packet.readUInt16BE(at + 2) : 0;
    if (length < 4) return [NaN];
    types.push(packet[at]!);
    at += Math.ceil(length / 4) * 4;
  }
  return types;
}

/** Whether something becomes true within the limit. */
export async function until(condition: () => boolean, limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return true;
}
