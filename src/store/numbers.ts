/** Numbers by which grants name services and cameras. */
import type { DatabaseSync } from "node:sqlite";
import { LimitError, MAX_NUMBER } from "./limits.ts";

export type NumberedKind = "service" | "camera";

export class Numbers {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  find(kind: NumberedKind, id: string): number | undefined {
    const row = this.#database
      .prepare("SELECT number FROM numbers WHERE kind = ? AND id = ?")
      .get(kind, id);
    return row && Number(row.number);
  }

  /** Finds the number or gives the next one. Throws a LimitError when all were given. */
  findOrMake(kind: NumberedKind, id: string): number {
    const found = this.find(kind, id);
    if (found !== undefined) return found;
    const next = this.#greatest(kind) + 1;
    if (next > MAX_NUMBER) throw new LimitError(`Cannot number ${kind}: all numbers were given`);
    this.#database
      .prepare("INSERT INTO numbers (kind, id, number) VALUES (?, ?, ?)")
      .run(kind, id, next);
    return next;
  }

  #greatest(kind: NumberedKind): number {
    const query = "SELECT max(number) AS greatest FROM numbers WHERE kind = ?";
    return Number(this.#database.prepare(query).get(kind)?.greatest ?? 0);
  }
}
