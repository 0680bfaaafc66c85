/** Browsers that redeemed an invite, and how much of their time has passed. */
import type { DatabaseSync } from "node:sqlite";
import type { Bytes } from "../lib/bytes.ts";
import { optional, readBlob, type Row } from "./columns.ts";
import type { Guest, SpentTime } from "./stored.ts";

export class Guests {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  find(grant: Bytes, keyId: Bytes): Guest | undefined {
    const query = "SELECT * FROM guests WHERE grant_id = ? AND key_id = ?";
    const row = this.#database.prepare(query).get(grant, keyId);
    return row && readGuest(row);
  }

  /** The first one first; at most 64, as an invite has no more uses. */
  of(grant: Bytes): Guest[] {
    const query = "SELECT * FROM guests WHERE grant_id = ? ORDER BY redeemed_at, key_id";
    return this.#database.prepare(query).all(grant).map(readGuest);
  }

  count(grant: Bytes): number {
    const query = "SELECT count(*) AS count FROM guests WHERE grant_id = ?";
    return Number(this.#database.prepare(query).get(grant)?.count);
  }

  add(guest: Guest): void {
    this.#database
      .prepare(
        `INSERT INTO guests
           (grant_id, key_id, public_key, label, redeemed_at, last_seen, spent_seconds)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        guest.grant,
        guest.keyId,
        guest.publicKey,
        guest.label,
        guest.redeemedAt,
        guest.lastSeen ?? null,
        guest.spentSeconds,
      );
  }

  saw(grant: Bytes, { keyId, at }: { readonly keyId: Bytes; readonly at: number }): void {
    this.#database
      .prepare("UPDATE guests SET last_seen = ? WHERE grant_id = ? AND key_id = ?")
      .run(at, grant, keyId);
  }

  /** Whole seconds. */
  spend({ grant, keyId, seconds }: SpentTime): void {
    this.#database
      .prepare(
        "UPDATE guests SET spent_seconds = spent_seconds + ? WHERE grant_id = ? AND key_id = ?",
      )
      .run(seconds, grant, keyId);
  }
}

function readGuest(row: Row): Guest {
  return {
    grant: readBlob(row.grant_id),
    keyId: readBlob(row.key_id),
    publicKey: readBlob(row.public_key),
    label: String(row.label),
    redeemedAt: Number(row.redeemed_at),
    ...optional("lastSeen", row.last_seen, Number),
    spentSeconds: Number(row.spent_seconds),
  };
}
