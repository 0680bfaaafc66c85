/**
 * Reads the bits of a NAL unit's payload. Past the end it gives zeros and says so in `exhausted`;
 * it never throws.
 */

const MAX_GOLOMB_ZEROS = 31; // ue(v) of the fields read here fits 32 bits (H.264 9.1)

export class BitReader {
  readonly #bytes: Uint8Array;
  #position = 0;
  #exhausted = false;

  /** `bytes` may hold emulation prevention bytes; they are skipped (H.264 7.3.1). */
  constructor(bytes: Uint8Array) {
    this.#bytes = withoutEmulation(bytes);
  }

  /** Something was read that was not there. */
  get exhausted(): boolean {
    return this.#exhausted;
  }

  bit(): number {
    const byte = this.#bytes[this.#position >> 3];
    if (byte === undefined) {
      this.#exhausted = true;
      return 0;
    }
    const bit = (byte >> (7 - (this.#position & 7))) & 1;
    this.#position++;
    return bit;
  }

  /** u(n), at most 32 bits. */
  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value = value * 2 + this.bit();
    return value;
  }

  /** ue(v) */
  unsigned(): number {
    let zeros = 0;
    while (!this.#exhausted && this.bit() === 0) {
      if (++zeros > MAX_GOLOMB_ZEROS) {
        this.#exhausted = true;
        return 0;
      }
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v) */
  signed(): number {
    const code = this.unsigned();
    return code % 2 === 0 ? -code / 2 : (code + 1) / 2;
  }
}

function withoutEmulation(bytes: Uint8Array): Uint8Array {
  const plain = new Uint8Array(bytes.length);
  let length = 0;
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    plain[length++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return plain.subarray(0, length);
}
