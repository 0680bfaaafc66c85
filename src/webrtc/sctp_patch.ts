/**
 * Drives werift's SCTP association by hand: what enters is looked at first, what leaves is queued
 * by us, and nothing waits inside. This is the interim of werift-audit.md 9.3; our own association
 * takes its place behind `Association`.
 *
 * What it changes, from outside and for one connection: `send` no longer waits for the whole queue
 * to drain (audit 2, inefficiency 1), werift's data channels are out of the way (inefficiency 2:
 * their bufferedAmount), and every packet passes `isSoundPacket` and is caught (audit 8).
 */
import { Buffer } from "node:buffer";
import { crc32c, type RTCSctpTransport } from "werift";
import type { Bytes } from "../lib/bytes.ts";
import { dtlsInternals, type SctpInternals, sctpInternals } from "./internals.ts";
import { CHUNK_TYPES, firstChunkType, isSoundPacket } from "./sctp_guard.ts";

/** RFC 8831 8: payload protocol of binary messages, the only kind we send or take. */
const BINARY = 53;
/**
 * Fragments that may wait inside werift, about 37 KB. It sends at most four on each
 * acknowledgement, so a few dozen keep it busy; more would only stand in front of an urgent
 * message.
 */
const MAX_WAITING_CHUNKS = 32;
/**
 * Fragments kept for reassembly or behind a gap: a window of 1 MiB holds 900 full ones, and many
 * small.
 */
const MAX_KEPT_CHUNKS = 16_384;
/** Bytes by which a peer may overrun its window of 1 MiB before we call it hostile. */
const MAX_OVERRUN_BYTES = 262_144;

/** Value with which the wait at the end of werift's `send` is cut short. */
const QUEUED = Symbol("queued");

/** What an association tells. None of them may throw. */
export interface AssociationHandlers {
  established(): void;
  message(streamId: number, bytes: Bytes): void;
  /** Fragments have left; there may be room again. */
  progress(): void;
  /** The other end has closed one stream. */
  reset(streamId: number): void;
  /** Told once. */
  closed(): void;
}

/** One SCTP association, as the channels see it. */
export class Association {
  readonly #transport: RTCSctpTransport;
  readonly #sctp: SctpInternals;
  readonly #handlers: AssociationHandlers;
  #state: "new" | "established" | "closed" = "new";

  constructor(transport: RTCSctpTransport, handlers: AssociationHandlers) {
    this.#transport = transport;
    this.#sctp = sctpInternals(transport);
    this.#handlers = handlers;
    this.#cutWaits();
    this.#watch();
    this.#guardInput();
  }

  /** Whether another message may be handed over now. */
  get ready(): boolean {
    return this.#state === "established" && this.#sctp.outboundQueue.length < MAX_WAITING_CHUNKS;
  }

  /** Bytes of a stream that were handed over and have not been sent for the first time. */
  waitingBytes(streamId: number): number {
    let bytes = 0;
    for (const chunk of this.#sctp.outboundQueue) {
      if (chunk.streamId === streamId) bytes += chunk.userData.length;
    }
    return bytes;
  }

  /** Hands one message over. The bytes must stay as they are until they are acknowledged. */
  send(streamId: number, bytes: Uint8Array): void {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#sctp.send(streamId, BINARY, buffer).catch((reason) => {
      if (reason !== QUEUED) this.close();
    });
  }

  /** Ends the association, and says so. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#sctp.timer3Handle);
    this.#handlers.closed();
    this.#sctp.stop().catch(() => {}); // its ABORT may not leave any more
  }

  /** Stops a timer that a transmission under way may have started after werift's own `close`. */
  settle(): void {
    clearTimeout(this.#sctp.timer3Handle);
  }

  /**
   * werift's `send` waits until nothing of any message is queued: N messages, N waiters, woken N
   * times.
   */
  #cutWaits(): void {
    this.#sctp.flush = { execute() {}, asPromise: () => Promise.reject(QUEUED), length: 0 };
    this.#sctp.onSackReceived = () => {
      this.#handlers.progress();
      return Promise.resolve();
    };
  }

  #watch(): void {
    const sctp = this.#sctp;
    sctp.stateChanged.connected.subscribe(() => {
      if (this.#state !== "new") return;
      this.#state = "established";
      this.#handlers.established();
    });
    sctp.stateChanged.closed.subscribe(() => this.close());
    sctp.onReceive.allUnsubscribe(); // werift's data channels: they throw on what they do not know
    sctp.onReceive.subscribe((streamId, protocol, bytes) => {
      if (this.#state === "closed" || protocol !== BINARY) return;
      this.#handlers.message(streamId, new Uint8Array(bytes));
    });
    sctp.onReconfigStreams.subscribe((ids) => ids.forEach((id) => this.#handlers.reset(id)));
  }

  #guardInput(): void {
    dtlsInternals(this.#transport.dtlsTransport).dataReceiver = (packet) => {
      if (this.#state === "closed" || !isSoundPacket(packet, checksum)) return;
      // A second INIT would set the association back to the start (audit 2, last line).
      if (this.#state === "established" && firstChunkType(packet) === CHUNK_TYPES.INIT) return;
      this.#sctp.handleData(packet).then(() => this.#checkLimits(), () => this.close());
    };
  }

  #checkLimits(): void {
    const overrun = this.#sctp.advertisedRwnd < -MAX_OVERRUN_BYTES;
    const gaps = this.#sctp.sackMisOrdered.size > MAX_KEPT_CHUNKS;
    const kept = Object.values(this.#sctp.inboundStreams)
      .some(({ reassembly }) => reassembly.length > MAX_KEPT_CHUNKS);
    if (overrun || gaps || kept) this.close();
  }
}

function checksum(bytes: Uint8Array): number {
  return crc32c(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
