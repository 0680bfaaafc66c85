/**
 * CBOR written piece by piece, each piece its bytes: what a careless or hostile writer may send, which the encoder of
 * `src/trust/strict_cbor.ts` cannot write. Whoever puts pieces together decides about order, lengths and types.
 */
import { type Bytes, concat, fromHex } from "../../src/lib/bytes.ts";

/** Major types (RFC 8949 3.1). */
const MAJOR = { uint: 0, negative: 1, bytes: 2, text: 3, list: 4, map: 5, tag: 6 } as const;
type Major = keyof typeof MAJOR;

/** Bytes of the argument behind the first one: as few as can be, or more. */
export type Width = 0 | 1 | 2 | 4 | 8;

/** The first bytes of an item: its type and a number. */
export function head(major: Major, argument: number, width = shortest(argument)): Bytes {
  const first = MAJOR[major] << 5;
  if (width === 0) return Uint8Array.of(first | argument);
  const bytes = new Uint8Array(1 + width);
  bytes[0] = first | 24 + Math.log2(width);
  let rest = argument;
  for (let i = width; i > 0 && rest > 0; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

export function shortest(argument: number): Width {
  if (argument < 24) return 0;
  if (argument < 2 ** 8) return 1;
  if (argument < 2 ** 16) return 2;
  return argument < 2 ** 32 ? 4 : 8;
}

export function uint(value: number): Bytes {
  return value < 0 ? head("negative", -1 - value) : head("uint", value);
}

export function byteString(content: Uint8Array): Bytes {
  return concat(head("bytes", content.length), content);
}

export function list(entries: readonly Uint8Array[]): Bytes {
  return concat(head("list", entries.length), ...entries);
}

/** In the order given. */
export function map(entries: readonly (readonly [Uint8Array, Uint8Array])[]): Bytes {
  return concat(head("map", entries.length), ...entries.flat());
}

/** The same item, the number in its first bytes written longer by one step. It must not be of the longest form. */
export function lengthened(item: Bytes): Bytes {
  const information = item[0]! & 31;
  const width = information < 24 ? 0 : 2 ** (information - 24);
  const argument = width === 0 ? Uint8Array.of(information) : item.slice(1, 1 + width);
  const next = width === 0 ? 1 : 2 * width;
  const first = (item[0]! & 0xe0) | 24 + Math.log2(next);
  const zeros = new Uint8Array(next - argument.length);
  return concat(Uint8Array.of(first), zeros, argument, item.slice(1 + width));
}

/** Values of types that signed objects never have. */
export const FOREIGN: Readonly<Record<string, Bytes>> = {
  null: fromHex("f6"),
  undefined: fromHex("f7"),
  "simple value": fromHex("f0"),
  "half float 1.0": fromHex("f93c00"),
  "double float": fromHex("fb3ff199999999999a"),
  "not a number": fromHex("f97e00"),
  bignum: fromHex("c24101"),
  "tagged 1": fromHex("c101"),
  "empty list without end": fromHex("9fff"),
};
