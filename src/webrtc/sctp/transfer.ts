/**
 * The life of an association between handshake and end: both halves of the transfer, heartbeats,
 * and packets put together from what each has to say (RFC 9260 6.10). No states; those are
 * association.ts's.
 */
import type { PeerParameters } from "./cookie.ts";
import {
  type Chunk,
  CHUNK_HEADER_BYTES,
  DATA,
  HEARTBEAT,
  HEARTBEAT_ACK,
  makeChunk,
  RE_CONFIG,
  SACK,
  unknownChunkRule,
} from "./packet/chunk.ts";
import { COMMON_HEADER_BYTES } from "./packet/common_header.ts";
import { readData } from "./packet/data_chunk.ts";
import {
  invalidStreamCause,
  makeError,
  NO_USER_DATA,
  OUT_OF_RESOURCE,
  PROTOCOL_VIOLATION,
  UNRECOGNIZED_CHUNK,
} from "./packet/error_chunk.ts";
import type { PacketOutput, PacketWriter } from "./packet/packet_writer.ts";
import type { Parameter } from "./packet/parameters.ts";
import { denyReconfig } from "./packet/reconfig_chunk.ts";
import { ReceivedSack } from "./packet/sack_chunk.ts";
import { readU32 } from "./packet/words.ts";
import type { Message } from "./rx/reassembly.ts";
import { Receiver } from "./rx/receiver.ts";
import { Heartbeats } from "./timer/heartbeats.ts";
import type { RoundTrip } from "./tx/round_trip.ts";
import type { SendQueue } from "./tx/send_queue.ts";
import { Sender } from "./tx/sender.ts";

/** Answers that wait for a packet; more than a packet of them is a flood, and they are dropped. */
const MAX_ANSWER_BYTES = 4096;
/** Largest HEARTBEAT that is answered: a packet on Ethernet. */
const MAX_HEARTBEAT_BYTES = 1500;
/** Bytes of unknown chunks that are reported for one packet. */
const MAX_REPORT_BYTES = 512;

/** What a chunk leads to: the rest of the packet, nothing more of it, or an end for this cause. */
export type ChunkOutcome = "go on" | "stop" | { readonly abort: number };

export interface TransferOptions {
  readonly now: number;
  readonly random: () => number;
  readonly writer: PacketWriter;
  readonly queue: SendQueue;
  readonly rtt: RoundTrip;
  readonly localTsn: number;
  readonly peer: PeerParameters;
  /** Streams that the peer may use. */
  readonly inboundStreams: number;
  readonly receiveWindow: number;
  readonly maxMessageBytes: number;
  readonly deliver: (message: Message) => void;
}

export class Transfer {
  readonly receiver: Receiver;
  readonly sender: Sender;
  readonly peer: PeerParameters;
  readonly #options: TransferOptions;
  readonly #heartbeats: Heartbeats;
  readonly #sack = new ReceivedSack();
  #answers: Uint8Array[] = [];
  #answerBytes = 0;
  /** Unknown chunks of the packet under way. */
  #report: Parameter[] = [];

  constructor(options: TransferOptions) {
    this.#options = options;
    this.peer = options.peer;
    this.#heartbeats = new Heartbeats(options.now, options.random);
    this.#sack.window = options.peer.window;
    this.receiver = new Receiver({
      initialTsn: options.peer.initialTsn,
      window: options.receiveWindow,
      rtt: options.rtt,
      maxMessageBytes: options.maxMessageBytes,
      deliver: options.deliver,
    });
    this.sender = new Sender({
      initialTsn: options.localTsn,
      peerWindow: options.peer.window,
      packetBytes: this.#heartbeats.packetBytes,
      queue: options.queue,
      rtt: options.rtt,
    });
  }

