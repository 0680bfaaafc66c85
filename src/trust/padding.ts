/**
 * Padding of what is sealed: HPKE and AES-GCM hide the content of a message and not its length (RFC 9180 9.7). A padded
 * text is its length in two bytes, itself, and zeros up to one of a few sizes.
 */
import { type Bytes } from "../lib/bytes.ts";

const LENGTH_BYTES = 2;

/** Pads to the smallest of `sizes`, given in ascending order. Throws a RangeError if none is large enough. */
export function pad(text: Bytes, sizes: readonly number[]): Bytes {
  const size = sizes.find((candidate) => text.length + LENGTH_BYTES <= candidate);
  if (size === undefined) throw new RangeError("Cannot pad message: too long");
  const padded = new Uint8Array(size);
  new DataView(padded.buffer).setUint16(0, text.length);
  padded.set(text, LENGTH_BYTES);
  return padded;
}

/** Takes the padding off. Throws a RangeError unless the size is one of `sizes` and all padding is zero. */
export function unpad(padded: Bytes, sizes: readonly number[]): Bytes {
  if (!sizes.includes(padded.length)) throw new RangeError("Cannot take padding off: foreign size");
  const end = LENGTH_BYTES + new DataView(padded.buffer, padded.byteOffset).getUint16(0);
  const isZero = padded.subarray(end).every((byte) => byte === 0);
  if (end > padded.length || !isZero) throw new RangeError("Cannot take padding off: damaged");
  return padded.slice(LENGTH_BYTES, end);
}
