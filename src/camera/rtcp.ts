/**
 * What a camera wants to hear of its viewer (RFC 3550 6.4): receiver reports, without which some
 * stop sending. Pure. Left out: everything else that RTCP can say.
 */
import { concat, utf8 } from "../lib/bytes.ts";
import { type RtpPacket, sequenceDistance } from "./rtp.ts";

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const SOURCE_DESCRIPTION = 202;
const VERSION_BITS = 0x80;
const SENDER_REPORT_BYTES = 28;
const CNAME = utf8("porthole");
const CLOCK_PER_MS = 90;
const MAX_LOST = 0x7fffff;

/** What arrived from one sender. */
export class Reception {
  readonly #sender: number;
  readonly #first: number;
  #highest: number;
  #cycles = 0;
  #received = 0;
  #before = { expected: 0, received: 0 };
  #transit: number | undefined;
  #jitter = 0;
  #report: { middle: number; at: number } | undefined;

  constructor(packet: RtpPacket) {
    this.#sender = packet.ssrc;
    this.#first = packet.sequence;
    this.#highest = packet.sequence;
  }

  take(now: number, packet: RtpPacket): void {
    this.#received++;
    if (sequenceDistance(packet.sequence, this.#highest) > 0) {
      if (packet.sequence < this.#highest) this.#cycles += 0x10000;
      this.#highest = packet.sequence;
    }
    // A.8; the difference is what counts
    const transit = (now * CLOCK_PER_MS - packet.timestamp) | 0;
    const step = this.#transit === undefined ? 0 : Math.abs((transit - this.#transit) | 0);
    this.#transit = transit;
    this.#jitter += (step - this.#jitter) / 16;
  }

  /** Notes a sender report of the camera; anything else is ignored. */
  takeControl(now: number, bytes: Uint8Array): void {
    if (bytes.length < SENDER_REPORT_BYTES || bytes[0]! >> 6 !== 2) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes[1] !== SENDER_REPORT || view.getUint32(4) !== this.#sender) return;
    this.#report = { middle: view.getUint32(10), at: now };
  }

  /**
   * A compound packet: receiver report and the source description that must follow (RFC 3550 6.1).
   */
  receiverReport(now: number, own: number): Uint8Array {
    const bytes = new Uint8Array(32);
    const view = new DataView(bytes.buffer);
    writeHeader(view, { count: 1, type: RECEIVER_REPORT });
    view.setUint32(4, own);
    view.setUint32(8, this.#sender);
    const highest = this.#cycles + this.#highest;
    const expected = highest - this.#first + 1;
    const lost = Math.min(Math.max(expected - this.#received, 0), MAX_LOST);
    view.setUint32(12, ((this.#fractionLost(expected) << 24) | lost) >>> 0);
    view.setUint32(16, highest >>> 0);
    view.setUint32(20, Math.min(Math.round(this.#jitter), 0xffffffff));
    if (this.#report !== undefined) {
      view.setUint32(24, this.#report.middle);
      view.setUint32(28, Math.round(((now - this.#report.at) * 65_536) / 1000) >>> 0);
    }
    return concat(bytes, sourceDescription(own));
  }

  /** Of the packets since the last report, in 1/256 (A.3). */
  #fractionLost(expected: number): number {
    const due = expected - this.#before.expected;
    const came = this.#received - this.#before.received;
    this.#before = { expected, received: this.#received };
    return due <= 0 || came >= due ? 0 : Math.min(255, Math.floor(((due - came) * 256) / due));
  }
}

function sourceDescription(own: number): Uint8Array {
  const items = 2 + CNAME.length;
  const bytes = new Uint8Array(8 + 4 * Math.ceil((items + 1) / 4)); // ends with at least one zero
  const view = new DataView(bytes.buffer);
  writeHeader(view, { count: 1, type: SOURCE_DESCRIPTION });
  view.setUint32(4, own);
  bytes.set([1, CNAME.length], 8);
  bytes.set(CNAME, 10);
  return bytes;
}

function writeHeader(view: DataView, header: { count: number; type: number }): void {
  view.setUint8(0, VERSION_BITS | header.count);
  view.setUint8(1, header.type);
  view.setUint16(2, view.byteLength / 4 - 1);
}
