/**
 * When a SACK is due, and for what (RFC 9260 6.2): every second packet, a single one after a while,
 * the whole state at once, and then for each packet. Acknowledgements of a long lump of packets leave spread (ack_pacer.ts);
 * those that may leave together are one for every second packet still, as chunks of one packet: a
 * sender opens its window and sends by the number of SACKs, not of packets that they came in.
 */
import { AckPacer } from "./ack_pacer.ts";

/**
 * RFC 9260 allows 200 ms at most. Short, since a sender that waits for us at the end of a message
 * waits this long; long enough that on any path worth the name a second packet comes first.
 */
export const SACK_DELAY_MS = 20;
const PACKETS_PER_STEP = 2;
/** Steps that wait; more are told as one. Those of 2 MiB in full packets are 900. */
export const MAX_STEPS = 1024;

/**
 * A path has no losses when so many packets in a row came in order and once. Only before that are
 * packets spent on the loss of a SACK.
 */
const CALM_PACKETS = 1000;

/** What a packet with DATA has changed. */
export interface Arrival {
  /** Gaps and their ends, duplicates, and what had no room. */
  readonly isUrgent: boolean;
  /**
   * Whether the peer asks not to wait for a second packet (RFC 7053). Chromium does for each packet
   * that fills its window, and so for all of them when that is small.
   */
  readonly isImmediate: boolean;
  readonly cumulativeTsn: number;
  /** Smallest round trip in ms; Infinity while unknown. */
  readonly rtt: number;
}

/** A cumulative TSN, and the packets since the one before. */
interface Step {
  readonly cumulativeTsn: number;
  readonly packets: number;
}

export class AckTiming {
  readonly #pacer = new AckPacer();
  /** To be told one by one, oldest first. None while there are gaps. */
  #steps: Step[] = [];
  /** Packets since the last step, and what they have led to. */
  #packets = 0;
  #cumulativeTsn = 0;
  #at = Infinity;
  #isUrgent = false;
  /** Packets since the last that was not in order, or was here before. */
  #calmPackets = CALM_PACKETS;
  /** Whether the steps may not wait for the pace. */
  #isHasty = false;

  /** When a SACK falls due by itself; Infinity when none is owed. */
  get deadline(): number {
    return this.#steps.length === 0 ? this.#at : Math.min(this.#at, this.#pacer.at);
  }

  isDue(now: number): boolean {
    if (this.#isUrgent || this.#isHasty) return true;
    const isWaiting = this.#steps.length > 0 || now >= this.#at;
    return isWaiting && this.#pacer.allows(now, PACKETS_PER_STEP);
  }

  /** Whether the whole state is to be told at once. */
  get isUrgent(): boolean {
    return this.#isUrgent;
  }

  /** Whether one step is left, and should not share a packet with those before it. */
  get isNewestApart(): boolean {
    return this.#steps.length === 1 && this.#isLossy;
  }

  get #isLossy(): boolean {
    return this.#calmPackets < CALM_PACKETS;
  }

  /** Whether the whole state is to be told: at once, or as it is no more than the next step. */
  get owesAll(): boolean {
    return this.#isUrgent || (this.#packets > 0 && this.#steps.length === 0);
  }

  notePacket(now: number, arrival: Arrival): void {
    this.#pacer.note(now, arrival.rtt);
    const before = this.#cumulativeTsn;
    this.#cumulativeTsn = arrival.cumulativeTsn;
    this.#calmPackets = arrival.isUrgent ? 0 : this.#calmPackets + 1;
    if (arrival.isUrgent || this.#steps.length >= MAX_STEPS) this.demand();
    else if (arrival.isImmediate) this.#hasten(before);
    else if (++this.#packets >= PACKETS_PER_STEP) this.#step();
    else this.#at = now + SACK_DELAY_MS;
  }

  /** The whole state is to be told at once. */
  demand(): void {
    this.#isUrgent = true;
  }

  /** Takes the cumulative TSN of the next step; undefined when there is none, or too early. */
  take(now: number): number | undefined {
    if (this.#isUrgent) return undefined;
    if (now >= this.#at) this.#step();
    if (this.#steps.length === 0) return undefined;
    if (!this.#isHasty && !this.#pacer.allows(now, PACKETS_PER_STEP)) return undefined;
    const { cumulativeTsn, packets } = this.#steps.shift()!;
    this.#pacer.spend(packets);
    if (this.#steps.length === 0) this.#isHasty = false;
    return cumulativeTsn;
  }

  /** The whole state is told. */
  toldAll(): void {
    this.#steps.length = 0;
    this.#packets = 0;
    this.#isUrgent = false;
    this.#isHasty = false;
    this.#at = Infinity;
  }

  /**
   * All that waits is told at once: where there are losses as two steps, since with the only one
   * lost the peer, whose window is full, would wait for T3.
   */
  #hasten(before: number): void {
    const hasOthers = this.#steps.length > 0 || this.#packets > 0;
    this.#steps = !hasOthers || !this.#isLossy ? [] : [{ cumulativeTsn: before, packets: 0 }];
    this.#packets = 0;
    this.#step();
    this.#isHasty = true;
  }

  #step(): void {
    this.#steps.push({ cumulativeTsn: this.#cumulativeTsn, packets: this.#packets });
    this.#packets = 0;
    this.#at = Infinity;
  }
}
