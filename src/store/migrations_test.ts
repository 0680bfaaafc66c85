import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { SCHEMA_VERSION } from "./migrations.ts";
import { Store } from "./store.ts";
import { cti, grant, guest, inFolder, keyId, line, NOW, owner, query, sql } from "./test_parts.ts";

/** What the first release wrote, as text of its own: a step that changes must not change its test with it. */
const STEP_1 = `
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
  PRAGMA user_version = 1;
`;

function writeStep1(path: string): void {
  sql(path, STEP_1);
  const database = new DatabaseSync(path);
  const addOwner = database.prepare("INSERT INTO owners VALUES (?, ?, ?, ?)");
  const consume = database.prepare("INSERT INTO consumed VALUES (?, ?)");
  for (const number of [1, 2]) {
    const { keyId, publicKey, label, createdAt } = owner(number);
    addOwner.run(keyId, publicKey, label, createdAt);
    consume.run(cti(number), createdAt);
  }
  addOwner.run(keyId(3), owner(3).publicKey, "ü".repeat(300), -1);
  database.close();
}

Deno.test(
  "store brings the first release's file up to date and keeps what is in it",
  inFolder((path) => {
    writeStep1(path);
    for (let opened = 1; opened <= 2; opened++) {
      using store = Store.open(path);
      assert.equal(store.damaged, undefined);
      const cut = { ...owner(3), label: "ü".repeat(64), createdAt: 0 };
      assert.deepEqual(store.owners(), [cut, owner(1), owner(2)]);
      assert.deepEqual([1, 2, 3].map((n) => store.isConsumed(cti(n))), [true, true, false]);
      assert.equal(store.epoch(keyId(1)), 0);
      assert.deepEqual(store.audit({ limit: 9 }), []);
    }
    assert.deepEqual(query(path, "PRAGMA user_version"), [SCHEMA_VERSION]);
    using store = Store.open(path);
    assert.equal(store.consumeClaimAndAddOwner(cti(1), owner(1), line()), "already_used");
    assert.equal(store.redeem(grant(1), guest(1), line()), "added");
    store.sawOwner(keyId(1), NOW);
    assert.equal(store.owner(keyId(1))?.lastSeen, NOW);
  }),
);

Deno.test(
  "store has the same schema whether it was migrated or new",
  inFolder((path) => {
    writeStep1(path);
    Store.open(path).close();
    Store.open(`${path}.new`).close();
    const schema = "SELECT replace(sql, '\"', '') FROM sqlite_schema ORDER BY name";
    assert.deepEqual(query(path, schema), query(`${path}.new`, schema));
  }),
);

Deno.test(
  "store leaves a file as it was when a step fails",
  inFolder((path) => {
    writeStep1(path);
    sql(path, "CREATE TABLE numbers (taken TEXT)"); // created by the last statement of step 2
    assert.throws(() => Store.open(path), /numbers already exists/);
    assert.deepEqual(query(path, "PRAGMA user_version"), [1]);
    assert.deepEqual(query(path, "SELECT count(*) FROM owners"), [3]);
    assert.deepEqual(query(path, "SELECT count(*) FROM consumed"), [2]);
    assert.deepEqual(query(path, "SELECT name FROM sqlite_schema WHERE type = 'table'").sort(), [
      "consumed",
      "numbers",
      "owners",
    ]);
  }),
);

Deno.test(
  "store leaves the file of a newer porthole alone",
  inFolder((path) => {
    Store.open(path).close();
    sql(path, `PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    assert.throws(() => Store.open(path), /Run the newer porthole again/);
    const folder = path.replace(/\/[^/]*$/, "");
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    assert.deepEqual(names, ["porthole.db", "porthole.db.generation"]);
    assert.deepEqual(query(path, "PRAGMA user_version"), [SCHEMA_VERSION + 1]);
  }),
);
