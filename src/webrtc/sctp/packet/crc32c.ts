/**
 * CRC32c (RFC 9260 appendix A), sixteen bytes a step: one table look-up for each byte, all of a
 * step independent of each other, so that the processor overlaps them.
 */

const POLYNOMIAL = 0x82f63b78; // Castagnoli, reflected
const STEP = 16;

const TABLES = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(STEP * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = (value & 1) * POLYNOMIAL ^ (value >>> 1);
    tables[byte] = value;
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256]!;
    tables[at] = (before >>> 8) ^ tables[before & 255]!;
  }
  return tables;
}

/** Runs the register over bytes `from` to `to`; starts at -1, and the sum is its complement. */
export function crc32cUpdate(
  register: number,
  bytes: Uint8Array,
  range: { readonly from: number; readonly to: number },
): number {
  return update(register, bytes, range.from, range.to);
}

const CHECKSUM_AT = 8; // in the common header (RFC 9260 3.1)

/** Checksum of the packet in bytes `from` to `to`, its own field counted as zero. */
export function packetChecksum(bytes: Uint8Array, from: number, to: number): number {
  const head = update(-1, bytes, from, from + CHECKSUM_AT);
  return ~update(fourZeros(head), bytes, from + CHECKSUM_AT + 4, to) >>> 0;
}

/** The register after four bytes of zero. */
function fourZeros(register: number): number {
  const t = TABLES;
  return t[768 + (register & 255)]! ^ t[512 + ((register >>> 8) & 255)]! ^
    t[256 + ((register >>> 16) & 255)]! ^ t[register >>> 24]!;
}

/** Four plain arguments: an options object for each packet costs what the loop saves. */
function update(register: number, bytes: Uint8Array, from: number, to: number): number {
  const t = TABLES;
  let c = register;
  let i = from;
  for (const end = to - STEP; i <= end; i += STEP) {
    c = t[3840 + ((c & 255) ^ bytes[i]!)]! ^
      t[3584 + (((c >>> 8) & 255) ^ bytes[i + 1]!)]! ^
      t[3328 + (((c >>> 16) & 255) ^ bytes[i + 2]!)]! ^
      t[3072 + ((c >>> 24) ^ bytes[i + 3]!)]! ^
      t[2816 + bytes[i + 4]!]! ^ t[2560 + bytes[i + 5]!]! ^
      t[2304 + bytes[i + 6]!]! ^ t[2048 + bytes[i + 7]!]! ^
      t[1792 + bytes[i + 8]!]! ^ t[1536 + bytes[i + 9]!]! ^
      t[1280 + bytes[i + 10]!]! ^ t[1024 + bytes[i + 11]!]! ^
      t[768 + bytes[i + 12]!]! ^ t[512 + bytes[i + 13]!]! ^
      t[256 + bytes[i + 14]!]! ^ t[bytes[i + 15]!]!;
  }
  for (; i < to; i++) c = t[(c ^ bytes[i]!) & 255]! ^ (c >>> 8);
  return c;
}
