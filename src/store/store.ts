/**
 * What must survive a pulled plug: who owns the device, and which one-time tokens were used. One SQLite file in the
 * state folder; nothing else in the program knows SQLite. Keys of the device itself are not in here: they are files
 * (`src/control/identity.ts`), so that a damaged database costs the owners and never the device's name.
 *
 * Calls are synchronous: they take less than a flush to disk, and what they answer has been flushed.
 */
import { chmodSync, closeSync, existsSync, openSync, renameSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Bytes } from "../lib/bytes.ts";
import { migrate, NewerSchemaError } from "./migrations.ts";

/** A browser that may do everything. */
export interface Owner {
  /** 8 bytes. */
  readonly keyId: Bytes;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Bytes;
  readonly label: string;
  /** Unix seconds. */
  readonly createdAt: number;
}

/** A file that could not be read, and where it was put. The store began anew without it. */
export interface DamagedStore {
  readonly movedTo: string;
  readonly cause: unknown;
}

/** How long a second process, like a copying backup, may hold the file before a call fails. */
const BUSY_TIMEOUT_MS = 5000;

/** SQLITE_CORRUPT and SQLITE_NOTADB (sqlite.org/rescode.html): the file itself is at fault, nothing around it. */
const DAMAGED_CODES = [11, 26];

/** FULL: in WAL mode NORMAL may lose committed transactions with the power (security.md 4). */
const SETTINGS = [
  `busy_timeout = ${BUSY_TIMEOUT_MS}`,
  "journal_mode = WAL",
  "synchronous = FULL",
  "foreign_keys = ON",
  "trusted_schema = OFF",
];

/** The open database. One per process. */
export class Store {
  /** Set if the file was damaged and put aside at opening: the caller reports it. */
  readonly damaged: DamagedStore | undefined;
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync, damaged?: DamagedStore) {
    this.#database = database;
    this.damaged = damaged;
  }

  /**
   * Opens or creates the file, checks it and brings its schema up to date. A damaged file is moved aside. Throws if the
   * file cannot be opened or was written by a newer porthole.
   */
  static open(path: string): Store {
    try {
      return new Store(openDatabase(path));
    } catch (cause) {
      if (!(cause instanceof DamageError)) throw openError(path, cause);
      const movedTo = moveAside(path);
      return new Store(openDatabase(path), { movedTo, cause });
    }
  }

  /**
   * Marks a token as used and adds the owner whom it makes, both or neither. "already_used" changes nothing. An owner
   * who is there already keeps its date and gets the new label.
   */
  consumeClaimAndAddOwner(cti: Bytes, owner: Owner): "added" | "already_used" {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const consumed = this.#database
        .prepare("INSERT INTO consumed (cti, at) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .run(cti, owner.createdAt);
      if (Number(consumed.changes) === 1) this.#addOwner(owner);
      this.#database.exec("COMMIT");
      return Number(consumed.changes) === 1 ? "added" : "already_used";
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /** Whether a token was used. */
  isConsumed(cti: Bytes): boolean {
    return this.#database.prepare("SELECT 1 FROM consumed WHERE cti = ?").get(cti) !== undefined;
  }

  /** The owner with this key id. Compare the full key before you believe it. */
  owner(keyId: Bytes): Owner | undefined {
    const row = this.#database.prepare("SELECT * FROM owners WHERE key_id = ?").get(keyId);
    return row && readOwner(row);
  }

  /** All owners, the first one first. */
  owners(): Owner[] {
    const query = "SELECT * FROM owners ORDER BY created_at, key_id";
    return this.#database.prepare(query).all().map(readOwner);
  }

  close(): void {
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #addOwner(owner: Owner): void {
    this.#database
      .prepare(
        `INSERT INTO owners (key_id, public_key, label, created_at) VALUES (?, ?, ?, ?)
         ON CONFLICT (key_id) DO UPDATE SET label = excluded.label
         WHERE public_key = excluded.public_key`,
      )
      .run(owner.keyId, owner.publicKey, owner.label, owner.createdAt);
  }
}

/** The file is no database or fails its own check. */
class DamageError extends Error {
  override name = "DamageError";
}

function openDatabase(path: string): DatabaseSync {
  closeSync(openSync(path, "a", 0o600)); // SQLite gives its side files the mode of the first
  chmodSync(path, 0o600);
  const database = new DatabaseSync(path);
  try {
    // Not `exec`: only prepared statements give SQLite's error code in Deno.
    for (const setting of SETTINGS) database.prepare(`PRAGMA ${setting}`).get();
    checkWhole(database);
    migrate(database);
    return database;
  } catch (cause) {
    database.close();
    if (isDamage(cause)) throw new DamageError("Cannot read database: damaged", { cause });
    throw cause;
  }
}

function checkWhole(database: DatabaseSync): void {
  const verdict = database.prepare("PRAGMA quick_check(1)").get()?.quick_check;
  if (verdict !== "ok") throw new DamageError(`Cannot read database: ${String(verdict)}`);
}

function isDamage(error: unknown): boolean {
  if (error instanceof DamageError) return true;
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) : 0;
  return DAMAGED_CODES.includes(code & 0xff); // the low byte is the primary code
}

/** Gives the file and its side files a name that is free, so that nothing of them is lost or read again. */
function moveAside(path: string): string {
  let number = 1;
  while (existsSync(`${path}.damaged-${number}`)) number++;
  const movedTo = `${path}.damaged-${number}`;
  for (const suffix of ["", "-wal", "-shm"]) {
    if (existsSync(path + suffix)) renameSync(path + suffix, movedTo + suffix);
  }
  return movedTo;
}

function openError(path: string, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const remedy = cause instanceof NewerSchemaError
    ? ""
    : ". See that the user that runs porthole may write there and that the disk is not full";
  return new Error(`Cannot open the store '${path}': ${reason}${remedy}`, { cause });
}

type Row = ReturnType<ReturnType<DatabaseSync["prepare"]>["all"]>[number];

function readOwner(row: Row): Owner {
  return {
    keyId: blob(row.key_id),
    publicKey: blob(row.public_key),
    label: String(row.label),
    createdAt: Number(row.created_at),
  };
}

function blob(value: unknown): Bytes {
  if (!(value instanceof Uint8Array)) throw new TypeError("Cannot read row: not a byte string");
  return new Uint8Array(value);
}
