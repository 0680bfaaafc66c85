/**
 * What racing processes do to one store: the same long list of operations, each by its own hands. Every id follows from the
 * operation's number, so that parent and child agree without a word.
 *
 *   redeem   a one-use invite that only one of the two may get
 *   lost     an invite that was revoked just before: nobody may get it
 *   pair     an owner by a one-time claim
 *   remove   that owner again
 *   spend    a second of a guest's time
 */
import { DatabaseSync } from "node:sqlite";
import type { GrantRecord, GuestRecord, Records } from "../../src/control/records.ts";
import { type Bytes, utf8 } from "../../src/lib/bytes.ts";

export const INVITES = 500;
export const RACERS = ["ann", "ben"] as const;
export type Racer = (typeof RACERS)[number];

export type Operation =
  | { readonly kind: "redeem"; readonly number: number }
  | { readonly kind: "revoke"; readonly number: number }
  | { readonly kind: "lost"; readonly number: number }
  | { readonly kind: "pair"; readonly number: number }
  | { readonly kind: "remove"; readonly number: number }
  | { readonly kind: "spend"; readonly number: number };

/** A line that a child prints after its operation returned. */
export interface Acknowledgement {
  /** Place in `OPERATIONS`. */
  readonly operation: number;
  readonly outcome: string;
}

const EVERY_REVOCATION = 5;
const EVERY_OWNER = 10;
const EVERY_SPENDING = 4;
const AT = 1_800_000_000;
const MONTH_S = 30 * 24 * 3600;

/** In this order; the place counts as the number of a signed statement, too. */
export const OPERATIONS: readonly Operation[] = Array.from({ length: INVITES }, (_, number) => {
  const list: Operation[] = [{ kind: "redeem", number }];
  const each = (count: number, ...kinds: readonly Exclude<Operation["kind"], "redeem">[]) => {
    if (number % count === 0) list.push(...kinds.map((kind) => ({ kind, number })));
  };
  each(EVERY_REVOCATION, "revoke", "lost");
  each(EVERY_OWNER, "pair", "remove");
  each(EVERY_SPENDING, "spend");
  return list;
}).flat();

/** Does one operation and gives what the store answered. */
export function perform(store: Records, by: Racer, place: number): string {
  const operation = OPERATIONS[place]!;
  const { kind, number } = operation;
  const line = { at: AT, event: kind, detail: `${number}`, label: by };
  switch (kind) {
    case "redeem":
    case "lost":
      return store.redeem(inviteOf(kind, number), guestOf(kind, number, by), line);
    case "revoke": {
      const statement = { issuer: keyIdOf(by), sequence: place + 1 };
      return store.revoke(idOf("lost", number), { until: AT + MONTH_S, statement }, line);
    }
    case "pair": {
      const owner = { keyId: ownerOf(number), publicKey: padded(`${number}`, 32), label: by };
      return store.consumeClaimAndAddOwner(
        idOf("pair", number),
        { ...owner, createdAt: AT },
        line,
      );
    }
    case "remove":
      return store.removeOwner(ownerOf(number), line);
    case "spend":
      store.spend([{ grant: idOf("redeem", number), keyId: keyIdOf(by), seconds: 1 }]);
      return "spent";
  }
}

/** An id that a word and a number make. */
export function idOf(word: string, number: number): Bytes {
  return padded(`${word} ${number}`, 16);
}

export function keyIdOf(by: Racer): Bytes {
  return padded(by, 8);
}

export function ownerOf(number: number): Bytes {
  return padded(`o${number}`, 8);
}

/** It expires when it is made: the store leaves dates to others, and expired ones count for no limit. */
function inviteOf(word: string, number: number): GrantRecord {
  return {
    id: idOf(word, number),
    issuer: padded("lender", 8),
    token: utf8(`token of ${word} ${number}`),
    label: `${word} ${number}`,
    createdAt: AT,
    expires: AT,
    uses: 1,
  };
}

function guestOf(word: string, number: number, by: Racer): GuestRecord {
  return {
    grant: idOf(word, number),
    keyId: keyIdOf(by),
    publicKey: padded(by, 32),
    label: by,
    redeemedAt: AT,
    spentSeconds: 0,
  };
}

function padded(text: string, length: number): Bytes {
  const bytes = new Uint8Array(length);
  bytes.set(utf8(text));
  return bytes;
}

/** What the first release wrote (`src/store/migrations_test.ts`), with an owner in it. */
export function writeFirstRelease(path: string): void {
  const database = new DatabaseSync(path);
  database.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE owners (
      key_id     BLOB PRIMARY KEY CHECK (length(key_id) = 8),
      public_key BLOB NOT NULL UNIQUE CHECK (length(public_key) = 32),
      label      TEXT NOT NULL,
      created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE consumed (
      cti BLOB PRIMARY KEY CHECK (length(cti) = 16),
      at  INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    INSERT INTO owners VALUES (zeroblob(8), zeroblob(32), 'first', 1);
    PRAGMA user_version = 1;
  `);
  database.close();
}
