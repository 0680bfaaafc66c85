/**
 * Opens the file: settings, whether it is whole, its schema. A damaged one is put aside and a new one begun, which is said.
 *
 *     porthole.db               the database; -wal and -shm beside it belong to it
 *     porthole.db.generation    how many there were (`generation.ts`)
 *     porthole.db.damaged-1     one that could not be read
 */
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { readGeneration, writeGeneration } from "./generation.ts";
import { Issuers } from "./issuers.ts";
import { migrate, NewerSchemaError, schemaVersion } from "./migrations.ts";
import { Settings } from "./settings.ts";
import { inTransaction } from "./transaction.ts";

/** A file that could not be read, and where it was put. The store began anew without it. */
export interface DamagedStore {
  readonly movedTo: string;
  readonly cause: unknown;
}

export interface OpenDatabase {
  readonly database: DatabaseSync;
  readonly damaged: DamagedStore | undefined;
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

/** The file is no database or fails its own check. */
class DamageError extends Error {
  override name = "DamageError";
}

/** Throws an Error with a remedy if the file cannot be opened, or was written by a newer porthole. */
export function openOrReplace(path: string): OpenDatabase {
  try {
    const counted = readGeneration(path); // before the file: it is written after the first whole one
    try {
      const database = open(path, { mayBeNew: counted === undefined });
      return { database: settled(database, { path, counted }), damaged: undefined };
    } catch (cause) {
      if (!(cause instanceof DamageError)) throw cause;
      return replace(path, { counted, cause });
    }
  } catch (cause) {
    throw openError(path, cause);
  }
}

function replace(
  path: string,
  { counted = 0, cause }: { readonly counted: number | undefined; readonly cause: DamageError },
): OpenDatabase {
  // First of all: whenever the power fails, no database of the old count begins anew.
  writeGeneration(path, counted + 1);
  const movedTo = moveAside(path);
  const database = open(path, { mayBeNew: true });
  const settledDatabase = settled(database, { path, counted: counted + 1 });
  return { database: settledDatabase, damaged: { movedTo, cause } };
}

/** Lets both counts be the greater one. */
function settled(
  database: DatabaseSync,
  { path, counted }: { readonly path: string; readonly counted: number | undefined },
): DatabaseSync {
  try {
    const settings = new Settings(database);
    const own = settings.get("generation");
    const generation = Math.max(own, counted ?? 0);
    if (generation > own) beginGeneration(database, { settings, generation });
    if (generation !== counted) writeGeneration(path, generation);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function beginGeneration(
  database: DatabaseSync,
  { settings, generation }: { readonly settings: Settings; readonly generation: number },
): void {
  inTransaction(database, () => {
    settings.set("generation", generation);
    new Issuers(database, settings).changeAll();
  });
}

/** Not an import: a program on a runtime without SQLite must get as far as saying so. */
function loadSqlite(): typeof import("node:sqlite") {
  return createRequire("file:///")("node:sqlite");
}

function open(path: string, { mayBeNew }: { readonly mayBeNew: boolean }): DatabaseSync {
  closeSync(openSync(path, "a", 0o600)); // SQLite gives its side files the mode of the first
  chmodSync(path, 0o600);
  const database = new (loadSqlite().DatabaseSync)(path);
  try {
    // Not `exec`: only prepared statements give SQLite's error code in Deno.
    for (const setting of SETTINGS) database.prepare(`PRAGMA ${setting}`).get();
    checkWhole(database);
    if (!mayBeNew && schemaVersion(database) === 0) throw new DamageError(damage("it is empty"));
    migrate(database);
    return database;
  } catch (cause) {
    database.close();
    if (!isDamage(cause) || cause instanceof DamageError) throw cause;
    throw new DamageError(damage("it is no whole database"), { cause });
  }
}

/**
 * Whether a file would be opened as it is. Looks at a copy, so that nothing beside it is made or changed, whoever asks;
 * false where there is no file. Throws an Error with a remedy where it is damaged.
 */
export function checkDatabaseFile(path: string): boolean {
  if (!existsSync(path)) return false;
  const folder = mkdtempSync(join(tmpdir(), "porthole-check-"));
  try {
    for (const suffix of ["", "-wal"]) {
      if (existsSync(path + suffix)) copyFileSync(path + suffix, join(folder, `copy${suffix}`));
    }
    return isWhole(join(folder, "copy"));
  } catch (cause) {
    if (!isDamage(cause)) throw cause;
    const remedy = "the next start puts it aside and begins anew, and people pair again";
    throw new Error(`the database '${path}' is damaged. Restore it from a backup: ${remedy}`, {
      cause,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function isWhole(path: string): true {
  const database = new (loadSqlite().DatabaseSync)(path);
  try {
    checkWhole(database);
    if (schemaVersion(database) === 0) throw new DamageError(damage("it is empty"));
    return true;
  } finally {
    database.close();
  }
}

/** All pages, indexes, CHECKs and references: it takes milliseconds at this size. */
function checkWhole(database: DatabaseSync): void {
  const verdict = database.prepare("PRAGMA integrity_check(1)").get()?.integrity_check;
  if (verdict !== "ok") throw new DamageError(damage(String(verdict)));
  const orphan = database.prepare("PRAGMA foreign_key_check").get();
  if (orphan) throw new DamageError(damage(`a row of ${String(orphan.table)} refers to none`));
}

function damage(what: string): string {
  return `Cannot read database: ${what}`;
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
