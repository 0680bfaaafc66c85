/**
 * What one line of the log is hashed as:
 *
 *     SHA-256(hash before (32) | sequence (8) | at (8) | event | holder | label | grant | detail)
 *
 * Integers are big-endian. Each of the five fields is a byte 0 if it is absent, else a byte 1, its length (4) and its bytes
 * (texts in UTF-8): no two lines have the same encoding. Before the first line stand 32 zero bytes.
 */
import { createHash } from "node:crypto";
import { type Bytes, concat, utf8 } from "../lib/bytes.ts";
import type { AuditDraft } from "./stored.ts";

export const EMPTY_HASH: Bytes = new Uint8Array(32);

/** The hash of a line that follows on `previous`. */
export function auditHash(
  previous: Bytes,
  { sequence, draft }: { readonly sequence: number; readonly draft: AuditDraft },
): Bytes {
  const hash = createHash("sha256").update(previous).update(encodeLine(sequence, draft)).digest();
  return new Uint8Array(hash);
}

function encodeLine(sequence: number, draft: AuditDraft): Bytes {
  return concat(
    encodeInteger(sequence, 8),
    encodeInteger(draft.at, 8),
    encodeField(utf8(draft.event)),
    encodeField(draft.holder),
    encodeField(draft.label === undefined ? undefined : utf8(draft.label)),
    encodeField(draft.grant),
    encodeField(draft.detail === undefined ? undefined : utf8(draft.detail)),
  );
}

function encodeField(bytes: Bytes | undefined): Bytes {
  if (bytes === undefined) return Uint8Array.of(0);
  return concat(Uint8Array.of(1), encodeInteger(bytes.length, 4), bytes);
}

function encodeInteger(value: number, length: 4 | 8): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes.slice(8 - length);
}
