/**
 * CBOR for data inside an authenticated channel. Not for signed objects: cbor-x is neither deterministic nor strict
 * (security.md 1.3), which is why every value that comes out of here is checked field by field by its reader.
 * The build without `eval` serves both ends, since the shell's CSP forbids evaluation.
 */
import { Decoder, Encoder, setSizeLimits } from "cbor-x/index-no-eval";
import type { Bytes } from "../lib/bytes.ts";
import { ProtocolError } from "./errors.ts";

/** Items of one array or map: a head of 32 KiB cannot sensibly hold more than 2048 names and values. */
const MAX_ITEMS = 4096;

setSizeLimits({ maxArraySize: MAX_ITEMS, maxMapSize: 256, maxObjectSize: 256 });

const encoder = new Encoder({ useRecords: false, tagUint8Array: false, variableMapSize: true });
const decoder = new Decoder({ useRecords: false, mapsAsObjects: true });

/** Encodes into memory of its own: cbor-x hands out views into a shared buffer. */
export function encodeCbor(value: unknown): Bytes {
  return new Uint8Array(encoder.encode(value));
}

/** Decodes to `unknown`. Throws a ProtocolError for anything that is not one whole CBOR item without tags. */
export function decodeCbor(bytes: Uint8Array): unknown {
  refuseTags(bytes);
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new ProtocolError("Cannot decode CBOR: malformed", { cause });
  }
}

const TAG = 6; // major types of RFC 8949 3.1
const FIRST_CONTAINER = 4; // arrays and maps; their items follow and are looked at in turn
const FIRST_TEXT_OR_BYTES = 2;
const ONE_BYTE_ARGUMENT = 24;
const EIGHT_BYTE_ARGUMENT = 27;

/**
 * Walks over the heads of all items. cbor-x gives tags a meaning that nobody here asked for: packed strings that double
 * with every level, regular expressions, numbers of 32 KiB, records. Lengths without an end are refused as well. What
 * is cut short passes: the decoder says so.
 */
function refuseTags(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    const major = bytes[at]! >> 5; // the loop's condition
    const info = bytes[at]! & 0x1f;
    if (major === TAG || info > EIGHT_BYTE_ARGUMENT) {
      throw new ProtocolError("Cannot decode CBOR: a tag, or a length without an end");
    }
    const size = info < ONE_BYTE_ARGUMENT ? 0 : 2 ** (info - ONE_BYTE_ARGUMENT);
    const skipsContent = major >= FIRST_TEXT_OR_BYTES && major < FIRST_CONTAINER;
    at += 1 + size + (skipsContent ? argument(bytes, { at, info, size }) : 0);
  }
}

function argument(bytes: Uint8Array, head: { at: number; info: number; size: number }): number {
  if (head.size === 0) return head.info;
  let value = 0;
  for (const byte of bytes.subarray(head.at + 1, head.at + 1 + head.size)) {
    value = value * 256 + byte;
  }
  return value;
}
