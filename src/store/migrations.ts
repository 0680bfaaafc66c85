/**
 * The schema, as numbered steps forward. A step that was released is never changed: the next one is added. SQLite's
 * `user_version` says how many a file has had.
 *
 * CHECKs bound what a caller's mistake could put in. 9007199254740991 is the greatest integer that JavaScript reads back.
 * Texts hold no NUL: SQLite's readers end there, and the log's hashes would not fit any more.
 */
import type { DatabaseSync } from "node:sqlite";
import { inTransaction } from "./transaction.ts";

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
  `
  -- The same with bounds.
  CREATE TABLE bounded_owners (
    key_id     BLOB PRIMARY KEY CHECK (length(key_id) = 8),
    public_key BLOB NOT NULL UNIQUE CHECK (length(public_key) = 32),
    label      TEXT NOT NULL CHECK (octet_length(label) <= 256 AND instr(label, char(0)) = 0),
    created_at INTEGER NOT NULL CHECK (created_at BETWEEN 0 AND 9007199254740991),
    last_seen  INTEGER CHECK (last_seen BETWEEN 0 AND 9007199254740991)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO bounded_owners (key_id, public_key, label, created_at)
    SELECT key_id, public_key, substr(label, 1, 64), max(created_at, 0) FROM owners;
  DROP TABLE owners;
  ALTER TABLE bounded_owners RENAME TO owners;

  -- The same with a number, so that the oldest can make room whatever the clock said.
  CREATE TABLE consumed_claims (
    number INTEGER PRIMARY KEY,
    cti    BLOB NOT NULL UNIQUE CHECK (length(cti) = 16),
    at     INTEGER NOT NULL
  ) STRICT;
  INSERT INTO consumed_claims (cti, at) SELECT cti, at FROM consumed ORDER BY at, cti;
  DROP TABLE consumed;

  -- Owners, and who was one: what of their signed objects still counts. A key without a row has the first epoch.
  CREATE TABLE issuers (
    number         INTEGER PRIMARY KEY, -- the one removed last has the greatest
    key_id         BLOB NOT NULL UNIQUE CHECK (length(key_id) = 8),
    epoch          INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
    last_statement INTEGER NOT NULL CHECK (last_statement BETWEEN 0 AND 9007199254740991)
  ) STRICT;

  -- Invites.
  CREATE TABLE grants (
    number     INTEGER PRIMARY KEY, -- the newest has the greatest
    id         BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    issuer     BLOB NOT NULL CHECK (length(issuer) = 8),
    epoch      INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295), -- of its issuer then
    token      BLOB NOT NULL CHECK (length(token) BETWEEN 1 AND 1024),
    label      TEXT NOT NULL CHECK (octet_length(label) <= 256 AND instr(label, char(0)) = 0),
    created_at INTEGER NOT NULL CHECK (created_at BETWEEN 0 AND 9007199254740991),
    expires    INTEGER NOT NULL CHECK (expires BETWEEN 0 AND 9007199254740991),
    uses       INTEGER NOT NULL CHECK (uses BETWEEN 1 AND 64)
  ) STRICT;

  -- Browsers that redeemed one.
  CREATE TABLE guests (
    grant_id      BLOB NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    key_id        BLOB NOT NULL CHECK (length(key_id) = 8),
    public_key    BLOB NOT NULL CHECK (length(public_key) = 32),
    label         TEXT NOT NULL CHECK (octet_length(label) <= 256 AND instr(label, char(0)) = 0),
    redeemed_at   INTEGER NOT NULL CHECK (redeemed_at BETWEEN 0 AND 9007199254740991),
    last_seen     INTEGER CHECK (last_seen BETWEEN 0 AND 9007199254740991),
    spent_seconds INTEGER NOT NULL CHECK (spent_seconds BETWEEN 0 AND 9007199254740991),
    PRIMARY KEY (grant_id, key_id)
  ) STRICT, WITHOUT ROWID;

  -- Ids of grants that were ended before their time.
  CREATE TABLE revoked (
    cti   BLOB PRIMARY KEY CHECK (length(cti) = 16),
    until INTEGER NOT NULL CHECK (until BETWEEN 0 AND 9007199254740991) -- then it is forgotten
  ) STRICT, WITHOUT ROWID;

  -- Who did what: each line's hash is made of the one before and the line.
  CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY CHECK (sequence BETWEEN 1 AND 9007199254740991),
    at       INTEGER NOT NULL CHECK (at BETWEEN 0 AND 9007199254740991),
    event    TEXT NOT NULL CHECK (octet_length(event) BETWEEN 1 AND 64 AND instr(event, char(0)) = 0),
    holder   BLOB CHECK (length(holder) = 8),
    label    TEXT CHECK (octet_length(label) <= 256 AND instr(label, char(0)) = 0),
    grant_id BLOB CHECK (length(grant_id) = 16),
    detail   TEXT CHECK (octet_length(detail) <= 1024 AND instr(detail, char(0)) = 0),
    hash     BLOB NOT NULL CHECK (length(hash) = 32)
  ) STRICT;

  -- The last line that was dropped; the device signs it.
  CREATE TABLE audit_base (
    only      INTEGER PRIMARY KEY CHECK (only = 1),
    sequence  INTEGER NOT NULL CHECK (sequence BETWEEN 1 AND 9007199254740991),
    hash      BLOB NOT NULL CHECK (length(hash) = 32),
    signature BLOB CHECK (length(signature) BETWEEN 1 AND 1024)
  ) STRICT;

  CREATE TABLE settings (
    name  TEXT PRIMARY KEY CHECK (name IN ('time_floor', 'generation', 'first_epoch')),
    value INTEGER NOT NULL CHECK (value BETWEEN 0 AND 9007199254740991)
  ) STRICT, WITHOUT ROWID;

  -- What stands for services and cameras in grants. Rows are never deleted: a number never stands for another thing.
  CREATE TABLE numbers (
    kind   TEXT NOT NULL CHECK (kind IN ('service', 'camera')),
    id     TEXT NOT NULL CHECK (octet_length(id) BETWEEN 1 AND 64 AND instr(id, char(0)) = 0),
    number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 65535),
    PRIMARY KEY (kind, id),
    UNIQUE (kind, number)
  ) STRICT, WITHOUT ROWID;
  `,
];

/** What this program writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** The file was written by a program that knows more steps. */
export class NewerSchemaError extends Error {
  override name = "NewerSchemaError";
}

/** How many steps the file has had: 0 for one that is new. */
export function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.user_version);
}

/** Brings a database up to date in one transaction, or leaves it as it was. */
export function migrate(database: DatabaseSync): void {
  if (schemaVersion(database) === SCHEMA_VERSION) return;
  inTransaction(database, () => {
    const found = schemaVersion(database); // again: another process may have been faster
    if (found > SCHEMA_VERSION) throw newerSchema(found);
    for (const step of MIGRATIONS.slice(found)) database.exec(step);
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  });
}

function newerSchema(found: number): NewerSchemaError {
  return new NewerSchemaError(
    `schema ${found} is newer than ${SCHEMA_VERSION}, the one this program knows. Run the newer porthole again`,
  );
}
