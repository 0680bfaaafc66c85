/** Files that were damaged: noticed, kept aside, said; and what a damaged file must not bring back. */
import assert from "node:assert/strict";
import { SCHEMA_VERSION } from "./migrations.ts";
import { openOrReplace } from "./open_database.ts";
import { Store } from "./store.ts";
import {
  bytes,
  cti,
  DAY_S,
  grant,
  guest,
  inFolder,
  keyId,
  line,
  NOW,
  pair,
  query,
  sql,
} from "./test_parts.ts";

const KIB = 1024;
const PAGE_BYTES = 4096;

/** Several pages of each table. */
function fill(path: string): void {
  using store = Store.open(path);
  for (let n = 1; n <= 60; n++) pair(store, n);
  for (let n = 1; n <= 40; n++) {
    const lent = grant(n, { uses: 64 });
    for (let g = 1; g <= 8; g++) store.redeem(lent, guest(g, { grant: lent.id }), line("redeemed"));
  }
  for (let n = 1; n <= 200; n++) {
    const statement = { issuer: bytes(8, n), sequence: n };
    store.revoke(cti(1000 + n), { until: NOW + DAY_S, statement }, line("revoked"));
    store.numberOf("service", `service-with-a-long-name-${n}`);
  }
  store.raiseTimeFloor(NOW);
}

function removeDamaged(path: string): void {
  const folder = path.replace(/\/[^/]*$/, "");
  for (const { name } of Deno.readDirSync(folder)) {
    if (name.includes("damaged")) Deno.removeSync(`${folder}/${name}`);
  }
}

Deno.test(
  "database runs in WAL mode with full flushes, in private files",
  inFolder((path) => {
    const { database } = openOrReplace(path);
    try {
      const setting = (name: string) =>
        Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
      assert.equal(setting("journal_mode"), "wal");
      assert.equal(setting("synchronous"), 2, "FULL");
      assert.equal(setting("foreign_keys"), 1);
      assert.equal(setting("user_version"), SCHEMA_VERSION);
      for (const suffix of ["", "-wal", "-shm", ".generation"]) {
        assert.equal(Deno.statSync(path + suffix).mode! & 0o777, 0o600, suffix);
      }
    } finally {
      database.close();
    }
  }),
);

Deno.test(
  "store moves a file that is no database aside and begins anew",
  inFolder((path) => {
    for (const number of [1, 2]) {
      const junk = "this is no database, however long it may be. ".repeat(200);
      Deno.writeTextFileSync(path, junk);
      using store = Store.open(path);
      assert.equal(store.damaged?.movedTo, `${path}.damaged-${number}`);
      assert.equal(Deno.readTextFileSync(`${path}.damaged-${number}`), junk);
      assert.equal(pair(store, 1), "added");
    }
  }),
);

