/** Tells owners' pages when a grant has ended by itself: by its date, or because its guests' time is used up. */
import { toHex } from "../lib/bytes.ts";
import type { Changes } from "./changes.ts";
import type { Grants } from "./grants.ts";
import type { Records } from "./records.ts";

export interface GrantWatchOptions {
  readonly records: Pick<Records, "grants">;
  readonly grants: Pick<Grants, "over">;
  readonly changes: Changes;
  /** Milliseconds of a clock that only runs forward. */
  monotonic(): number;
}

/** Each look reads all grants, 256 at most: a page may be late by this. */
const LOOK_EVERY_MS = 5_000;

export class GrantWatch {
  readonly #options: GrantWatchOptions;
  #lookedAt = -Infinity;
  /** Ids of the grants that were open at the last look; undefined while nobody would have heard. */
  #open: ReadonlySet<string> | undefined;

  constructor(options: GrantWatchOptions) {
    this.#options = options;
  }

  /** To be called each second. Throws when the store fails. */
  look(): void {
    const { changes, monotonic } = this.#options;
    if (!changes.areHeard) {
      this.#open = undefined;
      return;
    }
    if (monotonic() - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = monotonic();
    const before = this.#open;
    const open = this.#open = this.#findOpen();
    if (before && [...before].some((id) => !open.has(id))) changes.tell();
  }

  #findOpen(): ReadonlySet<string> {
    const { records, grants } = this.#options;
    const open = records.grants().filter((grant) => grants.over(grant) === undefined);
    return new Set(open.map(({ id }) => toHex(id)));
  }
}
