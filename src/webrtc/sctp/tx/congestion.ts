/**
 * How much may be under way, and how fast it leaves: window and pacer together, both from one model
 * of the path, its bandwidth and its empty round trip (in the way of BBR, draft-ietf-ccwg-bbr; not
 * all of it). RFC 9260 7 leaves room for this: it asks that we are not more aggressive than its
 * window; here that is so on paths where losses mean congestion.
 *
 * Why not CUBIC: at 0.5 % random loss and 50 ms it keeps 4 % of 100 Mbit/s, and it fills whatever
 * queue an uplink has. A model keeps both: random loss does not change it, and a queue is seen as
 * delay long before it is full.
 *
 *     startup ── no faster any more, or delay, or heavy loss ──► drain ── flight ≤ path ──► cruise
 *     cruise ── each 8 round trips ──► up ── delay, or no gain ──► down ── flight ≤ path ──► cruise
 *     cruise ── delay ──► down          any but startup ── smallest round trip stale ──► refresh ──► cruise
 *
 * Left out: ECN, and the fine rules of BBR for many flows of one sender.
 */
import { QueueDelay } from "./queue_delay.ts";
import type { RoundTrip } from "./round_trip.ts";

/** RFC 6928, and what the prototype used: ten packets before the first answer. */
export const INITIAL_WINDOW_PACKETS = 10;
/** BBR: enough that a delayed SACK for every second packet keeps coming. */
const MIN_WINDOW_PACKETS = 4;
/** A gigabit over 64 ms; what a peer's window allows is less. */
const MAX_WINDOW_BYTES = 8 << 20;
/** BBR: the smallest factor by which the rate still doubles each round. */
const STARTUP_GAIN = 2.77;
/** BBR: twice the path, so that acknowledgements that come in lumps do not stop the sender. */
const WINDOW_GAIN = 2;
/** Time that both ends' event loops may add to a round trip: on a short path it is most of it. */
const SCHEDULING_MS = 10;
const UP_GAIN = 1.25;
const DOWN_GAIN = 0.75;
/** The pacer stays this much below the estimate, so that errors drain and do not add up (BBR 3). */
const CRUISE_GAIN = 0.99;
/** From the end of one look for more bandwidth to the next: round trips, at least this time. */
const CYCLE_ROUNDS = 6;
const MIN_CYCLE_MS = 40;
/** Rounds without growth by a quarter after which the path is full (BBR 4.3.1.2). */
const FULL_ROUNDS = 3;
const FULL_GROWTH = 1.25;
/** Growth in a look for more that is worth to look on. */
const UP_GROWTH = 1.1;
/** HyStart++ (RFC 9406 4.2): an eighth of a round trip more, within these, is a queue. */
const QUEUE_SHARE = 1 / 8;
const MIN_QUEUE_MS = 4;
const MAX_QUEUE_MS = 16;
/** Delay that is drained even while cruising: half of the 50 ms that a person may notice. */
const STANDING_QUEUE_MS = 20;
/** Loss in a round that is congestion beside delay (BBR 3), and whatever the delay. */
const LOSS_WITH_DELAY = 0.02;
const LOSS_ALONE = 0.12;
/** Fewer lost packets in a round say nothing. */
const MIN_LOST_PACKETS = 4;
const LOSS_FACTOR = 0.85;
const CAP_RECOVERY = 1.1;
/** Half the path for this time empties the queue, so that its smallest round trip shows. */
const REFRESH_GAIN = 0.5;
const REFRESH_MS = 100;
/** Packets that leave at once: Chromium's UDP socket overflows on longer bursts (measured). */
const MAX_BURST_PACKETS = 32;
const MIN_BURST_PACKETS = 10;
/** Time whose bytes may leave at once, so that slow paths see short bursts. */
const BURST_MS = 4;
/** Timers of both runtimes are no finer. */
const TIMER_MS = 1;

type Phase = "startup" | "drain" | "cruise" | "up" | "down" | "refresh";

/** What one SACK told. Reused. */
export interface AckSummary {
  ackedBytes: number;
  lostBytes: number;
  /** Bytes in flight after it. */
  flightBytes: number;
  /** ms; -1 without a sample. */
  rtt: number;
  /** Bytes per ms; 0 without a sample. */
  rate: number;
  isAppLimited: boolean;
  /** Bytes delivered when the newest acknowledged chunk was sent, and now. */
  priorDelivered: number;
  delivered: number;
}

