/**
 * RTP packets, in order, to access units (RFC 6184 5.6 to 5.8). Pure. After a lost packet
 * everything up to the next whole key frame is dropped: a decoder that misses a picture shows
 * garbage. Refused by name: the interleaved mode (STAP-B, MTAP, FU-B). Left out: cameras that set
 * the marker on every slice of a picture.
 */
import { concat } from "../lib/bytes.ts";
import { accessUnit, MAX_UNIT_BYTES, MAX_UNIT_NALS } from "./access_unit.ts";
import { isPicture, startsPicture } from "./nal.ts";
import { type RtpPacket, sequenceDistance } from "./rtp.ts";
import { type AccessUnit, CameraError } from "./source.ts";

const STAP_A = 24;
const FU_A = 28;
const REFUSED: ReadonlyMap<number, string> = new Map([
  [25, "STAP-B"],
  [26, "MTAP16"],
  [27, "MTAP24"],
  [29, "FU-B"],
]);

export class Depacketizer {
  #expected: number | undefined;
  #timestamp = 0;
  #nals: Uint8Array[] = [];
  #bytes = 0;
  #hasPicture = false;
  #fragments: Uint8Array[] = [];
  #damaged = false;
  #awaitsKey = true;

  /**
   * Gives the access units that the packet completes. Throws a CameraError `unsupported` for the
   * interleaved mode.
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
    const type = payload.length === 0 ? 0 : payload[0]! & 0x1f;
    const refused = REFUSED.get(type);
    if (refused !== undefined) {
      const remedy = "use packetization-mode 0 or 1";
      throw new CameraError(
        "unsupported",
        `Cannot read video: ${refused} is not supported: ${remedy}`,
      );
    }
    if (type !== FU_A && this.#fragments.length > 0) this.#damage();
    if (type === FU_A) this.#takeFragment(payload);
    else if (type === STAP_A) this.#takeAggregate(payload);
    else if (type >= 1 && type < STAP_A) this.#takeNal(payload.slice());
    else if (payload.length > 0) this.#damage(); // reserved: an empty packet is a mere keep-alive
  }

  /** RFC 6184 5.7.1 */
  #takeAggregate(payload: Uint8Array): void {
    let offset = 1;
    while (offset + 2 <= payload.length) {
      const length = (payload[offset]! << 8) | payload[offset + 1]!;
      const end = offset + 2 + length;
      if (length === 0 || end > payload.length) break;
      this.#takeNal(payload.slice(offset + 2, end));
      offset = end;
    }
    if (offset !== payload.length) this.#damage();
  }

  /** RFC 6184 5.8 */
  #takeFragment(payload: Uint8Array): void {
    if (payload.length < 3) return this.#damage();
    const first = (payload[1]! & 0x80) !== 0;
    const last = (payload[1]! & 0x40) !== 0;
    if (first !== (this.#fragments.length === 0)) return this.#damage();
    if (first) this.#fragments.push(Uint8Array.of((payload[0]! & 0xe0) | (payload[1]! & 0x1f)));
    this.#fragments.push(payload.subarray(2));
    this.#bytes += payload.length - 2;
    if (this.#bytes > MAX_UNIT_BYTES) return this.#damage();
    if (!last) return;
    const nal = concat(...this.#fragments);
    this.#fragments = [];
    this.#bytes -= nal.length - 1;
    this.#takeNal(nal);
  }

  #takeNal(nal: Uint8Array): void {
    if (this.#damaged) return;
    this.#nals.push(nal);
    this.#bytes += nal.length;
    this.#hasPicture ||= isPicture(nal);
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
    const unit = accessUnit(this.#nals, this.#timestamp);
    const usable = !this.#damaged && (!this.#awaitsKey || (unit.keyFrame && isWhole(unit)));
    this.#clear();
    if (usable) this.#awaitsKey = false;
    return usable ? [unit] : [];
  }
}

/** Its first slice is there: the packets before the first one seen may have held it. */
function isWhole(unit: AccessUnit): boolean {
  const first = unit.nals.find(isPicture);
  return first !== undefined && startsPicture(first);
}