  get deadline(): number {
    return Math.min(this.sender.deadline, this.receiver.deadline, this.#heartbeats.deadline);
  }

  get packetBytes(): number {
    return this.#heartbeats.packetBytes;
  }

  /** Queues a chunk that answers one of the peer's; `first` puts it ahead of the others. */
  answer(chunk: Uint8Array, first = false): void {
    if (this.#answerBytes + chunk.length > MAX_ANSWER_BYTES) return;
    this.#answerBytes += chunk.length;
    if (first) this.#answers.unshift(chunk);
    else this.#answers.push(chunk);
  }

  /** Takes a chunk that belongs to the transfer, or that nobody knows. */
  takeChunk(now: number, packet: Uint8Array, chunk: Chunk): ChunkOutcome {
    switch (chunk.type) {
      case DATA:
        return this.#takeData(packet, chunk);
      case SACK: // a broken one changes nothing
        if (this.#sack.read(packet, chunk)) this.sender.takeSack(now, this.#sack);
        return "go on";
      case HEARTBEAT:
        this.#takeHeartbeat(packet, chunk);
        return "go on";
      case HEARTBEAT_ACK:
        this.#takeHeartbeatAck(now, packet, chunk);
        return "go on";
      case RE_CONFIG: {
        const answer = denyReconfig(packet, chunk);
        if (answer !== undefined) this.answer(answer);
        return "go on";
      }
      default:
        return this.#takeUnknown(packet, chunk);
    }
  }

  /** Takes the cumulative TSN that a SHUTDOWN carries (3.3.8). Gives false for a broken one. */
  takeShutdown(now: number, packet: Uint8Array, { at, end }: Chunk): boolean {
    if (end - at !== 8) return false;
    this.#sack.gaps = 0;
    this.#sack.duplicates = 0;
    this.#sack.cumulativeTsn = readU32(packet, at + CHUNK_HEADER_BYTES);
    this.sender.takeSack(now, this.#sack);
    return true;
  }

  /** All chunks of a packet have been taken. */
  endPacket(now: number): void {
    if (this.#report.length > 0) {
      this.answer(makeError(this.#report));
      this.#report = [];
    }
    this.receiver.endPacket(now);
    this.#heartbeats.noteActivity(now);
  }

  /** Runs what is due. Gives false when the peer is gone. */
  tick(now: number): boolean {
    if (!this.sender.tick(now)) return false;
    if (this.sender.isSilent) {
      this.#heartbeats.distrustSize(now);
      this.sender.setPacketBytes(this.packetBytes);
    }
    const beats = this.#heartbeats.tick(now, this.#options.rtt.timeout);
    if (beats === "dead") return false;
    for (const chunk of beats) this.answer(chunk);
    return true;
  }

  /** Packets take another path from now on. */
  pathChanged(now: number): void {
    this.#heartbeats.searchSize(now);
    this.sender.setPacketBytes(this.packetBytes);
    this.sender.pathChanged(now);
  }

  /** The next packet that may leave now. */
  poll(now: number, hasData: boolean): PacketOutput | undefined {
    const { writer } = this.#options;
    const isReady = hasData && this.sender.isReady(now);
    const isDue = this.receiver.isSackDue(now);
    if (!isReady && !isDue && this.#answers.length === 0) return undefined;
    writer.open(this.#sizeOfNext(), this.peer.tag);
    if (this.#answers.length > 0) this.#writeAnswers();
    this.receiver.writeSacks(now, writer);
    if (isReady) this.sender.fill(now, writer);
    return writer.isEmpty ? undefined : writer.finish();
  }

  #takeData(packet: Uint8Array, chunk: Chunk): ChunkOutcome {
    const fragment = readData(packet, chunk);
    if (fragment === undefined) return { abort: PROTOCOL_VIOLATION };
    if (fragment.bytes.length === 0) return { abort: NO_USER_DATA }; // 3.3.1
    if (fragment.streamId >= this.#options.inboundStreams) {
      this.answer(makeError([invalidStreamCause(fragment.streamId)])); // 6.5
      return "go on";
    }
    const outcome = this.receiver.take(fragment);
    if (outcome === "violation") return { abort: PROTOCOL_VIOLATION };
    return outcome === "exhausted" ? { abort: OUT_OF_RESOURCE } : "go on";
  }

  #takeHeartbeat(packet: Uint8Array, { at, end }: Chunk): void {
    if (end - at > MAX_HEARTBEAT_BYTES) return;
    this.answer(makeChunk(HEARTBEAT_ACK, 0, packet.subarray(at + CHUNK_HEADER_BYTES, end)));
  }

  #takeHeartbeatAck(now: number, packet: Uint8Array, { at, end }: Chunk): void {
    const range = { at: at + CHUNK_HEADER_BYTES, end };
    const rtt = this.#heartbeats.takeAck(now, packet, range);
    if (rtt !== undefined) this.#options.rtt.sample(now, rtt);
    this.sender.setPacketBytes(this.packetBytes);
  }

  /** 3.2: the high bits of the type say what to do with a chunk that is not known. */
  #takeUnknown(packet: Uint8Array, { type, at, end }: Chunk): ChunkOutcome {
    const rule = unknownChunkRule(type);
    const reported = this.#report.reduce((sum, { value }) => sum + value.length, 0);
    if (rule.report && reported < MAX_REPORT_BYTES) {
      const value = packet.slice(at, Math.min(end, at + MAX_REPORT_BYTES - reported));
      this.#report.push({ type: UNRECOGNIZED_CHUNK, value });
    }
    return rule.skip ? "go on" : "stop";
  }

  #sizeOfNext(): number {
    const [answer] = this.#answers;
    const least = answer === undefined ? this.sender.leastRoom : answer.length;
    return Math.max(this.packetBytes, COMMON_HEADER_BYTES + least);
  }

  #writeAnswers(): void {
    const { writer } = this.#options;
    let taken = 0;
    for (const chunk of this.#answers) {
      if (chunk.length > writer.room) break;
      writer.add(chunk);
      this.#answerBytes -= chunk.length;
      taken++;
    }
    this.#answers = this.#answers.slice(taken);
  }
}