export class Congestion {
  readonly #rtt: RoundTrip;
  #packetBytes: number;
  #window: number;
  #phase: Phase = "startup";
  #phaseRounds = 0;
  #phaseAt = 0;
  #bandwidthAtPhase = 0;
  #cycleAt = 0;
  /** Largest rates of this cycle and the one before, in bytes per ms. */
  #bandwidthNow = 0;
  #bandwidthBefore = 0;
  #fullBandwidth = 0;
  #fullRounds = 0;
  /** The round under way: ends when what was sent from now on is acknowledged. */
  #roundEnd = 0;
  #roundLost = 0;
  #roundAcked = 0;
  readonly #queueDelay = new QueueDelay();
  /** Limit by congestion loss; grows back. */
  #lossCap = Infinity;
  #budget = 0;
  #budgetAt = -Infinity;

  constructor(rtt: RoundTrip, packetBytes: number) {
    this.#rtt = rtt;
    this.#packetBytes = packetBytes;
    this.#window = INITIAL_WINDOW_PACKETS * packetBytes;
  }

  /** Bytes that may be in flight. */
  get window(): number {
    return this.#window;
  }

  get phase(): string {
    return this.#phase;
  }

  /** Estimate of the path's bandwidth, in bytes per ms; 0 before the first. */
  get bandwidth(): number {
    return Math.max(this.#bandwidthNow, this.#bandwidthBefore);
  }

  setPacketBytes(bytes: number): void {
    this.#packetBytes = bytes;
  }

  /** Takes what one SACK told. */
  onAck(now: number, ack: AckSummary): void {
    this.#roundLost += ack.lostBytes;
    this.#roundAcked += ack.ackedBytes;
    if (ack.rtt >= 0) this.#queueDelay.sample(now, ack.rtt, this.#rtt.smallest);
    if (ack.rate > 0 && (!ack.isAppLimited || ack.rate > this.bandwidth)) {
      this.#bandwidthNow = Math.max(this.#bandwidthNow, ack.rate);
    }
    if (ack.ackedBytes > 0 && ack.priorDelivered >= this.#roundEnd) this.#endRound(now, ack);
    this.#movePhase(now, ack.flightBytes);
    this.#setWindow(ack.ackedBytes);
  }

  /** T3 has run out: one packet, then as acknowledgements come (RFC 9260 7.2.3). */
  onTimeout(): void {
    this.#window = this.#packetBytes;
    this.#budget = Math.max(this.#budget, this.#packetBytes);
  }

  /** The path is another one (RFC 9260 7.2.1): its speed is looked for from the beginning. */
  restart(now: number): void {
    this.#window = INITIAL_WINDOW_PACKETS * this.#packetBytes;
    this.#bandwidthNow = this.#bandwidthBefore = 0;
    this.#fullBandwidth = this.#fullRounds = 0;
    this.#roundLost = this.#roundAcked = 0;
    this.#lossCap = Infinity;
    this.#enter("startup", now);
  }

  /** When the pacer lets the next packet go: `now` when at once. */
  paceAt(now: number): number {
    const rate = this.#pacingRate();
    if (rate === Infinity) return now;
    const burst = this.#burstBytes(rate);
    this.#budget = Math.min(this.#budget + (now - this.#budgetAt) * rate, burst);
    this.#budgetAt = now;
    if (this.#budget >= this.#packetBytes) return now;
    return now + Math.max(TIMER_MS, (this.#packetBytes - this.#budget) / rate);
  }

  /** A packet with this many bytes leaves. */
  spend(bytes: number): void {
    this.#budget -= bytes;
  }

  #burstBytes(rate: number): number {
    const most = MAX_BURST_PACKETS * this.#packetBytes;
    return Math.max(Math.min(rate * BURST_MS, most), MIN_BURST_PACKETS * this.#packetBytes);
  }

  /** Bytes per ms. */
  #pacingRate(): number {
    const { bandwidth } = this;
    if (bandwidth > 0) return bandwidth * this.#pacingGain();
    return this.#rtt.smoothed > 0 ? STARTUP_GAIN * this.#window / this.#rtt.smoothed : Infinity;
  }

  #pacingGain(): number {
    switch (this.#phase) {
      case "startup":
        return STARTUP_GAIN;
      case "drain":
        return 1 / STARTUP_GAIN;
      case "up":
        return UP_GAIN;
      case "down":
        return DOWN_GAIN;
      case "cruise":
      case "refresh":
        return CRUISE_GAIN;
    }
  }

  /** Bytes that the path holds without a queue. */
  #pathBytes(): number {
    return this.bandwidth * this.#rtt.smallest;
  }

  #endRound(now: number, ack: AckSummary): void {
    this.#roundEnd = ack.delivered;
    this.#phaseRounds++;
    const isLossy = this.#isLossy();
    this.#lossCap *= CAP_RECOVERY;
    if (isLossy) this.#lossCap = LOSS_FACTOR * Math.max(this.#pathBytes(), ack.flightBytes);
    if (this.#phase === "startup") this.#checkFull(now, { isLossy, isLimited: ack.isAppLimited });
    else if (this.#phase === "up") this.#checkUp(now, isLossy);
    this.#roundLost = 0;
    this.#roundAcked = 0;
  }

  #isLossy(): boolean {
    if (this.#roundLost < MIN_LOST_PACKETS * this.#packetBytes) return false;
    const share = this.#roundLost / (this.#roundLost + this.#roundAcked);
    return share > LOSS_ALONE || (share > LOSS_WITH_DELAY && this.#hasQueue());
  }

  /** Whether our own packets wait for each other, by HyStart++'s measure. */
  #hasQueue(): boolean {
    const { smallest } = this.#rtt;
    const limit = Math.min(Math.max(smallest * QUEUE_SHARE, MIN_QUEUE_MS), MAX_QUEUE_MS);
    return this.#queueDelay.above(smallest) > limit;
  }

  #checkFull(now: number, round: { isLossy: boolean; isLimited: boolean }): void {
    if (this.bandwidth >= this.#fullBandwidth * FULL_GROWTH) {
      this.#fullBandwidth = this.bandwidth;
      this.#fullRounds = 0;
    } else if (!round.isLimited) this.#fullRounds++;
    const isFull = this.#fullRounds >= FULL_ROUNDS || round.isLossy;
    if (isFull && this.bandwidth > 0) this.#enter("drain", now);
  }

  #checkUp(now: number, isLossy: boolean): void {
    const hasGrown = this.bandwidth >= this.#bandwidthAtPhase * UP_GROWTH;
    if (isLossy) this.#enter("down", now);
    else if (hasGrown) this.#enter("up", now);
    else if (this.#phaseRounds > 2) this.#enter("down", now);
  }

  #movePhase(now: number, flightBytes: number): void {
    const { smallest } = this.#rtt;
    switch (this.#phase) {
      case "startup":
        if (this.bandwidth > 0 && this.#hasQueue()) this.#enter("drain", now);
        return;
      case "up":
        if (this.#hasQueue()) this.#enter("down", now);
        return;
      case "drain":
      case "down":
        if (flightBytes <= this.#pathBytes() || this.#phaseRounds > FULL_ROUNDS) {
          this.#cycleAt = now;
          this.#enter("cruise", now);
        }
        return;
      case "cruise":
        if (this.#rtt.isStale(now)) {
          this.#rtt.forgetSmallest(now);
          this.#enter("refresh", now);
        } else if (this.#queueDelay.above(smallest) > Math.max(STANDING_QUEUE_MS, smallest / 4)) {
          this.#enter("down", now);
        } else if (now - this.#cycleAt > Math.max(CYCLE_ROUNDS * smallest, MIN_CYCLE_MS)) {
          this.#bandwidthBefore = this.#bandwidthNow;
          this.#bandwidthNow = 0;
          this.#enter("up", now);
        }
        return;
      case "refresh":
        if (now - this.#phaseAt > REFRESH_MS + smallest) this.#enter("cruise", now);
    }
  }

  #enter(phase: Phase, now: number): void {
    this.#phase = phase;
    this.#phaseAt = now;
    this.#phaseRounds = 0;
    this.#bandwidthAtPhase = this.bandwidth;
  }

  #setWindow(ackedBytes: number): void {
    const least = MIN_WINDOW_PACKETS * this.#packetBytes;
    const path = this.#pathBytes();
    const grown = this.#window + ackedBytes;
    if (this.#phase === "startup") {
      const goal = Math.max(STARTUP_GAIN * path, INITIAL_WINDOW_PACKETS * this.#packetBytes);
      if (this.#window < goal + this.bandwidth * SCHEDULING_MS) this.#window = grown;
    } else {
      const gain = this.#phase === "refresh" ? REFRESH_GAIN : WINDOW_GAIN;
      const slack = this.#phase === "refresh" ? 0 : this.bandwidth * SCHEDULING_MS;
      const goal = Math.max(Math.min(gain * path + slack, this.#lossCap), least);
      this.#window = Math.min(grown, goal);
    }
    this.#window = Math.min(this.#window, MAX_WINDOW_BYTES);
  }
}
