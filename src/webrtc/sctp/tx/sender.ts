/**
 * The sending half: messages in, DATA chunks out, SACKs taken (RFC 9260 6.1, 6.3, 7). It decides
 * what leaves and when; loss_detection.ts decides what is lost, congestion.ts how much may go.
 */
import { DATA_HEADER_BYTES, IMMEDIATE, writeDataHeader } from "../packet/data_chunk.ts";
import type { PacketWriter } from "../packet/packet_writer.ts";
import type { ReceivedSack } from "../packet/sack_chunk.ts";
import { padded } from "../packet/words.ts";
import { type AckSummary, Congestion } from "./congestion.ts";
import { DeliveryRate } from "./delivery_rate.ts";
import { LossDetection } from "./loss_detection.ts";
import { Outstanding } from "./outstanding.ts";
import type { RoundTrip } from "./round_trip.ts";
import type { SendQueue } from "./send_queue.ts";
import type { SentChunk } from "./sent_chunk.ts";

/** A long message is not cut to fill less than this at the end of a packet. */
const MIN_FRAGMENT_BYTES = 256;
/**
 * RFC 9260 16 (Association.Max.Retrans): expirations in a row after which the peer is gone; with
 * our back-off about 50 s. The supervisor of the session is quicker.
 */
const MAX_TIMEOUTS = 10;
/** Between two such retries, in ms, at least: the path may carry one direction only. */
const RETRY_MS = 500;

export interface SenderOptions {
  readonly initialTsn: number;
  readonly peerWindow: number;
  readonly packetBytes: number;
  readonly queue: SendQueue;
  readonly rtt: RoundTrip;
}

export class Sender {
  readonly stats = { retransmissions: 0, timeouts: 0, probes: 0 };
  readonly #queue: SendQueue;
  readonly #rtt: RoundTrip;
  readonly #outstanding: Outstanding;
  readonly #losses: LossDetection;
  readonly #rate = new DeliveryRate();
  readonly #congestion: Congestion;
  readonly #summary: AckSummary;
  #now = 0;
  #peerWindow: number;
  /** Timers, as times; Infinity when off. */
  #timeoutAt = Infinity;
  #probeAt = Infinity;
  #reorderAt = Infinity;
  #paceAt = Infinity;
  #isProbing = false;
  #timeouts = 0;
  #retriedAt = -Infinity;
  /** Of the SACK under way: when the newest chunk left that gives a round trip. */
  #newestSentAt = -1;
  /** Found lost since the last SACK. */
  #lostBytes = 0;

