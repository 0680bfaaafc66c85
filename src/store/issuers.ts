/** What of an issuer's signed objects still counts: its epoch, and the last of its numbered statements. */
import type { DatabaseSync } from "node:sqlite";
import type { Bytes } from "../lib/bytes.ts";
import { drawEpoch } from "./generation.ts";
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

  /** What it issues must carry this. */
  epoch(issuer: Bytes): number {
    return Number(this.#row(issuer)?.epoch ?? this.firstEpoch);
  }

  /** The one of all who were never removed. */
  get firstEpoch(): number {
    return this.#settings.get("first_epoch");
  }

  lastStatement(issuer: Bytes): number {
    return Number(this.#row(issuer)?.last_statement ?? 0);
  }

  /** False if it is not newer than the last. */
  take({ issuer, sequence }: Statement): boolean {
    if (sequence <= this.lastStatement(issuer)) return false;
    this.#database
      .prepare(
        `INSERT INTO issuers (key_id, epoch, last_statement) VALUES (?, ?, ?)
         ON CONFLICT (key_id) DO UPDATE SET last_statement = excluded.last_statement`,
      )
      .run(issuer, this.firstEpoch, sequence);
    return true;
  }

  /** Nothing that it issued so far holds any more. Its row becomes the newest one: it is forgotten last. */
  changeEpoch(issuer: Bytes): void {
    const [before, drawn] = [this.epoch(issuer), drawEpoch()];
    const next = drawn === before ? drawn - 1 : drawn;
    this.#database
      .prepare("INSERT OR REPLACE INTO issuers (key_id, epoch, last_statement) VALUES (?, ?, ?)")
      .run(issuer, next, this.lastStatement(issuer));
    this.#database
      .prepare(
        `DELETE FROM issuers WHERE number IN (
           SELECT number FROM issuers WHERE key_id NOT IN (SELECT key_id FROM owners)
           ORDER BY number DESC LIMIT -1 OFFSET ?
         )`,
      )
      .run(MAX_FORMER_OWNERS);
  }

  /** Nothing that anybody issued so far holds any more. */
  changeAll(): void {
    const drawn = drawEpoch();
    this.#settings.set("first_epoch", drawn);
    this.#database.prepare("UPDATE issuers SET epoch = ?").run(drawn);
  }

  #row(issuer: Bytes): { readonly [column: string]: unknown } | undefined {
    return this.#database.prepare("SELECT * FROM issuers WHERE key_id = ?").get(issuer);
  }
}
