/**
 * H.264 in Annex B, as programs write it, to access units. The stream has no timestamps: the time of
 * arrival is what is left, and a picture is complete only when the next one begins, which costs one
 * frame. A program that writes each picture at once saves that frame: see `endsEarly`. Pure.
 */
import { UnitAssembler } from "./access_unit.ts";
import { AnnexBSplitter } from "./annexb.ts";
import type { OutputReader } from "./program.ts";
import type { AccessUnit } from "./source.ts";

const TICKS_PER_MS = 90;

/** 90 kHz, 32 bits. */
export function timestampAt(now: number): number {
  return Math.round(now * TICKS_PER_MS) % 2 ** 32;
}

export interface AnnexBOptions {
  /**
   * Whether a pause after a picture ends it. If what follows shows that it went on, the picture was
   * cut: everything up to the next key frame is dropped, and no pause ends a picture any more.
   */
  readonly endsEarly?: boolean;
}

export class AnnexBReader implements OutputReader {
  readonly #splitter = new AnnexBSplitter();
  readonly #assembler = new UnitAssembler();
  #endsEarly: boolean;
  #ended = false;
  #awaitsKey = false;

  constructor({ endsEarly = false }: AnnexBOptions = {}) {
    this.#endsEarly = endsEarly;
  }

  push(now: number, chunk: Uint8Array): AccessUnit[] {
    if (this.#ended && chunk.length > 0) this.#checkEnd(chunk);
    const timestamp = timestampAt(now);
    const nals = this.#splitter.push(chunk);
    const units = nals.map((nal) => this.#assembler.push(nal, timestamp));
    units.push(this.#assembler.announce(this.#splitter.begun, timestamp));
    return this.#usable(units);
  }

  idle(now: number): AccessUnit[] {
    if (!this.#endsEarly) return [];
    const timestamp = timestampAt(now);
    const units = this.#splitter.flush().map((nal) => this.#assembler.push(nal, timestamp));
    units.push(this.#assembler.flush(timestamp));
    this.#ended = true;
    return this.#usable(units);
  }

  /** A start code begins with a zero: anything else is the rest of the picture that was ended. */
  #checkEnd(chunk: Uint8Array): void {
    this.#ended = false;
    const begun = chunk.length < 3 ? [0] : [0, 0];
    if (begun.every((byte, index) => chunk[index] === byte)) return;
    this.#endsEarly = false;
    this.#awaitsKey = true;
  }

  #usable(units: readonly (AccessUnit | undefined)[]): AccessUnit[] {
    return units.filter((unit) => unit !== undefined).filter((unit) => {
      if (unit.keyFrame) this.#awaitsKey = false;
      return !this.#awaitsKey;
    });
  }
}
