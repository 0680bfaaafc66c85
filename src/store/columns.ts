/** Reads columns of rows: SQLite's values, checked, as the program's. */
import type { DatabaseSync } from "node:sqlite";
import type { Bytes } from "../lib/bytes.ts";

export type Row = ReturnType<ReturnType<DatabaseSync["prepare"]>["all"]>[number];

/** A byte string, in memory of its own. */
export function readBlob(value: unknown): Bytes {
  if (!(value instanceof Uint8Array)) throw new TypeError("Cannot read row: not a byte string");
  return new Uint8Array(value);
}

/** `{name: read(value)}`, or nothing for NULL: absent fields stay absent. */
export function optional<Name extends string, Value>(
  name: Name,
  value: unknown,
  read: (value: unknown) => Value,
): { readonly [key in Name]?: Value } {
  return value === null ? {} : { [name]: read(value) } as { readonly [key in Name]: Value };
}
