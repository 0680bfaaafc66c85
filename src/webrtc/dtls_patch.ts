/**
 * Puts our checks into werift's DTLS: the server's role, the proof of `dtls_guard.ts` before SRTP
 * and SCTP start, the fingerprint that was really seen, a shut door afterwards, and no reuse of a
 * nonce (werift-audit.md 3).
 *
 * Not here: a window against replayed records; strangers during the handshake (that is `udp.ts`,
 * still to come).
 */
import { createHash } from "node:crypto";
import type { RTCDtlsTransport } from "werift";
import type { Bytes } from "../lib/bytes.ts";
import { type DtlsRecord, lateMessages, lateRecords, verifyClient } from "./dtls_guard.ts";
import { checkDtlsSocket, dtlsInternals, type DtlsSocketInternals } from "./internals.ts";

/**
 * Above every record number that the handshake has used at epoch 1, where werift counts again from
 * zero.
 */
const FIRST_FREE_RECORD = 64;
/**
 * No flight of a handshake has a number this high: what still retransmits one believes itself
 * answered.
 */
const LAST_FLIGHT = 99;

/** The DTLS side of one connection. */
export class DtlsControl {
  readonly #transport: RTCDtlsTransport;
  #seen: Bytes | undefined;
  #connectedAt: number | undefined;

  constructor(transport: RTCDtlsTransport) {
    this.#transport = transport;
    transport.role = "server";
    this.#hookVerification();
  }

  /**
   * SHA-256 of the certificate of the handshake, once werift found it to be the one of the offer.
   */
  get seenFingerprint(): Bytes | undefined {
    return this.#seen;
  }

  /** When the handshake was done, in ms of `performance.now`. */
  get connectedAt(): number | undefined {
    return this.#connectedAt;
  }

  /**
   * werift calls this after the handshake, before SRTP and SCTP start
   * (webrtc/src/transport/dtls.ts, `start`).
   */
  #hookVerification(): void {
    const internals = dtlsInternals(this.#transport);
    const verify = internals.verifyRemoteCertificateFingerprint.bind(this.#transport);
    internals.verifyRemoteCertificateFingerprint = () => {
      verify();
      this.#accept(internals.dtls!);
    };
  }

  #accept(socket: DtlsSocketInternals): void {
    checkDtlsSocket(socket);
    const certificate = socket.remoteCertificate!;
    verifyClient({
      certificate,
      messages: socket.dtls.sortedHandshakeCache,
      masterSecret: socket.cipher.masterSecret,
      extendedMasterSecret: socket.dtls.remoteExtendedMasterSecret,
    });
    shut(socket);
    this.#seen = new Uint8Array(createHash("sha256").update(certificate).digest());
    this.#connectedAt = performance.now();
    const next = Math.max(socket.dtls.recordSequenceNumber, FIRST_FREE_RECORD);
    socket.dtls.recordSequenceNumber = next;
  }

  /** Ends retransmissions of a handshake that will not be answered any more. */
  stop(): void {
    const context = dtlsInternals(this.#transport).dtls?.dtls;
    if (context !== undefined) context.flight = LAST_FLIGHT;
  }
}

/** From now on nothing in clear and no new handshake reaches the socket. */
function shut(socket: DtlsSocketInternals): void {
  const transport = socket.transport.socket;
  const receive = transport.onData;
  transport.onData = (datagram) => {
    const rest = lateRecords(datagram, (record) => decrypts(socket, record));
    if (rest !== undefined) receive(rest);
  };
  const handle = socket.onHandleHandshakes;
  socket.onHandleHandshakes = (messages) => handle(lateMessages(messages));
}

function decrypts(socket: DtlsSocketInternals, record: DtlsRecord): boolean {
  const { type, version, epoch, sequenceNumber, fragment } = record;
  try {
    socket.cipher.decryptPacket({
      recordLayerHeader: { contentType: type, protocolVersion: version, epoch, sequenceNumber },
      fragment,
    });
    return true;
  } catch {
    return false; // not from the holder of the keys
  }
}
