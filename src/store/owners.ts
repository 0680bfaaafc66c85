/** Browsers that may do everything, and the claims that made them. */
import type { DatabaseSync } from "node:sqlite";
import { type Bytes, equalBytes } from "../lib/bytes.ts";
import { optional, readBlob, type Row } from "./columns.ts";
import { LimitError, MAX_CONSUMED, MAX_OWNERS } from "./limits.ts";
import type { Owner } from "./stored.ts";

export class Owners {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  find(keyId: Bytes): Owner | undefined {
    const row = this.#database.prepare("SELECT * FROM owners WHERE key_id = ?").get(keyId);
    return row && readOwner(row);
  }

  /** The first one first. */
  all(): Owner[] {
    const query = "SELECT * FROM owners ORDER BY created_at, key_id";
    return this.#database.prepare(query).all().map(readOwner);
  }

  isConsumed(cti: Bytes): boolean {
    const query = "SELECT 1 FROM consumed_claims WHERE cti = ?";
    return this.#database.prepare(query).get(cti) !== undefined;
  }

  /** Marks a claim as used. False if it was already. */
  consume(cti: Bytes, at: number): boolean {
    const { changes } = this.#database
      .prepare("INSERT INTO consumed_claims (cti, at) VALUES (?, ?) ON CONFLICT (cti) DO NOTHING")
      .run(cti, at);
    this.#database
      .prepare(
        `DELETE FROM consumed_claims
         WHERE number <= (SELECT max(number) FROM consumed_claims) - ?`,
      )
      .run(MAX_CONSUMED);
    return Number(changes) === 1;
  }

  /** One who is there keeps its dates and gets the new label. Throws a LimitError if there are 64. */
  add(owner: Owner): void {
    const known = this.find(owner.keyId);
    if (known && !equalBytes(known.publicKey, owner.publicKey)) {
      throw new Error("Cannot add owner: another key has this id");
    }
    if (known) return this.#rename(owner);
    if (this.#count() >= MAX_OWNERS) {
      throw new LimitError(`Cannot add owner: ${MAX_OWNERS} are there. Remove one first`);
    }
    this.#database
      .prepare(
        `INSERT INTO owners (key_id, public_key, label, created_at, last_seen)
         VALUES (?, ?, ?, ?, ?)`,
      )
      .run(owner.keyId, owner.publicKey, owner.label, owner.createdAt, owner.lastSeen ?? null);
  }

  /** False if there is none. */
  remove(keyId: Bytes): boolean {
    const { changes } = this.#database.prepare("DELETE FROM owners WHERE key_id = ?").run(keyId);
    return Number(changes) === 1;
  }

  saw(keyId: Bytes, at: number): void {
    this.#database.prepare("UPDATE owners SET last_seen = ? WHERE key_id = ?").run(at, keyId);
  }

  #rename({ keyId, label }: Owner): void {
    this.#database.prepare("UPDATE owners SET label = ? WHERE key_id = ?").run(label, keyId);
  }

  #count(): number {
    return Number(this.#database.prepare("SELECT count(*) AS count FROM owners").get()?.count);
  }
}

function readOwner(row: Row): Owner {
  return {
    keyId: readBlob(row.key_id),
    publicKey: readBlob(row.public_key),
    label: String(row.label),
    createdAt: Number(row.created_at),
    ...optional("lastSeen", row.last_seen, Number),
  };
}
