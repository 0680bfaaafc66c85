/**
 * Splits a byte stream in H.264 Annex B into NAL units, whatever the pieces in which it comes.
 * Pure.
 */
import { CameraError } from "./source.ts";

/**
 * Above the largest coded picture of level 5.1 at sane rates; stops a stream without start codes.
 */
export const MAX_NAL_BYTES = 4 * 1024 * 1024;

const BEGUN_BYTES = 2; // enough to tell whether a new picture begins
const NOTHING = new Uint8Array();
const FIRST_CAPACITY_BYTES = 64 * 1024;

export class AnnexBSplitter {
  #buffer = new Uint8Array(FIRST_CAPACITY_BYTES);
  #length = 0;
  #searched = 0;
  #inside = false;

  /**
   * Takes the next bytes and gives the NAL units that they complete; the last one is complete only
   * when the next start code has come. Bytes before the first start code are dropped. Throws a
   * CameraError `broken` above the limit.
   */
  push(chunk: Uint8Array): Uint8Array[] {
    this.#append(chunk);
    const nals: Uint8Array[] = [];
    let start = 0;
    for (let code = this.#nextCode(); code >= 0; code = this.#nextCode()) {
      this.#take(start, code, nals);
      start = code + 3;
      this.#searched = start;
      this.#inside = true;
    }
    this.#keepFrom(this.#inside ? start : Math.max(0, this.#length - 2));
    if (this.#length > MAX_NAL_BYTES) {
      throw new CameraError("broken", `Cannot read video: no start code within ${MAX_NAL_BYTES} B`);
    }
    return nals;
  }

  /**
   * The first bytes of the unit that waits for the next start code: a view, valid up to the next
   * call.
   */
  get begun(): Uint8Array {
    return this.#inside ? this.#buffer.subarray(0, Math.min(this.#length, BEGUN_BYTES)) : NOTHING;
  }

  /** The stream has ended: gives the unit that was waiting for the next start code. */
  flush(): Uint8Array[] {
    const nals: Uint8Array[] = [];
    this.#take(0, this.#length, nals);
    this.#length = 0;
    this.#searched = 0;
    this.#inside = false;
    return nals;
  }

  /** Offset of the next 00 00 01, or -1. */
  #nextCode(): number {
    const bytes = this.#buffer.subarray(0, this.#length);
    for (let one = bytes.indexOf(1, this.#searched); one >= 0; one = bytes.indexOf(1, one + 1)) {
      if (bytes[one - 2] === 0 && bytes[one - 1] === 0) return one - 2;
    }
    this.#searched = this.#length;
    return -1;
  }

  #take(start: number, end: number, nals: Uint8Array[]): void {
    if (!this.#inside) return;
    let last = end;
    while (last > start && this.#buffer[last - 1] === 0) last--; // trailing_zero_8bits (B.1.1)
    if (last > start) nals.push(this.#buffer.slice(start, last));
  }

  #append(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#buffer.length));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.#length);
    this.#length = needed;
  }

  #keepFrom(start: number): void {
    if (start === 0) return;
    this.#buffer.copyWithin(0, start, this.#length);
    this.#length -= start;
    this.#searched = Math.max(0, this.#searched - start);
  }
}
