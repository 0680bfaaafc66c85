/**
 * A virtual datagram path with fake time: rate, queue, delay, loss, reordering and duplication, the
 * same for the same seed. Unlike `VirtualChannel` (link.ts) it carries packets as UDP would.
 */

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Time that moves only when told to; a heap, since a fast path has thousands of packets in flight. */
export class EventClock {
  now = 0;
  readonly #heap: Event[] = [];
  #order = 0;

  schedule(at: number, run: () => void): void {
    const heap = this.#heap;
    const event = { at: Math.max(at, this.now), order: this.#order++, run };
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = event;
  }

  /** Runs what is due within `limit` ms, until `isDone`. Gives whether it was done in time. */
  run(limit: number, isDone: () => boolean): boolean {
    const end = this.now + limit;
    while (!isDone()) {
      const event = this.#heap[0];
      if (event === undefined || event.at > end) {
        this.now = end;
        return false;
      }
      this.#pop();
      this.now = event.at;
      event.run();
    }
    return true;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** What a path does to datagrams, one way. */
export interface DatagramPath {
  /** One way, in ms. */
  readonly delay: number;
  /** Bytes per ms; Infinity for none. 100 Mbit/s is 12,500. */
  readonly rate: number;
  /** Packets that wait for the rate; more are dropped. */
  readonly queue: number;
  /** Share of packets lost, 0 to 1. */
  readonly loss: number;
  /** Packets lost in a row, each time that one is. */
  readonly burst: number;
  /** Share of packets that come late, and by how many ms at most. */
  readonly late: number;
  readonly lateness: number;
  /** Share of packets that come twice. */
  readonly twice: number;
  /** Bytes of lower headers that the rate counts: IPv4, UDP, DTLS. */
  readonly overhead: number;
  /** Largest packet; longer ones vanish. */
  readonly mtu: number;
}

export const PERFECT_PATH: DatagramPath = {
  delay: 0,
  rate: Infinity,
  queue: Infinity,
  loss: 0,
  burst: 1,
  late: 0,
  lateness: 0,
  twice: 0,
  overhead: 65,
  mtu: 1500 - 65,
};

/** One direction. */
export class DatagramLink {
  /** Time that each packet waited for the rate, in ms. */
  readonly waits: number[] = [];
  dropped = 0;
  #path: DatagramPath;
  #freeAt = 0;
  #leaves: number[] = [];
  #lossesLeft = 0;

  constructor(
    readonly clock: EventClock,
    path: Partial<DatagramPath>,
    readonly ends: { random: () => number; deliver: (packet: Uint8Array) => void },
  ) {
    this.#path = { ...PERFECT_PATH, ...path };
  }

  /** Changes the path from now on. */
  change(path: Partial<DatagramPath>): void {
    this.#path = { ...this.#path, ...path };
  }

  send(packet: Uint8Array): void {
    const { clock, ends } = this;
    const path = this.#path;
    if (packet.length > path.mtu || this.#isFull()) return void this.dropped++;
    const starts = Math.max(this.#freeAt, clock.now);
    this.#freeAt = starts + (packet.length + path.overhead) / path.rate;
    if (path.queue !== Infinity) this.#leaves.push(this.#freeAt);
    this.waits.push(starts - clock.now);
    if (this.#isLost()) return void this.dropped++;
    const lateness = ends.random() < path.late ? ends.random() * path.lateness : 0;
    const arrival = this.#freeAt + path.delay + lateness;
    clock.schedule(arrival, () => ends.deliver(packet));
    if (ends.random() < path.twice) clock.schedule(arrival, () => ends.deliver(packet));
  }

  #isFull(): boolean {
    if (this.#path.queue === Infinity) return false;
    const waiting = this.#leaves.findIndex((at) => at > this.clock.now);
    this.#leaves = waiting < 0 ? [] : waiting > 0 ? this.#leaves.slice(waiting) : this.#leaves;
    return this.#leaves.length >= this.#path.queue;
  }

  #isLost(): boolean {
    if (this.#lossesLeft > 0) {
      this.#lossesLeft--;
      return true;
    }
    if (this.ends.random() >= this.#path.loss) return false;
    this.#lossesLeft = this.#path.burst - 1;
    return true;
  }
}
