/**
 * Serial numbers that wrap (RFC 1982, RFC 9260 1.6): TSNs have 32 bits, SSNs 16. Nothing else in
 * this folder compares or adds them by hand.
 */

/** How far `a` lies after `b`; negative when before. Meaningful within half the space. */
export function tsnDistance(a: number, b: number): number {
  return (a - b) | 0;
}

export function tsnPlus(tsn: number, count: number): number {
  return (tsn + count) >>> 0;
}

export function nextSsn(ssn: number): number {
  return (ssn + 1) & 0xffff;
}

/** How far `a` lies after `b`, from -32,768 to 32,767. */
export function ssnDistance(a: number, b: number): number {
  return ((a - b) << 16) >> 16;
}
