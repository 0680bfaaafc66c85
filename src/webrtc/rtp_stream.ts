/**
 * One outgoing RTP stream: numbers packets without gaps, keeps them for retransmission (RFC 4585
 * 6.2.1, RFC 4588) and reports when its timestamps were (RFC 3550 6.4.1). It takes the place of
 * werift's sender, whose history is 128 packets deep, whose NTP fraction is wrong, and which keeps
 * a record of every packet for ever (werift-audit.md 5, 9.10). Time is an argument.
 *
 * Of header extensions there is one: pictures are to be shown as they come. When packets leave is for `paced_frames.ts` to say.
 */
import { Buffer } from "node:buffer";
import { randomInt } from "node:crypto";
import {
  RtcpSenderInfo,
  RtcpSourceDescriptionPacket,
  RtcpSrPacket,
  RtpHeader,
  SourceDescriptionChunk,
  SourceDescriptionItem,
} from "werift";

/** An access unit, cut into RTP payloads (RFC 6184 5). */
export interface VideoFrame {
  readonly payloads: readonly Uint8Array[];
  /** 90 kHz, unsigned 32 bits. */
  readonly timestamp: number;
  readonly keyFrame: boolean;
  /** From before the viewer came, or played again: to be caught up with. */
  readonly kept?: boolean;
}

/** Some packets of a frame, in order; `ends`: the last of them are among these. */
export interface FramePart {
  readonly payloads: readonly Uint8Array[];
  readonly timestamp: number;
  readonly ends: boolean;
}

/** A sender report with the description of the source. */
export type Report = [RtcpSrPacket, RtcpSourceDescriptionPacket];

/** Takes packets to the other end. None of them may throw. */
export interface RtpWire {
  rtp(header: RtpHeader, payload: Buffer): void;
  rtcp(report: Report): void;
}

/** How packets are marked. */
export interface PayloadTypes {
  readonly payloadType: number;
  readonly rtx?: number | undefined;
  /** Number of the playout-delay extension, where both ends use it. */
  readonly playoutDelay?: number | undefined;
}

export interface RtpStreamOptions {
  readonly ssrc: number;
  readonly rtxSsrc: number;
  readonly cname: string;
  readonly wire: RtpWire;
}

/**
 * The playout-delay extension of libwebrtc: 12 bits of the least delay, 12 of the most, in 10 ms.
 * With 0 and at most 500 ms a browser shows each picture when it is decoded, whatever its jitter
 * buffer would like.
 */
const NO_DELAY = Buffer.of(0x00, 0x00, 0x0a);
const CLOCK_PER_MS = 90; // RFC 6184 8.2.1
/**
 * RFC 3711 3.3.1: a first sequence number in the lower half keeps the rollover counter of both ends
 * alike.
 */
const FIRST_SEQUENCE_LIMIT = 0x8000;
/** How long a packet may be asked for, in ms: a jitter buffer waits less than a second. */
export const HISTORY_MS = 1500;
/** Bytes of packets kept: 1.5 s of 20 Mbit/s. The payloads are shared by all viewers. */
export const MAX_HISTORY_BYTES = 4 << 20;
/** Packets kept, a power of two: an index is the low bits of a sequence number. */
export const MAX_HISTORY_PACKETS = 8192;
/** A packet is not sent again twice within this time, in ms: several requests are for one loss. */
const REPEAT_MS = 20;
/** Times that one packet is sent again. */
const MAX_REPEATS = 10;
/** Seconds from 1900 to 1970 (RFC 3550 4). */
const NTP_EPOCH_SECONDS = 2_208_988_800;

interface Kept {
  readonly header: RtpHeader;
  readonly payload: Buffer;
  readonly at: number;
  repeatedAt: number;
  repeats: number;
}

/** See the head of this file. */
export class RtpStream {
  readonly #options: RtpStreamOptions;
  readonly #history: (Kept | undefined)[] = [];
  #historyBytes = 0;
  #oldest: number;
  #next: number;
  #rtxNext = randomInt(FIRST_SEQUENCE_LIMIT);
  #packets = 0;
  #repeated = 0;
  #octets = 0;
  #again = 0;
  #last: { readonly timestamp: number; readonly at: number } | undefined;

  constructor(options: RtpStreamOptions) {
    this.#options = options;
    this.#next = this.#oldest = randomInt(FIRST_SEQUENCE_LIMIT);
  }

