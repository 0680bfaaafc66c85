/** Single numbers. */
import type { DatabaseSync } from "node:sqlite";

export type SettingName = "time_floor" | "generation" | "first_epoch";

export class Settings {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** 0 at first. */
  get(name: SettingName): number {
    const row = this.#database.prepare("SELECT value FROM settings WHERE name = ?").get(name);
    return Number(row?.value ?? 0);
  }

  set(name: SettingName, value: number): void {
    this.#database
      .prepare(
        `INSERT INTO settings (name, value) VALUES (?, ?)
         ON CONFLICT DO UPDATE SET value = excluded.value`,
      )
      .run(name, value);
  }

  /** Nothing happens if it is there or above. */
  raise(name: SettingName, to: number): void {
    if (to > this.get(name)) this.set(name, to);
  }
}
