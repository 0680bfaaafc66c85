/**
 * Runs our SCTP association (`sctp/`) between DTLS and the channels, in the place of werift's,
 * which it replaces on one transport by a stand-in that only starts and stops. What comes and what
 * the channels write is worked on at the end of the task, so that messages and acknowledgements
 * share packets; from there to the socket it is one call, without an event or promise of ours.
 */
import { randomInt } from "node:crypto";
import type { RTCSctpTransport } from "werift";
import type { Bytes } from "../lib/bytes.ts";
import { RECORD_HEADROOM, RECORD_TAILROOM } from "./dtls_record.ts";
import { replaceAssociation } from "./internals.ts";
import { SctpAssociation } from "./sctp/association.ts";

/** RFC 8831 8: payload protocol of binary messages, the only kind we send or take. */
const BINARY = 53;
/** Upper end of the random numbers of RFC 9260: tags, TSNs. */
const UINT32_END = 2 ** 32;

/**
 * How long the other end's INIT is waited for before ours is sent, in ms. Browsers send one as soon
 * as DTLS is connected; both at once cost four packets more, and werift takes no second one.
 */
const INIT_WAIT_MS = 500;

/** A packet in a buffer of its own, with room for a record around it. */
export interface SctpPacket {
  readonly buffer: Uint8Array;
  readonly offset: number;
  readonly length: number;
}

/** What an association tells. None of them may throw. */
export interface AssociationHandlers {
  /** Takes a packet to the other end, at once. */
  packet(packet: SctpPacket): void;
  established(): void;
  message(streamId: number, bytes: Bytes): void;
  /** Bytes have left; there may be room again. */
  progress(): void;
  /** Told once. */
  closed(): void;
}

/** One association, as the channels see it. */
export class SctpDriver {
  readonly #association: SctpAssociation;
  readonly #handlers: AssociationHandlers;
  readonly #connected = Promise.withResolvers<void>();
  #state: "new" | "established" | "closed" = "new";
  #isDraining = false;
  #isFlushPlanned = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;
  #starting: ReturnType<typeof setTimeout> | undefined;

  constructor(transport: RTCSctpTransport, handlers: AssociationHandlers) {
    this.#handlers = handlers;
    this.#association = new SctpAssociation({
      random: () => randomInt(UINT32_END),
      headroom: RECORD_HEADROOM,
      tailroom: RECORD_TAILROOM,
    });
    this.#connected.promise.catch(() => {}); // werift may never ask
    replaceAssociation(transport, {
      start: () => this.#start(),
      stop: () => this.close(),
      connected: this.#connected.promise,
    });
  }

  get stats(): SctpAssociation["stats"] {
    return this.#association.stats;
  }

  /** Bytes of a stream that were handed over and have not been sent for the first time. */
  bufferedAmount(streamId: number): number {
    return this.#association.bufferedAmount(streamId);
  }

  /** What the path is thought to carry, in bytes per ms; 0 before anything is known. */
  get bandwidth(): number {
    return this.#association.bandwidth;
  }

  /** What comes on this stream is delivered, and counts against the window until `resume`. */
  pause(streamId: number): void {
    this.#association.pause(streamId);
  }

  resume(streamId: number): void {
    this.#association.resume(performance.now(), streamId);
    this.#planFlush();
  }

  /** Takes what DTLS has opened. The bytes are the association's from now on. Never throws. */
  receive(packet: Uint8Array): void {
    if (this.#state === "closed") return;
    this.#association.receive(performance.now(), packet);
    this.#planFlush();
  }

  /** Hands one message over. The bytes must stay as they are until they are acknowledged. */
  send(streamId: number, bytes: Uint8Array): void {
    if (this.#state === "closed") return;
    this.#association.send(performance.now(), streamId, BINARY, bytes);
    this.#planFlush();
  }

  /** Something came by the path, below this layer. */
  pathAlive(): void {
    if (this.#state !== "established") return;
    if (this.#association.pathAlive(performance.now())) this.#planFlush();
  }

  /** Packets go another way from now on. */
  pathChanged(): void {
    if (this.#state !== "established") return;
    this.#association.pathChanged(performance.now());
    this.#planFlush();
  }

  /** What comes and goes in one task shares packets: small messages, and the SACKs of a slice. */
  #planFlush(): void {
    if (this.#isFlushPlanned || this.#isDraining) return;
    this.#isFlushPlanned = true;
    queueMicrotask(() => {
      this.#isFlushPlanned = false;
      this.#drain();
    });
  }

  /** Ends the association, and says so. */
  close(): void {
    if (this.#state === "closed") return;
    this.#association.close(performance.now());
    this.#drain();
    this.#end();
  }

  #start(): void {
    if (this.#state !== "new" || this.#starting !== undefined) return;
    this.#starting = setTimeout(() => {
      this.#association.start(performance.now());
      this.#drain();
    }, INIT_WAIT_MS);
  }

  #end(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#timer);
    clearTimeout(this.#starting);
    this.#connected.reject(new Error("Cannot open channels: the association ended"));
    this.#handlers.closed();
  }

  /** What handlers send while this runs leaves with it. */
  #drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    for (let output = this.#poll(); output !== undefined; output = this.#poll()) {
      switch (output.type) {
        case "packet":
          this.#handlers.packet(output);
          break;
        case "message":
          if (output.protocol === BINARY) this.#handlers.message(output.streamId, output.bytes);
          break;
        case "acked":
          this.#handlers.progress();
          break;
        case "deadline":
          this.#arm(output.at);
          break;
        case "established":
          this.#establish();
          break;
        case "closed":
          this.#end();
      }
    }
    this.#isDraining = false;
  }

  #poll() {
    return this.#state === "closed" ? undefined : this.#association.poll();
  }

  #establish(): void {
    this.#state = "established";
    clearTimeout(this.#starting);
    this.#connected.resolve();
    this.#handlers.established();
  }

  /** The timer that is set may fire too early: that is cheaper than to set it anew for each packet. */
  #arm(at: number): void {
    if (at >= this.#timerAt || at === Infinity || this.#state === "closed") return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity;
      this.#association.tick(performance.now());
      this.#drain();
    }, Math.max(0, at - performance.now()));
  }
}
