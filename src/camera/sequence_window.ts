/** Puts RTP packets back in order. Pure; small, because every packet that waits is latency. */
import { type RtpPacket, sequenceDistance } from "./rtp.ts";

/** Packets that may wait for a missing one; on a LAN a packet is overtaken by few others. */
export const REORDER_PACKETS = 32;
/** A packet later than this is lost: about one frame. */
export const REORDER_MS = 40;

const RESYNC_PACKETS = 16; // so many old packets in a row are a sender that started afresh

export class SequenceWindow {
  readonly #capacity: number;
  readonly #waiting = new Map<number, { packet: RtpPacket; since: number }>();
  #expected: number | undefined;
  #oldInARow = 0;

  /** `capacity` is 0 for a transport that keeps the order. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * Takes a packet and gives those that are due, in order. What is missing after that is lost;
   * duplicates are dropped.
   */
  push(now: number, packet: RtpPacket): RtpPacket[] {
    this.#expected ??= packet.sequence;
    if (sequenceDistance(packet.sequence, this.#expected) < 0) {
      if (++this.#oldInARow < RESYNC_PACKETS) return [];
      this.#waiting.clear();
      this.#expected = packet.sequence;
    }
    this.#oldInARow = 0;
    this.#waiting.set(packet.sequence, { packet, since: now });
    const due = this.#takeRun();
    while (this.#waiting.size > 0 && this.#mustSkip(now)) {
      this.#expected = this.#nearest();
      due.push(...this.#takeRun());
    }
    return due;
  }

  #takeRun(): RtpPacket[] {
    const run: RtpPacket[] = [];
    for (let next = this.#waiting.get(this.#expected!); next !== undefined;) {
      run.push(next.packet);
      this.#waiting.delete(this.#expected!);
      this.#expected = (this.#expected! + 1) & 0xffff;
      next = this.#waiting.get(this.#expected);
    }
    return run;
  }

  #mustSkip(now: number): boolean {
    if (this.#waiting.size > this.#capacity) return true;
    for (const { since } of this.#waiting.values()) return now - since > REORDER_MS; // oldest first
    return false;
  }

  #nearest(): number {
    let nearest = 0x10000;
    for (const sequence of this.#waiting.keys()) {
      nearest = Math.min(nearest, (sequence - this.#expected!) & 0xffff);
    }
    return (this.#expected! + nearest) & 0xffff;
  }
}
