/**
 * Takes the datagrams of DTLS in werift's place and leaves it the handshake alone (werift-audit.md
 * 3): messages in order and once (`dtls_handshake.ts`), their proof before SRTP and SCTP start
 * (`dtls_guard.ts`), and after that our own record layer (`dtls_record.ts`). What werift sends gets
 * record numbers of ours (`dtls_flights.ts`). Where it takes hold of werift is in `dtls_hooks.ts`.
 *
 *   handshake --client's Finished--> proving --proof--> connected --alert, close--> closed
 *
 * Nothing in clear counts once connected, nothing unauthentic ever does, and there is no second
 * handshake on a connection. Left out: a fatal alert in clear from a browser that could not finish,
 * which anyone could send; the limit for a connection to come about ends that.
 */
import type { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { RTCDtlsTransport } from "werift";
import type { Bytes } from "../lib/bytes.ts";
import { FlightNumbers, type Sealing } from "./dtls_flights.ts";
import { type TranscriptMessage, verifyClient, verifyServer } from "./dtls_guard.ts";
import {
  type DtlsRole,
  HANDSHAKE,
  type HandshakeMessage,
  HandshakeReader,
} from "./dtls_handshake.ts";
import { countFromZero, withCookie } from "./dtls_hello.ts";
import {
  CONTENT,
  type DtlsRecord,
  RECORD_HEADROOM,
  RECORD_TAILROOM,
  RecordOpener,
  records,
  RecordSealer,
} from "./dtls_record.ts";
import {
  catchSocket,
  guardSrtp,
  keysOf,
  onVerification,
  renewRecords,
  replaceFingerprints,
} from "./dtls_hooks.ts";
import type { DtlsSocketInternals } from "./internals.ts";

/**
 * No flight of a handshake has a number this high: what still retransmits one believes itself
 * answered.
 */
const LAST_FLIGHT = 99;
/** How often our last flight is repeated; a browser asks with doubled waits, some six times a minute. */
const MAX_REPEATS = 16;
/** Datagrams kept until ICE has chosen a path, or the proof holds: a hello has two, and may be repeated. */
const MAX_EARLY_DATAGRAMS = 8;
/** How often one hello is answered. */
const MAX_HELLOS = 16;

// RFC 5246 7.2
const WARNING = 1;
const FATAL = 2;
const CLOSE_NOTIFY = 0;

/** What was kept out, in records. */
export interface DtlsStats {
  opened: number;
  sealed: number;
  /** In clear, when nothing may be any more, or before its time. */
  clear: number;
  /** Not made with our keys. */
  forged: number;
  replayed: number;
  /** Of a kind, epoch or place that has no business here. */
  unexpected: number;
}

/** What is told to the owner of the connection. None may throw. */
export interface DtlsHandlers {
  /** Sends a datagram; the bytes do not change afterwards. */
  send(datagram: Uint8Array): void;
  /** What the other end sent as application data. The bytes are the handler's own. */
  data(content: Buffer): void;
}

/** The DTLS side of one connection. */
export class DtlsControl {
  readonly stats: DtlsStats = {
    opened: 0,
    sealed: 0,
    clear: 0,
    forged: 0,
    replayed: 0,
    unexpected: 0,
  };
  readonly #role: DtlsRole;
  readonly #handlers: DtlsHandlers;
  readonly #reader: HandshakeReader;
  #phase: "handshake" | "proving" | "connected" | "closed" = "handshake";
  #socket: DtlsSocketInternals | undefined;
  #opener: RecordOpener | undefined;
  #sealing: Sealing | undefined;
  #seen: Bytes | undefined;
  #connectedAt: number | undefined;
  #heardAt = -Infinity;
  /** The other end's path may work before ours is chosen. */
  readonly #early: Uint8Array[] = [];
  /** Application data of an end that is being proven. */
  readonly #held: Buffer[] = [];
  #hellos = 0;
  #repeats = 0;

  constructor(
    transport: RTCDtlsTransport,
    { role = "server", handlers }: { readonly role?: DtlsRole; readonly handlers: DtlsHandlers },
  ) {
    this.#role = role;
    this.#handlers = handlers;
    this.#reader = new HandshakeReader(role);
    transport.role = role;
    const socket = catchSocket(transport, (socket) => this.#take(socket));
    onVerification(transport, () => this.#accept(socket()!));
    replaceFingerprints(transport);
    guardSrtp(transport, socket);
  }

  /** SHA-256 of the certificate of the handshake, once it was found to be the one of the offer. */
  get seenFingerprint(): Bytes | undefined {
    return this.#seen;
  }

  /** When the handshake was done, in ms of `performance.now`. */
  get connectedAt(): number | undefined {
    return this.#connectedAt;
  }

  /** When the last authentic record came, in ms of `performance.now`; -Infinity before the first. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Takes a datagram of DTLS. Never throws. */
  readonly receive = (datagram: Uint8Array): void => {
    if (this.#phase === "closed") return;
    if (this.#socket === undefined) {
      if (this.#early.length < MAX_EARLY_DATAGRAMS) this.#early.push(Uint8Array.from(datagram));
      return;
    }
    for (const record of records(datagram)) {
      if (record.epoch === 0) this.#takeClear(record);
      else if (record.epoch !== 1) this.stats.unexpected++;
      else if (!this.#takeSealed(record)) return; // a datagram with one forged record has no good ones
    }
  };

  /**
   * Sends application data: `length` bytes at `offset` of a buffer with `RECORD_HEADROOM` in front
   * and `RECORD_TAILROOM` behind, which is sealed in place and must not be used again. Nothing
   * happens unless connected.
   */
  sendData(packet: {
    readonly buffer: Uint8Array;
    readonly offset: number;
    readonly length: number;
  }): void {
    if (this.#phase === "connected") this.#seal(CONTENT.DATA, packet);
  }

  /** Says goodbye, if there is somebody, and ends retransmissions that will not be answered any more. */
  close(): void {
    if (this.#phase === "connected") this.#alert(WARNING, CLOSE_NOTIFY);
    this.#phase = "closed";
    if (this.#socket !== undefined) this.#socket.dtls.flight = LAST_FLIGHT;
  }

  #take(socket: DtlsSocketInternals): void {
    this.#socket = socket;
    socket.transport.socket.onData = this.receive;
    const numbers = new FlightNumbers(() => this.#sealingOf(socket));
    renewRecords(socket, (datagram) => numbers.renew(datagram));
    queueMicrotask(() => { // werift has its listeners by then
      for (const datagram of this.#early.splice(0)) this.receive(datagram);
    });
  }

  #accept(socket: DtlsSocketInternals): void {
    if (this.#phase !== "proving") throw new Error("Cannot accept DTLS peer: it has not finished");
    const certificate = socket.remoteCertificate!;
    this.#prove(socket, certificate);
    this.#sealingOf(socket);
    this.#seen = new Uint8Array(createHash("sha256").update(certificate).digest());
    this.#connectedAt = this.#heardAt = performance.now();
    this.#phase = "connected";
    queueMicrotask(() => {
      for (const content of this.#held.splice(0)) this.#handlers.data(content);
    });
  }

  #prove(socket: DtlsSocketInternals, certificate: Uint8Array): void {
    const { cipher, dtls } = socket;
    const handshake = {
      certificate,
      messages: dtls.sortedHandshakeCache,
      masterSecret: cipher.masterSecret,
      extendedMasterSecret: dtls.remoteExtendedMasterSecret,
    };
    if (this.#role === "server") return verifyClient(handshake);
    const finished = this.#reader.taken.at(-1)!.fragment;
    const randoms = {
      client: cipher.localRandom.serialize(),
      server: cipher.remoteRandom.serialize(),
    };
    verifyServer({ ...handshake, finished, randoms });
  }

  /* ---- in ---------------------------------------------------------------------------------------------- */

  #takeClear({ type, fragment, epoch }: DtlsRecord): void {
    if (type === CONTENT.HANDSHAKE && this.#phase === "handshake") {
      this.#takeHandshake(fragment, epoch);
    } else this.stats.clear++; // ChangeCipherSpec says nothing that Finished does not
  }

  /** Gives false for a record that was not sealed by the other end. */
  #takeSealed(record: DtlsRecord): boolean {
    const content = this.#openerOf(this.#socket!)?.open(record);
    if (content === undefined) {
      this.stats.forged++;
      return false;
    }
    if (content === "replayed") {
      this.stats.replayed++;
      return true;
    }
    this.stats.opened++;
    this.#takeOpened(record.type, content);
    return true;
  }

  #takeOpened(type: number, content: Buffer): void {
    if (this.#phase === "handshake" && type === CONTENT.HANDSHAKE) {
      return this.#takeHandshake(content, 1);
    }
    if (this.#phase === "proving" && type === CONTENT.DATA) return this.#hold(content);
    if (this.#phase !== "connected") return void this.stats.unexpected++;
    this.#heardAt = performance.now();
    if (type === CONTENT.DATA) this.#handlers.data(content);
    else if (type === CONTENT.HANDSHAKE) this.#takeLateHandshake(content);
    else if (type === CONTENT.ALERT) this.#takeAlert(content);
    else this.stats.unexpected++;
  }

  /** A browser goes on when it has our Finished, while we still look at its own. */
  #hold(content: Buffer): void {
    if (this.#held.length < MAX_EARLY_DATAGRAMS) this.#held.push(content);
    else this.stats.unexpected++;
  }

  #openerOf(socket: DtlsSocketInternals): RecordOpener | undefined {
    if (this.#opener !== undefined) return this.#opener;
    if (socket.cipher.cipher === undefined) return undefined; // no key exchange yet
    return this.#opener = new RecordOpener(keysOf(socket, other(this.#role)));
  }

  #takeHandshake(content: Uint8Array, epoch: number): void {
    const socket = this.#socket!;
    for (const message of this.#reader.take(content, epoch)) {
      if (message.msg_type === HANDSHAKE.FINISHED) this.#phase = "proving";
      if (message.msg_type === HANDSHAKE.CLIENT_HELLO) this.#answerHello(message);
      else this.#hand(socket, message);
    }
  }

  /**
   * werift answers a hello with a cookie and the next one with its certificate. ICE has already
   * shown that the address is the other end's (RFC 6347 4.2.1 lets us do without), so both steps
   * are taken on the first hello: the round trip is saved, and all parameters are from the hello
   * that both ends sign.
   */
  #answerHello(hello: HandshakeMessage): void {
    if (this.#hellos++ >= MAX_HELLOS) return;
    const socket = this.#socket!;
    if (this.#hellos === 1) {
      const { send } = socket.transport;
      socket.transport.send = () => Promise.resolve();
      this.#hand(socket, hello);
      socket.transport.send = send;
      countFromZero(socket.dtls);
    }
    if (socket.dtls.cookie !== undefined) this.#hand(socket, withCookie(hello, socket.dtls.cookie));
  }

  #hand(socket: DtlsSocketInternals, message: TranscriptMessage): void {
    socket.onHandleHandshakes([message]).catch((error) => socket.onError.execute(error));
  }

  /**
   * Our last flight was lost, and the other end repeats its own. Anything else asks for new keys,
   * and may go unanswered (RFC 5246 7.4.1.1, 7.4.1.2).
   */
  #takeLateHandshake(content: Buffer): void {
    const socket = this.#socket!;
    if (content[0] === HANDSHAKE.FINISHED && this.#repeats++ < MAX_REPEATS) {
      for (const datagram of socket.dtls.lastMessage) {
        socket.transport.send(datagram).catch(() => {});
      }
    } else this.stats.unexpected++;
  }

  #takeAlert(content: Buffer): void {
    const [level, description] = content;
    if (level !== FATAL && description !== CLOSE_NOTIFY) return;
    this.#phase = "closed";
    this.#socket!.onClose.execute();
  }

  /* ---- out --------------------------------------------------------------------------------------------- */

  #alert(level: number, description: number): void {
    const buffer = new Uint8Array(RECORD_HEADROOM + 2 + RECORD_TAILROOM);
    buffer.set([level, description], RECORD_HEADROOM);
    this.#seal(CONTENT.ALERT, { buffer, offset: RECORD_HEADROOM, length: 2 });
  }

  /** From our first Finished on: werift has the keys by then. */
  #sealingOf(socket: DtlsSocketInternals): Sealing {
    if (this.#sealing !== undefined) return this.#sealing;
    const keys = keysOf(socket, this.#role);
    return this.#sealing = { keys, sealer: new RecordSealer(keys) };
  }

  #seal(type: number, packet: { buffer: Uint8Array; offset: number; length: number }): void {
    const datagram = this.#sealing?.sealer.seal(type, packet);
    if (datagram === undefined) return;
    this.stats.sealed++;
    this.#handlers.send(datagram);
  }
}

function other(role: DtlsRole): DtlsRole {
  return role === "server" ? "client" : "server";
}
