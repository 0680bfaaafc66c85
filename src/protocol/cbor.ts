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

/** Decodes to `unknown`. Throws a ProtocolError for anything that is not one whole CBOR item. */
export function decodeCbor(bytes: Uint8Array): unknown {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new ProtocolError("Cannot decode CBOR: malformed", { cause });
  }
}
