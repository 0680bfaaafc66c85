/**
 * Deterministic CBOR (RFC 8949 4.2.1) for everything that is signed. One value has exactly one encoding, and only that
 * encoding is read: maps have unsigned integer keys; no tags, floats, null, undefined or indefinite lengths.
 *
 * The codec is cborg. What it lets pass is refused here, token by token, and the value read must give back the very
 * bytes it was read from: that catches unsorted keys, long integers and broken UTF-8 alike (security.md 1.3).
 * Data-path frames do not come through here; see `protocol/`.
 */
import { decode, encode, rfc8949EncodeOptions, type Token, Tokenizer } from "cborg";
import { type Bytes, equalBytes, utf8 } from "../lib/bytes.ts";

/** What a signed object may be made of. */
export type CborValue = number | boolean | string | Bytes | readonly CborValue[] | CborMap;
export type CborMap = ReadonlyMap<number, CborValue>;

/** The bytes are not what the reader asked for. Says where, never what the bytes hold. */
export class CborError extends Error {
  override name = "CborError";
}

/** No signed object nests deeper than an offer: envelope, payload, transport. Leaves room, keeps the stack flat. */
const MAX_DEPTH = 6;

/** No list or map of a signed object is longer. */
const MAX_ENTRIES = 64;

const DECODE_OPTIONS = {
  strict: true,
  useMaps: true,
  rejectDuplicateMapKeys: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
};

/** The one encoding of a value. Throws a CborError for a value outside the profile. */
export function encodeCbor(value: CborValue): Bytes {
  checkValue(value, 1);
  return new Uint8Array(encode(value, rfc8949EncodeOptions));
}

/** Reads one value that fills `bytes` whole. Throws a CborError for anything that `encodeCbor` would not write. */
export function decodeCbor(bytes: Bytes, maxBytes: number): CborValue {
  if (bytes.length > maxBytes) throw new CborError("Cannot read CBOR: too long");
  let value: CborValue;
  let again: Bytes;
  try {
    const tokenizer = new StrictTokenizer(bytes, DECODE_OPTIONS);
    value = decode(bytes, { ...DECODE_OPTIONS, tokenizer });
    again = encodeCbor(value);
  } catch (cause) {
    if (cause instanceof CborError) throw cause;
    throw new CborError("Cannot read CBOR: malformed", { cause });
  }
  if (!equalBytes(again, bytes)) throw new CborError("Cannot read CBOR: not deterministic");
  return value;
}

/** Refuses a foreign token when it comes up, before anything is built from it. */
class StrictTokenizer extends Tokenizer {
  /** Values still missing in each open list and map, outermost first. */
  readonly #missing: number[] = [];

  override next(): Token {
    const token = super.next();
    while (this.#missing.at(-1) === 0) this.#missing.pop();
    const innermost = this.#missing.length - 1;
    if (innermost >= 0) this.#missing[innermost]! -= 1;
    this.#check(token);
    return token;
  }

  #check(token: Token): void {
    switch (token.type.name) {
      case "uint":
      case "negint":
      case "bytes":
      case "string":
      case "true":
      case "false":
        return;
      case "array":
        return this.#enter(token.value, 1);
      case "map":
        return this.#enter(token.value, 2);
      default:
        throw new CborError(`Cannot read CBOR: ${token.type.name} is not allowed`);
    }
  }

  #enter(entries: number, valuesEach: number): void {
    if (entries > MAX_ENTRIES) throw new CborError("Cannot read CBOR: too many entries");
    this.#missing.push(entries * valuesEach);
    if (this.#missing.length > MAX_DEPTH) throw new CborError("Cannot read CBOR: too deep");
  }
}

