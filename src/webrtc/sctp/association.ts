/**
 * Our own SCTP association (RFC 9260) for WebRTC data channels: negotiated, reliable, ordered. It
 * does no I/O and has no clock: packets, messages and the time go in, outputs come out of `poll`.
 * It is not a general SCTP: one path (DTLS below it authenticates the peer), no stream reset
 * (RFC 6525, denied), no I-DATA (RFC 8260), no partial reliability (RFC 3758), no DCEP. We announce
 * no extension; those that peers announce stay unused.
 *
 * How to drive it, all on one thread:
 *
 *     const association = new SctpAssociation({ random, headroom: 21, tailroom: 16 });
 *     association.start(now);                    // when DTLS is connected; then drain
 *     onDtlsPlaintext = (packet) => { association.receive(now(), packet); drain(); };
 *     write = (bytes) => { association.send(now(), 1, 53, bytes); drain(); };
 *     onTimer = () => { association.tick(now()); drain(); };
 *     function drain() {
 *       for (let out; (out = association.poll()) !== undefined;) {
 *         "packet":      encrypt in place [offset - headroom, offset + length + tailroom), send
 *         "message":     bytes are the caller's now
 *         "acked":       bufferedAmount fell: `send` more here, before the loop goes on
 *         "deadline":    set the one timer to `at`, instead of what it was set to
 *         "established", "closed": once each; after "closed" drop the association
 *       }
 *     }
 *
 * - `now` is in ms, with fractions, from one monotonic clock (performance.now()).
 * - Packets are made by `poll`, one at a time, from all that has been handed in: several `send`s or
 *   `receive`s before a drain share packets.
 * - A packet handed to `receive` belongs to the association: messages are views into it.
 * - Messages handed to `send` are kept by reference until they are acknowledged.
 * - The INIT of a peer is answered before `start`, too. Both ends may start.
 * - A deadline may come early: then `tick` does nothing but name the next one. One that has become
 *   needless is not taken back.
 */
import type { AssociationState, SctpOptions, SctpOutput, SctpStats } from "./association_types.ts";
import { Handshake, type Reply, type Tags } from "./handshake.ts";
import type { PeerParameters } from "./cookie.ts";
import {
  HANDSHAKE_RETRY,
  MAX_MESSAGE_BYTES,
  MAX_QUEUED_BYTES,
  MAX_STREAMS,
  RECEIVE_WINDOW_BYTES,
  SHUTDOWN_RETRY,
} from "./limits.ts";
import { Outbox } from "./outbox.ts";
import * as chunks from "./packet/chunk.ts";
import { COMMON_HEADER_BYTES, isPacket, verificationTag } from "./packet/common_header.ts";
import {
  makeAbort,
  PROTOCOL_VIOLATION,
  readCauses,
  STALE_COOKIE,
  USER_INITIATED,
} from "./packet/error_chunk.ts";
import { PacketWriter } from "./packet/packet_writer.ts";
import { isTagged } from "./tag_rules.ts";
import { Retry } from "./timer/retry.ts";
import { Transfer } from "./transfer.ts";
import { RoundTrip } from "./tx/round_trip.ts";
import { SendQueue } from "./tx/send_queue.ts";

export type { SctpOptions, SctpOutput, SctpStats };

const ACKED: SctpOutput = { type: "acked" };
const NOTHING = new Uint8Array(0);

export class SctpAssociation {
  readonly #random: () => number;
  readonly #receiveWindow: number;
  readonly #maxMessageBytes: number;
  readonly #writer: PacketWriter;
  readonly #handshake: Handshake;
  readonly #outbox: Outbox;
  readonly #rtt = new RoundTrip();
  readonly #queue = new SendQueue();
  readonly #walk = new chunks.ChunkWalk();
  #state: AssociationState = { type: "new" };
  /** That of the state, for the hot path. */
  #transfer: Transfer | undefined;
  #now = 0;
  #hasRoom = false;
  readonly #paused = new Set<number>();
  /** The last deadline told since the last `tick`. */
  #toldDeadline = Infinity;
  #sentPackets = 0;
  #received = 0;
  #dropped = 0;

  constructor(options: SctpOptions) {
    this.#random = options.random;
    this.#receiveWindow = options.receiveWindow ?? RECEIVE_WINDOW_BYTES;
    this.#maxMessageBytes = options.maxMessageBytes ?? MAX_MESSAGE_BYTES;
    this.#writer = new PacketWriter(options);
    this.#outbox = new Outbox(this.#writer);
    const { random } = options;
    this.#handshake = new Handshake({ random, receiveWindow: this.#receiveWindow });
  }

