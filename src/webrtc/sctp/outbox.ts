/** What waits to come out of an association: events and handshake packets, in order. */
import type { SctpOutput } from "./association_types.ts";
import { COMMON_HEADER_BYTES } from "./packet/common_header.ts";
import type { PacketWriter } from "./packet/packet_writer.ts";

/**
 * Handshake packets that wait for a drain; whoever receives more without draining is flooded, and
 * each of them would be asked for again.
 */
const MAX_WAITING = 4096;

const TAKEN: SctpOutput = { type: "acked" };

export class Outbox {
  /** Packets that were put in. */
  packets = 0;
  readonly #writer: PacketWriter;
  #waiting: SctpOutput[] = [];
  #next = 0;

  constructor(writer: PacketWriter) {
    this.#writer = writer;
  }

  push(output: SctpOutput): void {
    this.#waiting.push(output);
  }

  /** A packet of these chunks alone. */
  pushPacket(tag: number, ...chunks: readonly Uint8Array[]): void {
    if (this.#waiting.length >= MAX_WAITING) return;
    const size = chunks.reduce((sum, chunk) => sum + chunk.length, COMMON_HEADER_BYTES);
    this.#writer.open(size, tag);
    for (const chunk of chunks) this.#writer.add(chunk);
    this.#waiting.push(this.#writer.finish());
    this.packets++;
  }

  shift(): SctpOutput | undefined {
    const output = this.#waiting[this.#next];
    if (output === undefined) return undefined;
    this.#waiting[this.#next++] = TAKEN; // lets go of the bytes
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    }
    return output;
  }
}
