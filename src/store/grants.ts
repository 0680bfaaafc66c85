/** Invites that were registered or redeemed. */
import type { DatabaseSync } from "node:sqlite";
import type { Bytes } from "../lib/bytes.ts";
import { readBlob, type Row } from "./columns.ts";
import type { Issuers } from "./issuers.ts";
import { KEPT_AFTER_EXPIRY_S, MAX_KEPT_GRANTS, MAX_LIVE_GRANTS } from "./limits.ts";
import type { Settings } from "./settings.ts";
import type { Grant } from "./stored.ts";

/** Nobody can use it at the time given, and nobody can from then on. Wants the time, and the first epoch. */
const HAS_ENDED = `(
  expires <= ?
  OR id IN (SELECT cti FROM revoked)
  OR epoch <> coalesce((SELECT epoch FROM issuers WHERE key_id = grants.issuer), ?)
)`;

export class Grants {
  readonly #database: DatabaseSync;
  readonly #settings: Settings;
  readonly #issuers: Pick<Issuers, "epoch" | "firstEpoch">;

  constructor(
    database: DatabaseSync,
    others: {
      readonly settings: Settings;
      readonly issuers: Pick<Issuers, "epoch" | "firstEpoch">;
    },
  ) {
    this.#database = database;
    this.#settings = others.settings;
    this.#issuers = others.issuers;
  }

  find(id: Bytes): Grant | undefined {
    const row = this.#database.prepare("SELECT * FROM grants WHERE id = ?").get(id);
    return row && readGrant(row);
  }

  /** The newest first. */
  all(): Grant[] {
    return this.#database.prepare("SELECT * FROM grants ORDER BY number DESC").all().map(readGrant);
  }

  /** "full": 256 can be used `now`. Ended ones make room, with their guests. */
  add(grant: Grant, now: number): "added" | "known" | "full" {
    if (this.find(grant.id)) return "known";
    this.#forgetOld();
    if (this.#countLive(now) >= MAX_LIVE_GRANTS || !this.#hasRoom()) return "full";
    this.#database
      .prepare(
        `INSERT INTO grants (id, issuer, epoch, token, label, created_at, expires, uses)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        grant.id,
        grant.issuer,
        this.#issuers.epoch(grant.issuer), // no other holds
        grant.token,
        grant.label,
        grant.createdAt,
        grant.expires,
        grant.uses,
      );
    return "added";
  }

  /**
   * By the time floor, here and below: who redeemed an invite must not be forgotten because the clock was ahead by mistake,
   * or the invite could be redeemed again. What has expired by the floor has expired for good.
   */
  #forgetOld(): void {
    this.#database.prepare("DELETE FROM grants WHERE expires <= ?").run(
      this.#settings.get("time_floor") - KEPT_AFTER_EXPIRY_S,
    );
  }

  #countLive(now: number): number {
    const query = `SELECT count(*) AS count FROM grants WHERE NOT ${HAS_ENDED}`;
    return Number(this.#database.prepare(query).get(now, this.#issuers.firstEpoch)?.count);
  }

  /** Whether one more may be kept, or an ended one was dropped for it. */
  #hasRoom(): boolean {
    const query = "SELECT count(*) AS count FROM grants";
    if (Number(this.#database.prepare(query).get()?.count) < MAX_KEPT_GRANTS) return true;
    const { changes } = this.#database
      .prepare(
        `DELETE FROM grants
         WHERE number = (SELECT min(number) FROM grants WHERE ${HAS_ENDED})`,
      )
      .run(this.#settings.get("time_floor"), this.#issuers.firstEpoch);
    return Number(changes) > 0;
  }
}

function readGrant(row: Row): Grant {
  return {
    id: readBlob(row.id),
    issuer: readBlob(row.issuer),
    token: readBlob(row.token),
    label: String(row.label),
    createdAt: Number(row.created_at),
    expires: Number(row.expires),
    uses: Number(row.uses),
  };
}