function checkValue(value: CborValue, depth: number): void {
  if (typeof value === "boolean" || typeof value === "string") return;
  if (value instanceof Uint8Array) return;
  if (typeof value === "number") {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) return;
    throw new CborError("Cannot write CBOR: not a safe integer");
  }
  if (depth > MAX_DEPTH) throw new CborError("Cannot write CBOR: too deep");
  if (Array.isArray(value)) return checkEntries(value, depth);
  if (!(value instanceof Map)) throw new CborError("Cannot write CBOR: foreign type");
  for (const key of value.keys()) {
    if (!Number.isSafeInteger(key) || key < 0) {
      throw new CborError("Cannot write CBOR: foreign key");
    }
  }
  checkEntries([...value.values()], depth);
}

function checkEntries(entries: readonly CborValue[], depth: number): void {
  if (entries.length > MAX_ENTRIES) throw new CborError("Cannot write CBOR: too many entries");
  for (const entry of entries) checkValue(entry, depth + 1);
}

/** Which keys a map has. A key that is in neither list makes the map unreadable: unknown means refuse. */
export interface MapLayout {
  readonly required: readonly number[];
  readonly optional?: readonly number[];
}

/** Reads a value as a map of exactly this layout. */
export function readMap(value: CborValue | undefined, layout: MapLayout): MapReader {
  if (!(value instanceof Map)) throw new CborError("Cannot read map: another type");
  const known = new Set([...layout.required, ...(layout.optional ?? [])]);
  for (const key of value.keys()) {
    if (!known.has(key)) throw new CborError(`Cannot read map: unknown key ${key}`);
  }
  for (const key of layout.required) {
    if (!value.has(key)) throw new CborError(`Cannot read map: key ${key} is missing`);
  }
  return new MapReader(value);
}

/** Reads a value as a list of at most `max` entries. */
export function readList(value: CborValue | undefined, max: number): readonly CborValue[] {
  if (!Array.isArray(value)) throw new CborError("Cannot read list: another type");
  if (value.length > max) throw new CborError("Cannot read list: too long");
  return value;
}

/** Reads a value as a text of at most `maxBytes` bytes of UTF-8. */
export function readText(value: CborValue | undefined, maxBytes: number): string {
  if (typeof value !== "string") throw new CborError("Cannot read text: another type");
  if (utf8(value).length > maxBytes) throw new CborError("Cannot read text: too long");
  return value;
}

/** Reads a value as a byte string of exactly `length` bytes, or of at most `max`. */
export function readBytes(
  value: CborValue | undefined,
  size: { readonly length: number } | { readonly max: number },
): Bytes {
  if (!(value instanceof Uint8Array)) throw new CborError("Cannot read bytes: another type");
  const fits = "length" in size ? value.length === size.length : value.length <= size.max;
  if (!fits) throw new CborError("Cannot read bytes: wrong length");
  return value;
}

/** Reads a value as an integer from 0 to `max`. */
export function readUint(value: CborValue | undefined, max: number): number {
  if (typeof value !== "number" || value < 0 || value > max) {
    throw new CborError("Cannot read number: another type or out of range");
  }
  return value;
}

/** Typed access to a map whose keys were checked. Every getter throws a CborError if the value does not fit. */
export class MapReader {
  readonly #map: CborMap;

  constructor(map: CborMap) {
    this.#map = map;
  }

  has(key: number): boolean {
    return this.#map.has(key);
  }

  value(key: number): CborValue | undefined {
    return this.#map.get(key);
  }

  uint(key: number, max: number): number {
    return readUint(this.#map.get(key), max);
  }

  bytes(key: number, length: number): Bytes {
    return readBytes(this.#map.get(key), { length });
  }

  bytesUpTo(key: number, max: number): Bytes {
    return readBytes(this.#map.get(key), { max });
  }

  text(key: number, maxBytes: number): string {
    return readText(this.#map.get(key), maxBytes);
  }

  list(key: number, max: number): readonly CborValue[] {
    return readList(this.#map.get(key), max);
  }

  /** Refuses the map unless the key holds exactly this number: versions, roles. */
  expect(key: number, wanted: number): void {
    if (this.#map.get(key) !== wanted) throw new CborError(`Cannot read map: key ${key} differs`);
  }
}
