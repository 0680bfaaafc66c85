/** What of an issuer's signed objects still counts: its epoch, and the last of its numbered statements. */
import type { DatabaseSync } from "node:sqlite";
import type { Bytes } from "../lib/bytes.ts";
import { baseEpoch } from "./generation.ts";
import { MAX_FORMER_OWNERS } from "./limits.ts";
import type { Settings } from "./settings.ts";
import type { Statement } from "./stored.ts";

export class Issuers {
  readonly #database: DatabaseSync;
  readonly #settings: Settings;

  constructor(database: DatabaseSync, settings: Settings) {
    this.#database = database;
    this.#settings = settings;
  }

  minEpoch(issuer: Bytes): number {
    const base = baseEpoch(this.#settings.get("generation"));
    return Math.max(base, Number(this.#row(issuer)?.min_epoch ?? 0));
  }

  lastStatement(issuer: Bytes): number {
    return Number(this.#row(issuer)?.last_statement ?? 0);
  }

  /** False if it is not newer than the last. */
  take({ issuer, sequence }: Statement): boolean {
    if (sequence <= this.lastStatement(issuer)) return false;
    this.#database
      .prepare(
        `INSERT INTO issuers (key_id, min_epoch, last_statement) VALUES (?, 0, ?)
         ON CONFLICT (key_id) DO UPDATE SET last_statement = excluded.last_statement`,
      )
      .run(issuer, sequence);
    return true;
  }

  /** Nothing that it issued so far holds any more. Its row becomes the newest one: it is forgotten last. */
  raiseEpoch(issuer: Bytes): void {
    this.#database
      .prepare(
        "INSERT OR REPLACE INTO issuers (key_id, min_epoch, last_statement) VALUES (?, ?, ?)",
      )
      .run(issuer, this.minEpoch(issuer) + 1, this.lastStatement(issuer));
    this.#database
      .prepare(
        `DELETE FROM issuers WHERE number IN (
           SELECT number FROM issuers WHERE key_id NOT IN (SELECT key_id FROM owners)
           ORDER BY number DESC LIMIT -1 OFFSET ?
         )`,
      )
      .run(MAX_FORMER_OWNERS);
  }

  #row(issuer: Bytes): { readonly [column: string]: unknown } | undefined {
    return this.#database.prepare("SELECT * FROM issuers WHERE key_id = ?").get(issuer);
  }
}
