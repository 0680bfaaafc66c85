/** How all changes are made: together or not at all. */
import type { DatabaseSync } from "node:sqlite";

/**
 * Runs `change` as one transaction, which is on disk when this returns. What `change` throws takes everything back. Waits for
 * another process that writes (`busy_timeout`), and throws if that takes too long.
 */
export function inTransaction<Result>(database: DatabaseSync, change: () => Result): Result {
  // IMMEDIATE: what `change` reads cannot be changed by another process before it writes.
  database.prepare("BEGIN IMMEDIATE").run();
  try {
    const result = change();
    database.prepare("COMMIT").run();
    return result;
  } catch (error) {
    takeBack(database);
    throw error;
  }
}

function takeBack(database: DatabaseSync): void {
  try {
    database.prepare("ROLLBACK").run();
  } catch {
    // SQLite took it back by itself, as it does when the disk is full: the first error is the one to tell.
  }
}
