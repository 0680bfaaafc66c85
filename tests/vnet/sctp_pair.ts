/** Two SCTP associations on a virtual path: the driver that association.ts describes, twice. */
import { SctpAssociation, type SctpOptions } from "../../src/webrtc/sctp/association.ts";
import { DatagramLink, type DatagramPath, EventClock } from "./datagram_link.ts";
import { seededRandom } from "./link.ts";

export const HEADROOM = 21;
export const TAILROOM = 16;

/** One association with its timer and its way out. */
export class SctpEnd {
  readonly association: SctpAssociation;
  readonly messages: { streamId: number; protocol: number; bytes: Uint8Array }[] = [];
  isEstablished = false;
  closedBecause: string | undefined;
  /** Called when `bufferedAmount` fell. */
  onRoom: () => void = () => {};
  /** Called for each message, instead of keeping it. */
  onMessage: ((bytes: Uint8Array, streamId: number) => void) | undefined;
  transmit: (packet: Uint8Array) => void = () => {};
  #timer = 0;

  constructor(readonly clock: EventClock, options: Partial<SctpOptions>) {
    const random = seededRandom(1);
    this.association = new SctpAssociation({
      random: () => Math.floor(random() * 2 ** 32),
      headroom: HEADROOM,
      tailroom: TAILROOM,
      ...options,
    });
  }

  start(): void {
    this.association.start(this.clock.now);
    this.drain();
  }

  receive(packet: Uint8Array): void {
    this.association.receive(this.clock.now, packet);
    this.drain();
  }

  send(bytes: Uint8Array, streamId = 1): void {
    this.association.send(this.clock.now, streamId, 53, bytes);
    this.drain();
  }

  resume(): void {
    this.association.resume(this.clock.now, 1);
    this.drain();
  }

  close(): void {
    this.association.close(this.clock.now);
    this.drain();
  }

  drain(): void {
    for (let out = this.association.poll(); out !== undefined; out = this.association.poll()) {
      switch (out.type) {
        case "packet":
          this.transmit(out.buffer.slice(out.offset, out.offset + out.length));
          break;
        case "message":
          if (this.onMessage !== undefined) this.onMessage(out.bytes, out.streamId);
          else this.messages.push(out);
          break;
        case "acked":
          this.onRoom();
          break;
        case "deadline":
          this.#arm(out.at);
          break;
        case "established":
          this.isEstablished = true;
          break;
        case "closed":
          this.closedBecause = out.reason;
      }
    }
  }

  #arm(at: number): void {
    const timer = ++this.#timer;
    this.clock.schedule(at, () => {
      if (timer !== this.#timer) return;
      this.association.tick(this.clock.now);
      this.drain();
    });
  }
}

export interface PairOptions {
  readonly seed?: number;
  readonly there?: Partial<DatagramPath>;
  readonly back?: Partial<DatagramPath>;
  readonly a?: Partial<SctpOptions>;
  readonly b?: Partial<SctpOptions>;
}

/** Two ends, `a` and `b`, and the two directions between them. */
export class SctpPair {
  readonly clock = new EventClock();
  readonly a: SctpEnd;
  readonly b: SctpEnd;
  readonly there: DatagramLink;
  readonly back: DatagramLink;

  constructor(options: PairOptions = {}) {
    const random = seededRandom(options.seed ?? 1);
    const numbers = () => Math.floor(random() * 2 ** 32);
    this.a = new SctpEnd(this.clock, { random: numbers, ...options.a });
    this.b = new SctpEnd(this.clock, { random: numbers, ...options.b });
    this.there = new DatagramLink(this.clock, options.there ?? {}, {
      random,
      deliver: (packet) => this.b.receive(packet),
    });
    this.back = new DatagramLink(this.clock, options.back ?? options.there ?? {}, {
      random,
      deliver: (packet) => this.a.receive(packet),
    });
    this.a.transmit = (packet) => this.there.send(packet);
    this.b.transmit = (packet) => this.back.send(packet);
  }

  /** Both start; runs until both are established or `limit` ms have passed. */
  connect(limit = 60_000): boolean {
    this.a.start();
    this.b.start();
    return this.clock.run(limit, () => this.a.isEstablished && this.b.isEstablished);
  }
}