  /** Begins the handshake. Without effect when the peer was first. */
  start(now: number): void {
    this.#now = now;
    if (this.#state.type !== "new") return;
    this.#set({ type: "cookie wait", retry: new Retry(now, HANDSHAKE_RETRY), since: now });
    this.#outbox.pushPacket(0, this.#handshake.makeInit());
  }

  /** Takes one packet, whatever it holds. Never throws. */
  receive(now: number, packet: Uint8Array): void {
    this.#now = now;
    if (this.#state.type === "closed") return;
    // A Buffer's views are slow to make and its slices are not copies.
    const { buffer, byteOffset, length } = packet;
    const plain = packet.constructor === Uint8Array
      ? packet
      : new Uint8Array(buffer, byteOffset, length);
    this.#received++;
    this.#transfer?.receiver.keepUrgent();
    if (!isPacket(plain) || !this.#takePacket(plain)) this.#dropped++;
  }

  /**
   * Queues one message; ignored once closed. The bytes must not change until they are acknowledged.
   * Throws a RangeError for an empty message (RFC 9260 has none), for one above the limit, a stream
   * that the peer does not have, and when `MAX_QUEUED_BYTES` wait.
   */
  send(now: number, streamId: number, protocol: number, bytes: Uint8Array): void {
    this.#now = now;
    if (bytes.length === 0 || bytes.length > this.#maxMessageBytes) {
      throw new RangeError(`Cannot send message: it has ${bytes.length} bytes`);
    }
    if (!(streamId >= 0 && streamId < this.#outboundStreams())) {
      throw new RangeError(`Cannot send message: no stream ${streamId}`);
    }
    if (this.#queue.bytes + bytes.length > MAX_QUEUED_BYTES) {
      throw new RangeError(`Cannot send message: ${this.#queue.bytes} bytes wait already`);
    }
    const { type } = this.#state;
    if (type === "closed" || type.startsWith("shutdown")) return;
    this.#queue.push(streamId, { protocol, bytes });
  }

  /** Bytes of a stream that have not left for the first time. */
  bufferedAmount(streamId: number): number {
    return this.#queue.bufferedAmount(streamId);
  }

  /** What the path is thought to carry, in bytes per ms; 0 before anything is known. */
  get bandwidth(): number {
    return this.#transfer?.sender.congestion.bandwidth ?? 0;
  }

  /**
   * From now on, the room of what is delivered on this stream is not given back: the peer stops by
   * and by, on all streams.
   */
  pause(streamId: number): void {
    this.#paused.add(streamId);
    this.#transfer?.receiver.pause(streamId);
  }

  /** Gives back the room of all that was delivered on it while paused. */
  resume(now: number, streamId: number): void {
    this.#now = now;
    this.#paused.delete(streamId);
    this.#transfer?.receiver.resume(streamId);
  }

  /**
   * The path carried something, as the layers below saw: if answers are overdue, what waits for them
   * is sent again with the next `poll`, and not after a wait that has grown (RFC 9260 6.3.3 E2).
   * Gives whether that is so.
   */
  pathAlive(now: number): boolean {
    this.#now = now;
    return this.#transfer?.sender.retry(now) ?? false;
  }

  /**
   * Packets take another path from now on: what was learnt of the old one, its size and speed, is
   * forgotten (RFC 9260 7.2.1, RFC 8899 4.4), and what is overdue is sent again.
   */
  pathChanged(now: number): void {
    this.#now = now;
    this.#transfer?.pathChanged(now);
  }

  /** Does what is due; harmless when nothing is. */
  tick(now: number): void {
    this.#now = now;
    this.#toldDeadline = Infinity; // whoever calls early has no timer now
    const state = this.#state;
    switch (state.type) {
      case "new":
      case "closed":
        return;
      case "cookie wait":
      case "cookie echoed":
      case "shutdown ack sent":
        return this.#retry(state);
      case "established":
      case "shutdown received":
        if (!state.transfer.tick(now)) this.#abort(PROTOCOL_VIOLATION, "the peer does not answer");
    }
  }

  /** The next output, or undefined when there is nothing more to do now. */
  poll(): SctpOutput | undefined {
    return this.#outbox.shift() ?? this.#pollPacket() ?? this.#pollRest();
  }

  /** Ends the association at once, and tells the peer (ABORT, user-initiated). */
  close(now: number): void {
    this.#now = now;
    if (this.#state.type !== "closed") this.#abort(USER_INITIATED, "closed here");
  }

  get stats(): SctpStats {
    const sender = this.#transfer?.sender;
    return {
      packetsSent: this.#sentPackets + this.#outbox.packets,
      packetsReceived: this.#received,
      packetsDropped: this.#dropped,
      retransmissions: sender?.stats.retransmissions ?? 0,
      timeouts: sender?.stats.timeouts ?? 0,
      probes: sender?.stats.probes ?? 0,
      roundTrip: this.#rtt.smoothed,
      flight: sender?.flightBytes ?? 0,
      window: sender?.congestion.window ?? 0,
      bandwidth: sender?.congestion.bandwidth ?? 0,
      phase: sender?.congestion.phase ?? this.#state.type,
      packetBytes: this.#transfer?.packetBytes ?? 0,
    };
  }

  // State

  #set(state: AssociationState): void {
    this.#state = state;
    this.#transfer = "transfer" in state ? state.transfer : undefined;
  }

  #peerTag(): number {
    if (this.#transfer !== undefined) return this.#transfer.peer.tag;
    return this.#state.type === "cookie echoed" ? this.#state.peer.tag : 0;
  }

  #tags(): Tags | undefined {
    const transfer = this.#transfer;
    if (transfer === undefined) return undefined;
    return { local: this.#handshake.localTag, peer: transfer.peer.tag };
  }

  #outboundStreams(): number {
    return Math.min(MAX_STREAMS, this.#transfer?.peer.inboundStreams ?? MAX_STREAMS);
  }

  #establish(peer: PeerParameters): void {
    const transfer = new Transfer({
      now: this.#now,
      random: this.#random,
      writer: this.#writer,
      queue: this.#queue,
      rtt: this.#rtt,
      localTsn: this.#handshake.localTsn,
      peer,
      inboundStreams: MAX_STREAMS,
      receiveWindow: this.#receiveWindow,
      maxMessageBytes: this.#maxMessageBytes,
      deliver: ({ streamId, protocol, bytes }) =>
        this.#outbox.push({ type: "message", streamId, protocol, bytes }),
    });
    for (const streamId of this.#paused) transfer.receiver.pause(streamId);
    this.#set({ type: "established", transfer });
    this.#outbox.push({ type: "established" });
  }

  /** Tells the peer, if it can be told, and ends. */
  #abort(cause: number, reason: string): void {
    const tag = this.#peerTag();
    if (tag !== 0) this.#outbox.pushPacket(tag, makeAbort(cause));
    this.#end(reason);
  }

  #end(reason: string): void {
    this.#set({ type: "closed" });
    this.#queue.clear();
    this.#outbox.push({ type: "closed", reason });
  }

  // Output

  #pollPacket(): SctpOutput | undefined {
    const transfer = this.#transfer;
    if (transfer === undefined) return undefined;
    const waited = this.#queue.bytes;
    const packet = transfer.poll(this.#now, this.#state.type !== "shutdown ack sent");
    if (this.#queue.bytes < waited) this.#hasRoom = true;
    if (packet !== undefined) this.#sentPackets++;
    return packet;
  }

  #pollRest(): SctpOutput | undefined {
    if (this.#hasRoom) {
      this.#hasRoom = false;
      return ACKED;
    }
    const at = this.#deadline();
    if (at >= this.#toldDeadline) return undefined;
    this.#toldDeadline = at;
    return { type: "deadline", at };
  }

  #deadline(): number {
    const state = this.#state;
    if ("retry" in state) return state.retry.at;
    return "transfer" in state ? state.transfer.deadline : Infinity;
  }

  #sendReply({ chunk, tag }: Reply): void {
    this.#outbox.pushPacket(tag, chunk);
  }

  #retry(state: AssociationState & { readonly retry: Retry }): void {
    const verdict = state.retry.tick(this.#now);
    if (verdict === "wait") return;
    if (verdict === "give up") return this.#end("the peer does not answer");
    if (state.type === "cookie wait") this.#outbox.pushPacket(0, this.#handshake.makeInit());
    else if (state.type === "cookie echoed") this.#outbox.pushPacket(state.peer.tag, ...state.echo);
    else this.#sendShutdownAck();
  }

  // Input

  /** Gives false when nothing of the packet was for us. */
  #takePacket(packet: Uint8Array): boolean {
    const walk = this.#walk;
    walk.start(packet, COMMON_HEADER_BYTES);
    const tag = verificationTag(packet);
    let isFirst = true;
    while (walk.next()) {
      const tags = { local: this.#handshake.localTag, peer: this.#peerTag() };
      if (!isTagged(packet, walk, tags)) return !isFirst;
      const goesOn = this.#takeChunk(packet, tag);
      isFirst = false;
      if (!goesOn) break;
    }
    this.#endPacket();
    return !isFirst;
  }

  /** Gives false when the rest of the packet is not to be looked at. */
  #takeChunk(packet: Uint8Array, tag: number): boolean {
    const walk = this.#walk;
    switch (walk.type) {
      case chunks.INIT:
        this.#takeInit(packet);
        return false;
      case chunks.INIT_ACK:
        this.#takeInitAck(packet);
        return false;
      case chunks.COOKIE_ECHO:
        this.#takeCookieEcho(packet, tag);
        return tag === this.#handshake.localTag && this.#transfer !== undefined;
      case chunks.COOKIE_ACK:
        if (this.#state.type === "cookie echoed") this.#establish(this.#state.peer);
        return true;
      case chunks.ABORT:
        this.#end("the peer has aborted");
        return false;
      case chunks.ERROR:
        this.#takeError(packet);
        return true;
    }
    return this.#transfer !== undefined && this.#takeTransferChunk(packet, this.#transfer);
  }

  #takeTransferChunk(packet: Uint8Array, transfer: Transfer): boolean {
    switch (this.#walk.type) {
      case chunks.SHUTDOWN:
        this.#takeShutdown(packet, transfer);
        return true;
      case chunks.SHUTDOWN_COMPLETE:
        if (this.#state.type === "shutdown ack sent") this.#end("the peer has shut down");
        return false;
      case chunks.SHUTDOWN_ACK:
        return true; // we never send a SHUTDOWN
    }
    const outcome = transfer.takeChunk(this.#now, packet, this.#walk);
    if (typeof outcome === "string") return outcome === "go on";
    this.#abort(outcome.abort, "the peer has broken the protocol");
    return false;
  }

  #endPacket(): void {
    this.#transfer?.endPacket(this.#now);
    this.#checkShutdown();
  }

  // Handshake

  #takeInit(packet: Uint8Array): void {
    if (this.#state.type === "shutdown ack sent") return; // T2 repeats the SHUTDOWN ACK (9.2)
    const beside = { now: this.#now, existing: this.#tags() };
    const reply = this.#handshake.answerInit(packet, this.#walk, beside);
    if (reply !== undefined) this.#sendReply(reply);
  }

  /** 5.1 C; in any other state it is late (5.2.3). */
  #takeInitAck(packet: Uint8Array): void {
    const state = this.#state;
    if (state.type !== "cookie wait") return;
    const meaning = this.#handshake.readInitAck(packet, this.#walk);
    if (meaning?.type === "refuse") {
      if (meaning.reply !== undefined) this.#sendReply(meaning.reply);
      return this.#end("the peer's answer cannot be used");
    }
    if (meaning === undefined) return;
    if (state.retry.attempts === 1) this.#rtt.sample(this.#now, this.#now - state.since); // Karn
    const { echo, peer } = meaning;
    this.#set({ type: "cookie echoed", retry: new Retry(this.#now, HANDSHAKE_RETRY), echo, peer });
    this.#outbox.pushPacket(peer.tag, ...echo);
  }

  /** 5.1 D, 5.2.4. */
  #takeCookieEcho(packet: Uint8Array, tag: number): void {
    const beside = { now: this.#now, tag, existing: this.#tags() };
    const meaning = this.#handshake.readCookie(packet, this.#walk, beside);
    switch (meaning.type) {
      case "establish":
        this.#rtt.sample(this.#now, meaning.roundTrip);
        this.#establish(meaning.peer);
        return this.#acknowledgeCookie();
      case "repeat":
        return this.#acknowledgeCookie();
      case "stale":
        return this.#sendReply(meaning.reply);
      case "restart": // what was under way is lost: a reliable channel cannot go on (5.2.4.1)
        this.#sendReply(meaning.reply);
        return this.#end("the peer has started anew");
      case "discard":
    }
  }

  #acknowledgeCookie(): void {
    this.#transfer?.answer(chunks.makeChunk(chunks.COOKIE_ACK, 0, NOTHING), true);
  }