Deno.test(
  "store notices each page that holds junk, whatever table it belongs to",
  inFolder((path) => {
    fill(path);
    const whole = Deno.readFileSync(path);
    const pages = whole.length / PAGE_BYTES;
    assert.ok(pages > 40, `only ${pages} pages`);
    for (let page = 0; page < pages; page++) {
      const damaged = whole.slice();
      damaged.fill(0xa5, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
      Deno.writeFileSync(path, damaged);
      {
        using store = Store.open(path);
        assert.equal(store.damaged?.movedTo, `${path}.damaged-1`, `page ${page}`);
        assert.deepEqual(store.owners(), []);
        assert.equal(store.brokenAudit(), undefined);
      }
      assert.deepEqual(Deno.readFileSync(`${path}.damaged-1`), damaged, "kept as it was");
      removeDamaged(path);
    }
  }),
);

Deno.test(
  "store notices a file that was cut at any KiB, also at none",
  inFolder((path) => {
    fill(path);
    const whole = Deno.readFileSync(path);
    for (let length = 0; length < whole.length; length += KIB) {
      Deno.writeFileSync(path, whole.slice(0, length));
      using store = Store.open(path);
      assert.equal(store.damaged?.movedTo, `${path}.damaged-1`, `cut at ${length}`);
      assert.deepEqual(store.owners(), []);
      removeDamaged(path);
    }
  }),
);

Deno.test(
  "store notices that its file is gone",
  inFolder((path) => {
    fill(path);
    Deno.removeSync(path);
    using store = Store.open(path);
    assert.notEqual(store.damaged, undefined);
    assert.match(String(store.damaged?.cause), /it is empty/);
    assert.deepEqual(store.owners(), []);
  }),
);

Deno.test(
  "store notices a reference that leads nowhere and a value out of bounds",
  inFolder((path) => {
    const edits = [
      ["PRAGMA foreign_keys = OFF; DELETE FROM grants WHERE number = 1", /a row of guests refers/],
      [
        "PRAGMA ignore_check_constraints = ON; UPDATE grants SET uses = 65 WHERE number = 1",
        /CHECK constraint failed in grants/,
      ],
    ] as const;
    for (const [edit, message] of edits) {
      fill(path);
      sql(path, edit);
      using store = Store.open(path);
      assert.match(String(store.damaged?.cause), message);
      removeDamaged(path);
    }
  }),
);

Deno.test(
  "store notices an index that says something else than its table",
  inFolder((path) => {
    const id = new Uint8Array(16).fill(0xab);
    {
      using store = Store.open(path);
      store.addGrant(grant(1, { id }), line());
    }
    const whole = Deno.readFileSync(path);
    const places = placesOf(whole, id);
    assert.equal(places.length, 2, "in the table and in its index");
    for (const place of places) {
      const changed = whole.slice();
      changed[place + 15]! ^= 1;
      Deno.writeFileSync(path, changed);
      using store = Store.open(path);
      assert.match(String(store.damaged?.cause), /missing from index/);
      removeDamaged(path);
    }
  }),
);

function placesOf(whole: Uint8Array, part: Uint8Array): number[] {
  const places: number[] = [];
  for (let at = whole.indexOf(part[0]!); at >= 0; at = whole.indexOf(part[0]!, at + 1)) {
    if (part.every((byte, index) => whole[at + index] === byte)) places.push(at);
  }
  return places;
}

/**
 * A file as a pulled plug leaves it: all that happened still stands in its WAL. Gives both, and how many redemptions there
 * were.
 */
function pulledPlug(path: string): { main: Uint8Array; wal: Uint8Array; redeemed: number } {
  using store = Store.open(path);
  const invite = grant(1, { uses: 64 });
  for (let n = 1; n <= 20; n++) {
    store.redeem(invite, guest(n), line("redeemed", NOW + n));
    store.revoke(cti(100 + n), { until: NOW + DAY_S }, line("revoked", NOW + n));
  }
  return {
    main: Deno.readFileSync(path),
    wal: Deno.readFileSync(`${path}-wal`),
    redeemed: 20,
  };
}

/** Looks whether each change is there with its line, and no line without its change. Gives how many were redeemed. */
function checkWholeChanges(store: Store, where: string): number {
  assert.equal(store.brokenAudit(), undefined, where);
  const count = (event: string) =>
    store.audit({ limit: 100 }).filter((entry) => entry.event === event).length;
  const redeemed = count("redeemed");
  const revoked = count("revoked");
  assert.equal(store.guests(cti(1)).length, redeemed, where);
  assert.ok(redeemed - revoked === 0 || redeemed - revoked === 1, where);
  for (let n = 1; n <= 20; n++) assert.equal(store.isRevoked(cti(100 + n)), n <= revoked, where);
  return redeemed;
}

Deno.test(
  "store whose WAL was cut at any KiB has a beginning of what happened, each change with its line",
  inFolder((path) => {
    const { main, wal, redeemed } = pulledPlug(path);
    const found = new Set<number>();
    for (let length = 0; length <= wal.length; length += KIB) {
      Deno.writeFileSync(path, main);
      Deno.writeFileSync(`${path}-wal`, wal.slice(0, length));
      {
        using store = Store.open(path);
        if (store.damaged) assert.deepEqual(store.owners(), []); // the schema was in the WAL
        else found.add(checkWholeChanges(store, `cut at ${length}`));
      }
      removeDamaged(path);
    }
    assert.equal(found.size, redeemed + 1, "each beginning was seen, from none to all");
  }),
);

Deno.test(
  "store whose WAL holds a wrong byte has what happened before it",
  inFolder((path) => {
    const { main, wal } = pulledPlug(path);
    for (let at = 0; at < wal.length; at += 3 * KIB + 7) {
      const wrong = wal.slice();
      wrong[at]! ^= 0x10;
      Deno.writeFileSync(path, main);
      Deno.writeFileSync(`${path}-wal`, wrong);
      {
        using store = Store.open(path);
        if (!store.damaged) checkWholeChanges(store, `wrong at ${at}`);
      }
      removeDamaged(path);
    }
  }),
);

Deno.test(
  "database that replaces a damaged one holds nothing of what was issued before",
  inFolder((path) => {
    {
      using store = Store.open(path);
      pair(store, 1);
      store.removeOwner(keyId(1), line());
      assert.notEqual(store.epoch(keyId(1)), 0);
      assert.equal(store.epoch(keyId(9)), 0, "the device's own key");
    }
    const seen = new Set([0]);
    for (const generation of [1, 2, 3]) {
      let epoch: number;
      Deno.writeTextFileSync(path, "damaged");
      {
        using store = Store.open(path);
        assert.notEqual(store.damaged, undefined);
        epoch = store.epoch(keyId(9));
        seen.add(epoch);
        assert.equal(seen.size, generation + 1, "another each time");
        assert.equal(store.epoch(keyId(1)), epoch);
        pair(store, 1);
        store.removeOwner(keyId(1), line());
        assert.notEqual(store.epoch(keyId(1)), epoch);
      }
      removeDamaged(path); // somebody tidies up
      using again = Store.open(path);
      assert.equal(again.damaged, undefined);
      assert.equal(again.epoch(keyId(9)), epoch);
    }
  }),
);

Deno.test(
  "count of databases survives the loss of either of its places",
  inFolder((path) => {
    Deno.writeTextFileSync(path, "damaged");
    Store.open(path).close();
    assert.equal(Deno.readTextFileSync(`${path}.generation`), "1\n");
    Deno.removeSync(`${path}.generation`);
    Store.open(path).close();
    assert.equal(Deno.readTextFileSync(`${path}.generation`), "1\n", "the database knows");
    sql(path, "DELETE FROM settings; INSERT INTO issuers VALUES (1, x'0000000000000001', 7, 0)");
    Store.open(path).close();
    const generation = "SELECT value FROM settings WHERE name = 'generation'";
    assert.deepEqual(query(path, generation), [1], "the file knows");
    Deno.writeTextFileSync(`${path}.generation`, "1"); // cut
    using store = Store.open(path);
    const hours = Math.floor(Date.now() / 3_600_000);
    const [counted] = query(path, generation);
    assert.ok(counted === hours || counted === hours - 1, "greater than any count");
    assert.equal(store.epoch(keyId(1)), store.epoch(keyId(9)), "all of them begin anew");
  }),
);
