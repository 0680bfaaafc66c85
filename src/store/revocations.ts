/** Grants that were ended before their time. */
import type { DatabaseSync } from "node:sqlite";
import type { Bytes } from "../lib/bytes.ts";
import { LimitError, MAX_REVOKED } from "./limits.ts";
import type { Settings } from "./settings.ts";

export class Revocations {
  readonly #database: DatabaseSync;
  readonly #settings: Settings;

  constructor(database: DatabaseSync, settings: Settings) {
    this.#database = database;
    this.#settings = settings;
  }

  has(cti: Bytes): boolean {
    return this.#database.prepare("SELECT 1 FROM revoked WHERE cti = ?").get(cti) !== undefined;
  }

  /** One that is there is kept until the later date. Throws a LimitError if too many of unknown grants are kept. */
  add(cti: Bytes, until: number): void {
    this.#forgetOld();
    if (!this.has(cti) && !this.#isRegistered(cti) && this.#count() >= MAX_REVOKED) {
      throw new LimitError(`Cannot revoke unknown grant: ${MAX_REVOKED} revocations are kept`);
    }
    this.#database
      .prepare(
        `INSERT INTO revoked (cti, until) VALUES (?, ?)
         ON CONFLICT DO UPDATE SET until = max(until, excluded.until)`,
      )
      // The caller adds days to a date that an issuer chose: a revocation must not fail for that.
      .run(cti, Math.min(until, Number.MAX_SAFE_INTEGER));
  }

  /** By the time floor: the clock may be ahead by mistake, and what it let be forgotten would hold again. */
  #forgetOld(): void {
    this.#database.prepare("DELETE FROM revoked WHERE until <= ?").run(
      this.#settings.get("time_floor"),
    );
  }

  #isRegistered(cti: Bytes): boolean {
    return this.#database.prepare("SELECT 1 FROM grants WHERE id = ?").get(cti) !== undefined;
  }

  #count(): number {
    return Number(this.#database.prepare("SELECT count(*) AS count FROM revoked").get()?.count);
  }
}