  /** A stale cookie means: once more from the start (5.2.6). All else is for information. */
  #takeError(packet: Uint8Array): void {
    if (this.#state.type !== "cookie echoed") return;
    const causes = readCauses(packet, this.#walk);
    if (!causes.some(({ type }) => type === STALE_COOKIE)) return;
    const { retry } = this.#state;
    this.#set({ type: "cookie wait", retry, since: this.#now });
    this.#outbox.pushPacket(0, this.#handshake.makeInit());
  }

  // End

  #sendShutdownAck(): void {
    this.#outbox.pushPacket(this.#peerTag(), chunks.makeChunk(chunks.SHUTDOWN_ACK, 0, NOTHING));
  }

  #takeShutdown(packet: Uint8Array, transfer: Transfer): void {
    const isSound = transfer.takeShutdown(this.#now, packet, this.#walk);
    if (isSound && this.#state.type === "established") {
      this.#set({ type: "shutdown received", transfer });
    }
  }

  /** 9.2: all that was queued has arrived. */
  #checkShutdown(): void {
    const state = this.#state;
    if (state.type !== "shutdown received" || !state.transfer.sender.isDone) return;
    const retry = new Retry(this.#now, SHUTDOWN_RETRY);
    this.#set({ type: "shutdown ack sent", transfer: state.transfer, retry });
    this.#sendShutdownAck();
  }
}
