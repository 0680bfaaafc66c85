/**
 * RTP packets, in order, to access units, whatever the codec (`RtpFormat` knows that). Pure. After a
 * lost packet everything up to the next whole key frame is dropped: a decoder that misses a picture
 * shows garbage. Left out: cameras that set the marker on every slice of a picture.
 */
import { concat } from "../lib/bytes.ts";
import { MAX_UNIT_BYTES, MAX_UNIT_NALS } from "./access_unit.ts";
import { type RtpPacket, sequenceDistance } from "./rtp.ts";
import { H264_FORMAT } from "./rtp_h264.ts";
import type { AccessUnit } from "./source.ts";

/** What one RTP payload holds. */
export type RtpContent =
  /** Whole NAL units: views into the payload. None: a mere keep-alive. */
  | { readonly type: "nals"; readonly nals: readonly Uint8Array[] }
  /** A piece of one; `head` begins the unit that the pieces make. */
  | {
    readonly type: "fragment";
    readonly head: Uint8Array;
    readonly first: boolean;
    readonly last: boolean;
    readonly body: Uint8Array;
  }
  /** It cannot be; the picture that it belongs to is lost. */
  | { readonly type: "damaged" };

/** How a codec travels in RTP. */
export interface RtpFormat {
  /** Throws a CameraError `unsupported` for a mode that is refused by name. */
  read(payload: Uint8Array): RtpContent;
  isPicture(nal: Uint8Array): boolean;
  /** Whether a picture begins with this unit. */
  startsPicture(nal: Uint8Array): boolean;
  unit(nals: readonly Uint8Array[], timestamp: number): AccessUnit;
}

export class Depacketizer {
  readonly #format: RtpFormat;
  #expected: number | undefined;
  #timestamp = 0;
  #nals: Uint8Array[] = [];
  #bytes = 0;
  #hasPicture = false;
  #fragments: Uint8Array[] = [];
  #damaged = false;
  #awaitsKey = true;

  constructor(format: RtpFormat = H264_FORMAT) {
    this.#format = format;
  }

  /**
   * Gives the access units that the packet completes. Throws a CameraError `unsupported` for a mode
   * that is refused by name.
   */
  push(packet: RtpPacket): AccessUnit[] {
    this.#noticeLoss(packet.sequence);
    const units = packet.timestamp === this.#timestamp ? [] : this.#finish();
    this.#timestamp = packet.timestamp;
    this.#takePayload(packet.payload);
    if (packet.marker && (this.#hasPicture || this.#damaged)) units.push(...this.#finish());
    return units;
  }

  #noticeLoss(sequence: number): void {
    const lost = this.#expected !== undefined && sequenceDistance(sequence, this.#expected) !== 0;
    this.#expected = (sequence + 1) & 0xffff;
    if (!lost) return;
    this.#clear();
    this.#awaitsKey = true;
  }

  #takePayload(payload: Uint8Array): void {
    const content = this.#format.read(payload);
    if (content.type === "fragment") return this.#takeFragment(content);
    if (this.#fragments.length > 0 && payload.length > 0) this.#damage();
    if (content.type === "damaged") return this.#damage();
    for (const nal of content.nals) this.#takeNal(nal.slice());
  }

  #takeFragment({ head, first, last, body }: RtpContent & { type: "fragment" }): void {
    if (first !== (this.#fragments.length === 0)) return this.#damage();
    if (first) this.#fragments.push(head);
    this.#fragments.push(body);
    this.#bytes += body.length;
    if (this.#bytes > MAX_UNIT_BYTES) return this.#damage();
    if (!last) return;
    const nal = concat(...this.#fragments);
    this.#fragments = [];
    this.#bytes -= nal.length - head.length;
    this.#takeNal(nal);
  }

  #takeNal(nal: Uint8Array): void {
    if (this.#damaged) return;
    this.#nals.push(nal);
    this.#bytes += nal.length;
    this.#hasPicture ||= this.#format.isPicture(nal);
    if (this.#nals.length > MAX_UNIT_NALS || this.#bytes > MAX_UNIT_BYTES) this.#damage();
  }

  /** The unit cannot be used, and neither can what refers to it. */
  #damage(): void {
    this.#clear();
    this.#damaged = true;
    this.#awaitsKey = true;
  }

  #clear(): void {
    this.#nals = [];
    this.#bytes = 0;
    this.#hasPicture = false;
    this.#fragments = [];
    this.#damaged = false;
  }

  #finish(): AccessUnit[] {
    if (this.#fragments.length > 0) this.#damage();
    // Some cameras send parameter sets under a marker or timestamp of their own: they stay for the
    // picture that follows.
    if (!this.#hasPicture && !this.#damaged) return [];
    const unit = this.#format.unit(this.#nals, this.#timestamp);
    const usable = !this.#damaged && (!this.#awaitsKey || (unit.keyFrame && this.#isWhole(unit)));
    this.#clear();
    if (usable) this.#awaitsKey = false;
    return usable ? [unit] : [];
  }

  /** Its first slice is there: the packets before the first one seen may have held it. */
  #isWhole(unit: AccessUnit): boolean {
    const first = unit.nals.find((nal) => this.#format.isPicture(nal));
    return first !== undefined && this.#format.startsPicture(first);
  }
}