  constructor(options: SenderOptions) {
    this.#queue = options.queue;
    this.#rtt = options.rtt;
    this.#peerWindow = options.peerWindow;
    this.#outstanding = new Outstanding(options.initialTsn, (chunk) => this.#noteAcked(chunk));
    this.#losses = new LossDetection(options.rtt);
    this.#congestion = new Congestion(options.rtt, options.packetBytes);
    this.#summary = {
      ackedBytes: 0,
      lostBytes: 0,
      flightBytes: 0,
      rtt: -1,
      rate: 0,
      isAppLimited: false,
      priorDelivered: 0,
      delivered: 0,
    };
  }

  /** When `tick` has something to do; Infinity when never. */
  get deadline(): number {
    return Math.min(this.#timeoutAt, this.#probeAt, this.#reorderAt, this.#paceAt);
  }

  /** Whether all that was sent is acknowledged and nothing waits. */
  get isDone(): boolean {
    return this.#outstanding.isEmpty && this.#queue.bytes === 0;
  }

  get congestion(): Congestion {
    return this.#congestion;
  }

  get flightBytes(): number {
    return this.#outstanding.flightBytes;
  }

  /** Whether the peer has not answered for two timeouts: the path, or its size, has changed. */
  get isSilent(): boolean {
    return this.#timeouts >= 2;
  }

  /** Bytes that a packet must have for the next chunk: one sent before the path became smaller. */
  get leastRoom(): number {
    return DATA_HEADER_BYTES + padded(this.#outstanding.lost.first?.length ?? 0);
  }

  setPacketBytes(bytes: number): void {
    this.#congestion.setPacketBytes(bytes);
  }

  /** Takes a SACK. */
  takeSack(now: number, sack: ReceivedSack): void {
    this.#now = now;
    const summary = this.#summary;
    summary.ackedBytes = 0;
    summary.rtt = -1;
    this.#newestSentAt = -1;
    this.#rate.begin();
    if (this.#outstanding.takeSack(sack) !== "new") return;
    this.#peerWindow = sack.window;
    if (sack.duplicates > 0) this.#losses.noteSpurious(now);
    if (summary.rtt >= 0) this.#rtt.sample(now, summary.rtt);
    this.#detectLosses();
    summary.lostBytes = this.#lostBytes;
    this.#lostBytes = 0;
    summary.rate = this.#rate.finish(now, this.#rtt.smallest);
    summary.isAppLimited = this.#rate.isAppLimited;
    summary.priorDelivered = this.#rate.priorDelivered;
    summary.delivered = this.#rate.delivered;
    summary.flightBytes = this.#outstanding.flightBytes;
    this.#congestion.onAck(now, summary);
    if (summary.ackedBytes > 0) this.#restartTimers();
    // A peer whose window is closed and that still answers is alive (6.1 A).
    if (summary.ackedBytes > 0 || sack.window < MIN_FRAGMENT_BYTES) this.#timeouts = 0;
  }

  /** Runs what is due. Gives false when the peer has not answered for too long. */
  tick(now: number): boolean {
    this.#now = now;
    if (now >= this.#paceAt) this.#paceAt = Infinity;
    if (now >= this.#reorderAt) this.#detectLosses();
    if (now >= this.#timeoutAt) return this.#timeOut();
    if (now >= this.#probeAt) {
      this.#probeAt = Infinity;
      this.#isProbing = true;
    }
    return true;
  }

  /** The path carries something again: gives whether overdue chunks are to be sent again now. */
  retry(now: number): boolean {
    if (this.#timeouts === 0 || this.#outstanding.isEmpty) return false;
    if (now - this.#retriedAt < RETRY_MS) return false;
    this.#now = this.#retriedAt = now;
    this.#timeouts = 0;
    this.#rtt.forgetBackOff();
    return this.#timeOut();
  }

  /** The path is another one: nothing is known of its speed. */
  pathChanged(now: number): void {
    this.#retriedAt = -Infinity;
    this.retry(now);
    this.#congestion.restart(now);
    this.#rtt.forgetSmallest(now);
  }

  /** Whether a packet with data may leave now. Sets the pacer's deadline when it is early. */
  isReady(now: number): boolean {
    const { lost, flightBytes } = this.#outstanding;
    if (this.#isProbing) return true; // only while something is under way
    const next = lost.first?.length ?? this.#nextBytes();
    if (next === 0) {
      if (flightBytes < this.#congestion.window) this.#rate.noteAppLimited(flightBytes);
      return false;
    }
    if (flightBytes > 0 && flightBytes >= this.#congestion.window) return false;
    const at = this.#congestion.paceAt(now);
    this.#paceAt = at > now ? at : Infinity;
    return at <= now;
  }

  /** Fills the packet under way with what may leave, the lost first. */
  fill(now: number, writer: PacketWriter): void {
    this.#now = now;
    const from = writer.at;
    if (this.#isProbing) this.#probe(writer);
    for (let chunk = this.#nextLost(writer); chunk; chunk = this.#nextLost(writer)) {
      this.#resend(chunk, writer);
    }
    while (this.#outstanding.lost.first === undefined) {
      const length = this.#fragmentBytes(writer.room);
      if (length === 0) break;
      const chunk = this.#outstanding.send(this.#queue.take(length));
      this.#write(chunk, writer);
    }
    this.#congestion.spend(writer.at - from);
    if (this.#timeoutAt === Infinity && !this.#outstanding.isEmpty) this.#armTimeout();
  }

  #nextLost(writer: PacketWriter): SentChunk | undefined {
    const chunk = this.#outstanding.lost.first;
    if (chunk === undefined || padded(chunk.length) + DATA_HEADER_BYTES > writer.room) {
      return undefined;
    }
    const { flightBytes } = this.#outstanding;
    return flightBytes === 0 || flightBytes < this.#congestion.window ? chunk : undefined;
  }

  /** Bytes of the next new fragment that the peer has room for; 0 for none. */
  #nextBytes(): number {
    const { flightBytes, isFull } = this.#outstanding;
    if (isFull || this.#queue.bytes === 0) return 0;
    const waiting = this.#queue.nextBytes;
    // With nothing under way one packet may go whatever the window (6.1 A): the zero-window probe.
    if (this.#outstanding.isEmpty) return waiting;
    const room = this.#peerWindow - flightBytes;
    return room >= Math.min(waiting, MIN_FRAGMENT_BYTES) ? waiting : 0;
  }

  #fragmentBytes(roomInPacket: number): number {
    const waiting = this.#nextBytes();
    const { flightBytes } = this.#outstanding;
    if (waiting === 0 || (flightBytes > 0 && flightBytes >= this.#congestion.window)) return 0;
    let most = (roomInPacket - DATA_HEADER_BYTES) & ~3;
    if (!this.#outstanding.isEmpty) most = Math.min(most, this.#peerWindow - flightBytes);
    if (most <= 0) return 0;
    return waiting <= most ? waiting : most < MIN_FRAGMENT_BYTES ? 0 : most;
  }

  #write(chunk: SentChunk, writer: PacketWriter): void {
    const { length, offset, bytes } = chunk;
    const now = this.#now;
    this.#rate.noteSent(chunk, now, this.#outstanding.flightBytes - length);
    chunk.sentAt = now;
    chunk.transmissions++;
    if (this.#queue.bytes === 0 || this.#isProbing) chunk.flags |= IMMEDIATE; // RFC 7053 4
    const { at, buffer } = writer;
    writer.at = writeDataHeader(buffer, at, chunk, length);
    buffer.set(bytes.subarray(offset, offset + length), at + DATA_HEADER_BYTES);
    if (this.#timeoutAt === Infinity) this.#armTimeout();
    this.#armProbe();
  }

  #resend(chunk: SentChunk, writer: PacketWriter): void {
    this.stats.retransmissions++;
    this.#outstanding.resend(chunk);
    this.#write(chunk, writer);
    if (this.#outstanding.isEarliest(chunk.tsn)) this.#armTimeout(); // 7.2.4 (4)
  }

  /** Tail-loss probe (RFC 8985 7.3): the last chunk again, or new data where there is some. */
  #probe(writer: PacketWriter): void {
    this.stats.probes++;
    this.#rtt.backOffProbe();
    const { last } = this.#outstanding.inFlight;
    const hasMore = this.#outstanding.lost.first !== undefined || this.#nextBytes() > 0;
    if (last !== undefined && !hasMore) this.#resend(last, writer);
    else if (hasMore && this.#outstanding.lost.first === undefined) {
      const most = (writer.room - DATA_HEADER_BYTES) & ~3;
      const length = Math.min(this.#nextBytes(), most, Math.max(this.#peerWindow, 1));
      if (length > 0) this.#write(this.#outstanding.send(this.#queue.take(length)), writer);
    }
    this.#isProbing = false;
    this.#probeAt = Infinity; // one probe, until something is acknowledged
  }

  #noteAcked(chunk: SentChunk): void {
    const now = this.#now;
    this.#summary.ackedBytes += chunk.length;
    this.#rate.noteAcked(chunk, now);
    this.#losses.noteAcked(chunk, now);
    if (chunk.transmissions > 1 || chunk.sentAt < this.#newestSentAt) return; // Karn (6.3.1 C5)
    this.#newestSentAt = chunk.sentAt;
    this.#summary.rtt = now - chunk.sentAt;
  }

  #detectLosses(): void {
    const before = this.#outstanding.flightBytes;
    this.#reorderAt = this.#losses.detect(this.#now, this.#outstanding);
    this.#lostBytes += before - this.#outstanding.flightBytes;
  }

  #armTimeout(): void {
    this.#timeoutAt = this.#now + this.#rtt.timeout;
  }

  #armProbe(): void {
    if (this.#rtt.smoothed === 0 || this.#timeouts > 0) return;
    this.#probeAt = this.#now + this.#rtt.probeTimeout;
  }

  /** 6.3.2 R2, R3. */
  #restartTimers(): void {
    this.#isProbing = false;
    if (this.#outstanding.isEmpty) {
      this.#timeoutAt = Infinity;
      this.#probeAt = Infinity;
    } else {
      this.#armTimeout();
      this.#armProbe();
    }
  }

  /** T3-rtx (6.3.3). */
  #timeOut(): boolean {
    this.#timeouts++;
    this.stats.timeouts++;
    if (this.#timeouts > MAX_TIMEOUTS) return false;
    if (this.#timeouts > 1) this.#outstanding.forgetGaps();
    this.#outstanding.loseAll();
    this.#rtt.backOff();
    if (this.#peerWindow >= MIN_FRAGMENT_BYTES) this.#congestion.onTimeout();
    this.#probeAt = Infinity;
    this.#isProbing = false;
    this.#reorderAt = Infinity;
    this.#armTimeout();
    return true;
  }
}
