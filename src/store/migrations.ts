/**
 * The schema, as numbered steps forward. A step that was released is never changed: the next one is added. SQLite's
 * `user_version` says how many a file has had.
 */
import type { DatabaseSync } from "node:sqlite";

const MIGRATIONS: readonly string[] = [
  `
  -- Browsers that may do everything. The key id is the hint by which offers are looked up.
  CREATE TABLE owners (
    key_id     BLOB PRIMARY KEY CHECK (length(key_id) = 8),
    public_key BLOB NOT NULL UNIQUE CHECK (length(public_key) = 32),
    label      TEXT NOT NULL,
    created_at INTEGER NOT NULL -- Unix seconds, by the device's clock
  ) STRICT, WITHOUT ROWID;

  -- Ids of tokens that worked once and must never work again.
  CREATE TABLE consumed (
    cti BLOB PRIMARY KEY CHECK (length(cti) = 16),
    at  INTEGER NOT NULL -- Unix seconds, by the device's clock
  ) STRICT, WITHOUT ROWID;
  `,
];

/** What this program writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** The file was written by a program that knows more steps. */
export class NewerSchemaError extends Error {
  override name = "NewerSchemaError";
}

/** Brings a database up to date in one transaction, or leaves it as it was. */
export function migrate(database: DatabaseSync): void {
  const row = database.prepare("PRAGMA user_version").get();
  const found = Number(row?.user_version);
  if (found > SCHEMA_VERSION) {
    throw new NewerSchemaError(
      `schema ${found} is newer than ${SCHEMA_VERSION}, the one this program knows. Run the newer porthole again`,
    );
  }
  if (found === SCHEMA_VERSION) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    for (const step of MIGRATIONS.slice(found)) database.exec(step);
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}
