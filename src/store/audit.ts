/**
 * The log of who did what: a chain of hashes, so that no line can be changed or taken out unseen. Its oldest lines are
 * dropped in blocks; the last that was dropped is remembered, for the device to sign.
 *
 * Whoever can write the file can make a whole new chain: that is what owners' browsers notice, which keep the newest hash
 * that they saw.
 */
import type { DatabaseSync } from "node:sqlite";
import { type Bytes, equalBytes } from "../lib/bytes.ts";
import { auditHash, EMPTY_HASH } from "./audit_hash.ts";
import { optional, readBlob, type Row } from "./columns.ts";
import { DROPPED_AUDIT_LINES, MAX_AUDIT_LINES, MAX_AUDIT_PAGE } from "./limits.ts";
import type { AuditBase, AuditDraft, AuditLine, AuditPlace } from "./stored.ts";

export class Audit {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Adds a line, and drops the oldest ones if there are too many. Inside a transaction. */
  append(draft: AuditDraft): void {
    const head = this.head();
    const sequence = head.sequence + 1;
    this.#database
      .prepare(
        `INSERT INTO audit (sequence, at, event, holder, label, grant_id, detail, hash)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        sequence,
        draft.at,
        draft.event,
        draft.holder ?? null,
        draft.label ?? null,
        draft.grant ?? null,
        draft.detail ?? null,
        auditHash(head.hash, { sequence, draft }),
      );
    this.#dropOldest(sequence);
  }

  /** The newest first. */
  list(
    { before = Number.MAX_SAFE_INTEGER, limit }: {
      readonly before?: number;
      readonly limit: number;
    },
  ): AuditLine[] {
    const count = Math.max(0, Math.min(limit, MAX_AUDIT_PAGE));
    return this.#database
      .prepare("SELECT * FROM audit WHERE sequence < ? ORDER BY sequence DESC LIMIT ?")
      .all(before, count)
      .map(readLine);
  }

  /** The newest line; before the first one, where the log begins. */
  head(): AuditPlace {
    const query = "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1";
    const row = this.#database.prepare(query).get();
    return row ? readPlace(row) : this.#begin();
  }

  hash(sequence: number): Bytes | undefined {
    const query = "SELECT hash FROM audit WHERE sequence = ?";
    const row = this.#database.prepare(query).get(sequence);
    return row && readBlob(row.hash);
  }

  base(): AuditBase | undefined {
    const row = this.#database.prepare("SELECT * FROM audit_base").get();
    return row && { ...readPlace(row), ...optional("signature", row.signature, readBlob) };
  }

  /** Nothing happens if the log begins elsewhere by now. */
  signBase(sequence: number, signature: Bytes): void {
    this.#database
      .prepare("UPDATE audit_base SET signature = ? WHERE sequence = ?")
      .run(signature, sequence);
  }

  /** The first line that does not follow from the one before. */
  firstBroken(): number | undefined {
    let place = this.#begin();
    for (let page = this.#after(0); page.length > 0; page = this.#after(place.sequence)) {
      for (const line of page) {
        if (!follows(line, place)) return line.sequence;
        place = line;
      }
    }
    return undefined;
  }

  /** The next lines in their order. Not `iterate`: Node 22.13 finalizes a statement that only its iterator holds. */
  #after(sequence: number): AuditLine[] {
    return this.#database
      .prepare("SELECT * FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?")
      .all(sequence, MAX_AUDIT_PAGE)
      .map(readLine);
  }

  #begin(): AuditPlace {
    return this.base() ?? { sequence: 0, hash: EMPTY_HASH };
  }

  #dropOldest(newest: number): void {
    const query = "SELECT min(sequence) AS oldest FROM audit";
    const oldest = Number(this.#database.prepare(query).get()?.oldest);
    if (newest - oldest < MAX_AUDIT_LINES) return;
    const lastDropped = oldest + DROPPED_AUDIT_LINES - 1;
    this.#database
      .prepare(
        `INSERT OR REPLACE INTO audit_base (only, sequence, hash)
         SELECT 1, sequence, hash FROM audit WHERE sequence <= ? ORDER BY sequence DESC LIMIT 1`,
      )
      .run(lastDropped);
    this.#database.prepare("DELETE FROM audit WHERE sequence <= ?").run(lastDropped);
  }
}

function follows(line: AuditLine, before: AuditPlace): boolean {
  const sequence = before.sequence + 1;
  return line.sequence === sequence &&
    equalBytes(line.hash, auditHash(before.hash, { sequence, draft: line }));
}

function readPlace(row: Row): AuditPlace {
  return { sequence: Number(row.sequence), hash: readBlob(row.hash) };
}

function readLine(row: Row): AuditLine {
  return {
    ...readPlace(row),
    at: Number(row.at),
    event: String(row.event),
    ...optional("holder", row.holder, readBlob),
    ...optional("label", row.label, String),
    ...optional("grant", row.grant_id, readBlob),
    ...optional("detail", row.detail, String),
  };
}