  /** Bytes of payload sent so far, those that were sent again among them. Wraps at 2^32. */
  get sentBytes(): number {
    return (this.#octets + this.#again) >>> 0;
  }

  /** Packets that could be asked for. */
  get historyPackets(): number {
    return (this.#next - this.#oldest) & 0xffff;
  }

  /** Packets sent for the first time, and again. */
  get counts(): { readonly sent: number; readonly repeated: number } {
    return { sent: this.#packets, repeated: this.#repeated };
  }

  /** Sends a part of a frame. `now` is in ms, of any clock that only goes forward. */
  send(now: number, { payloads, timestamp, ends }: FramePart, types: PayloadTypes): void {
    const { payloadType, playoutDelay } = types;
    this.#last = { timestamp, at: now };
    this.#forget(now);
    payloads.forEach((bytes, index) => {
      const header = new RtpHeader({
        payloadType,
        sequenceNumber: this.#next,
        timestamp,
        ssrc: this.#options.ssrc,
        ...extension(playoutDelay),
        marker: ends && index === payloads.length - 1, // RFC 6184 5.1: end of the access unit
      });
      const payload = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.#keep({ header, payload, at: now, repeatedAt: now, repeats: 0 });
      this.#packets = (this.#packets + 1) >>> 0;
      this.#octets = (this.#octets + payload.length) >>> 0;
      this.#options.wire.rtp(header, payload);
    });
  }

  /** Sends packets again that the other end misses, as far as they are kept. */
  repeat(now: number, lost: readonly number[], types: PayloadTypes): void {
    for (const sequence of lost) {
      const kept = this.#history[sequence & (MAX_HISTORY_PACKETS - 1)];
      if (kept === undefined || kept.header.sequenceNumber !== (sequence & 0xffff)) continue;
      const isFirst = kept.repeats === 0;
      if (kept.repeats >= MAX_REPEATS || (!isFirst && now - kept.repeatedAt < REPEAT_MS)) continue;
      kept.repeats++;
      kept.repeatedAt = now;
      this.#repeated++;
      this.#sendAgain(kept, types);
    }
  }

  /** With a payload type of its own, in a stream of its own (RFC 4588 4); else as it was. */
  #sendAgain({ header, payload }: Kept, { rtx, playoutDelay }: PayloadTypes): void {
    const { wire, rtxSsrc } = this.#options;
    this.#again = (this.#again + payload.length) >>> 0;
    if (rtx === undefined) return wire.rtp(header, payload);
    const again = new RtpHeader({
      payloadType: rtx,
      sequenceNumber: this.#rtxNext,
      timestamp: header.timestamp,
      ssrc: rtxSsrc,
      ...extension(playoutDelay),
      marker: header.marker,
    });
    this.#rtxNext = (this.#rtxNext + 1) & 0xffff;
    const original = Buffer.alloc(2);
    original.writeUInt16BE(header.sequenceNumber);
    wire.rtp(again, Buffer.concat([original, payload]));
  }

  /**
   * Reports which timestamp this moment has, by the last frame. Nothing happens before the first
   * one. `unixMs` is the wall clock, which may jump.
   */
  report(now: number, unixMs: number): void {
    if (this.#last === undefined) return;
    const { ssrc, cname, wire } = this.#options;
    const elapsed = Math.round((now - this.#last.at) * CLOCK_PER_MS);
    const senderInfo = new RtcpSenderInfo({
      ntpTimestamp: ntpTime(unixMs),
      rtpTimestamp: (this.#last.timestamp + elapsed) >>> 0,
      packetCount: this.#packets,
      octetCount: this.#octets,
    });
    const items = [new SourceDescriptionItem({ type: 1, text: cname })]; // CNAME
    wire.rtcp([
      new RtcpSrPacket({ ssrc, senderInfo }),
      new RtcpSourceDescriptionPacket({
        chunks: [new SourceDescriptionChunk({ source: ssrc, items })],
      }),
    ]);
  }

  #keep(kept: Kept): void {
    if (this.historyPackets === MAX_HISTORY_PACKETS) this.#drop();
    this.#history[this.#next & (MAX_HISTORY_PACKETS - 1)] = kept;
    this.#historyBytes += kept.payload.length;
    this.#next = (this.#next + 1) & 0xffff;
    while (this.#historyBytes > MAX_HISTORY_BYTES && this.historyPackets > 1) this.#drop();
  }

  #forget(now: number): void {
    while (this.#oldest !== this.#next) {
      const kept = this.#history[this.#oldest & (MAX_HISTORY_PACKETS - 1)]!;
      if (now - kept.at <= HISTORY_MS) return;
      this.#drop();
    }
  }

  #drop(): void {
    const index = this.#oldest & (MAX_HISTORY_PACKETS - 1);
    this.#historyBytes -= this.#history[index]!.payload.length;
    this.#history[index] = undefined;
    this.#oldest = (this.#oldest + 1) & 0xffff;
  }
}

function extension(id: number | undefined): Partial<RtpHeader> {
  return id === undefined ? {} : { extension: true, extensions: [{ id, payload: NO_DELAY }] };
}

/** Seconds since 1900 in the upper half, their fraction in the lower (RFC 3550 4). */
export function ntpTime(unixMs: number): bigint {
  const seconds = Math.floor(unixMs / 1000);
  const fraction = Math.floor((unixMs - seconds * 1000) / 1000 * 2 ** 32);
  return (BigInt(seconds + NTP_EPOCH_SECONDS) << 32n) | BigInt(fraction);
}
