import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { LimitError, MAX_CONSUMED, MAX_NUMBER, MAX_OWNERS } from "./limits.ts";
import { Store } from "./store.ts";
import {
  bytes,
  cti,
  grant,
  guest,
  inFolder,
  keyId,
  line,
  NOW,
  owner,
  pair,
  query,
  sql,
  withStore,
} from "./test_parts.ts";

Deno.test(
  "store keeps an owner over a restart and refuses the claim a second time",
  inFolder((path) => {
    {
      using store = Store.open(path);
      assert.deepEqual(store.owners(), []);
      assert.equal(store.isConsumed(cti(1)), false);
      assert.equal(pair(store, 1), "added");
    }
    using store = Store.open(path);
    assert.equal(store.damaged, undefined);
    assert.equal(store.isConsumed(cti(1)), true);
    const again = store.consumeClaimAndAddOwner(cti(1), owner(2), line());
    assert.equal(again, "already_used");
    assert.deepEqual(store.owners(), [owner(1)]);
    assert.deepEqual(store.owner(keyId(1)), owner(1));
    assert.equal(store.owner(keyId(2)), undefined);
    assert.deepEqual(store.audit({ limit: 9 }).map(({ event }) => event), ["owner.added"]);
  }),
);

Deno.test(
  "store takes a claim back when its owner or its line cannot be added",
  withStore((store) => {
    const broken = { ...owner(1), publicKey: new Uint8Array(31) };
    assert.throws(() => store.consumeClaimAndAddOwner(cti(1), broken, line()), /CHECK/);
    assert.throws(() => store.consumeClaimAndAddOwner(cti(1), owner(1), line("")), /CHECK/);
    assert.equal(store.isConsumed(cti(1)), false);
    assert.deepEqual(store.owners(), []);
    assert.equal(store.auditHead().sequence, 0);
    assert.equal(pair(store, 1), "added");
  }),
);

Deno.test(
  "store keeps the date of an owner who pairs again and never swaps the key under an id",
  withStore((store) => {
    pair(store, 1);
    store.sawOwner(keyId(1), NOW + 5);
    const again = { ...owner(1), label: "new name", createdAt: 1 };
    store.consumeClaimAndAddOwner(cti(2), again, line());
    const expected = { ...owner(1), label: "new name", lastSeen: NOW + 5 };
    assert.deepEqual(store.owners(), [expected]);
    const collision = { ...owner(9), keyId: keyId(1) };
    assert.throws(
      () => store.consumeClaimAndAddOwner(cti(3), collision, line()),
      /another key has this id/,
    );
    assert.deepEqual(store.owners(), [expected]);
    assert.equal(store.isConsumed(cti(3)), false);
  }),
);

Deno.test(
  "store refuses the owner above the limit and leaves the claim unused",
  withStore((store) => {
    for (let number = 1; number <= MAX_OWNERS; number++) assert.equal(pair(store, number), "added");
    assert.throws(() => pair(store, 100), { name: "LimitError", message: /64 are there/ });
    assert.equal(store.isConsumed(cti(100)), false);
    const again = store.consumeClaimAndAddOwner(cti(101), owner(5), line());
    assert.equal(again, "added", "one who is there may pair again");
    store.removeOwner(keyId(1), line());
    assert.equal(pair(store, 100), "added");
  }),
);

Deno.test(
  "store forgets the claims that were used first, whatever the clock said then",
  withStore((store, path) => {
    pair(store, 1); // its clock was ahead of the others'
    sql(
      path,
      `INSERT INTO consumed_claims (cti, at)
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MAX_CONSUMED - 1})
       SELECT CAST(format('%016d', i) AS BLOB), 1 FROM n`,
    );
    assert.equal(store.isConsumed(cti(1)), true);
    store.consumeClaimAndAddOwner(cti(2), { ...owner(1), createdAt: 0 }, line());
    assert.deepEqual([cti(1), cti(2)].map((id) => store.isConsumed(id)), [false, true]);
    assert.deepEqual(query(path, "SELECT count(*) FROM consumed_claims"), [MAX_CONSUMED]);
  }),
);

Deno.test(
  "store removes an owner and changes its epoch, so that a new pairing revives nothing",
  inFolder((path) => {
    {
      using store = Store.open(path);
      pair(store, 1);
      pair(store, 2);
      assert.equal(store.epoch(keyId(1)), 0);
      assert.equal(store.takeStatement(keyId(1), 7), true);
      assert.equal(store.removeOwner(keyId(1), line("owner.removed")), "removed");
      assert.equal(store.removeOwner(keyId(1), line()), "unknown");
    }
    using store = Store.open(path);
    assert.deepEqual(store.owners(), [owner(2)]);
    const epoch = store.epoch(keyId(1));
    assert.notEqual(epoch, 0);
    assert.equal(store.epoch(keyId(2)), 0);
    assert.equal(pairAgain(store), "added");
    assert.equal(store.epoch(keyId(1)), epoch, "grants from before carry epoch 0");
    assert.equal(store.lastStatement(keyId(1)), 7, "old statements stay old");
    store.removeOwner(keyId(1), line());
    assert.notEqual(store.epoch(keyId(1)), epoch);
    assert.deepEqual(store.audit({ limit: 2, before: 4 }).map(({ event }) => event), [
      "owner.removed",
      "owner.added",
    ]);
  }),
);

Deno.test(
  "store draws epochs that nobody can foresee, within their four bytes",
  withStore((store) => {
    const drawn = new Set<number>();
    for (let i = 0; i < 64; i++) {
      store.consumeClaimAndAddOwner(cti(100 + i), owner(1), line());
      store.removeOwner(keyId(1), line());
      drawn.add(store.epoch(keyId(1)));
    }
    assert.ok(drawn.size >= 63, "by lot");
    assert.ok([...drawn].every((epoch) => epoch >= 0 && epoch < 2 ** 32));
    assert.ok(Math.max(...drawn) > 2 ** 28, "out of all four bytes");
  }),
);

function pairAgain(store: Store): "added" | "already_used" {
  return store.consumeClaimAndAddOwner(cti(50), owner(1), line());
}

Deno.test(
  "store keeps owner and epoch when the line of a removal cannot be written",
  withStore((store) => {
    pair(store, 1);
    assert.throws(() => store.removeOwner(keyId(1), line("")), /CHECK/);
    assert.deepEqual(store.owners(), [owner(1)]);
    assert.equal(store.epoch(keyId(1)), 0);
  }),
);

Deno.test(
  "store forgets the former owner who was removed first, and never a present one",
  withStore((store, path) => {
    pair(store, 1);
    store.takeStatement(keyId(1), 3);
    sql(
      path,
      `INSERT INTO issuers (key_id, epoch, last_statement)
       WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 5095)
       SELECT CAST(format('%08d', i) AS BLOB), 1, 0 FROM n`,
    );
    pair(store, 2);
    store.removeOwner(keyId(2), line());
    const count = "SELECT count(*) FROM issuers";
    assert.deepEqual(query(path, count), [4097], "4096 former owners and a present one");
    assert.notEqual(store.epoch(keyId(2)), 0);
    assert.equal(store.lastStatement(keyId(1)), 3);
    assert.equal(store.epoch(new TextEncoder().encode("00001000")), 0, "removed first");
    assert.equal(store.epoch(new TextEncoder().encode("00001001")), 1);
    store.removeOwner(keyId(1), line());
    assert.notEqual(store.epoch(keyId(1)), 0, "its row was the oldest, but not its removal");
  }),
);

Deno.test(
  "store never lowers the time floor",
  inFolder((path) => {
    {
      using store = Store.open(path);
      assert.equal(store.timeFloor(), 0);
      store.raiseTimeFloor(NOW);
      store.raiseTimeFloor(NOW - 1);
    }
    using store = Store.open(path);
    assert.equal(store.timeFloor(), NOW);
  }),
);

Deno.test(
  "store numbers services and cameras apart, from 1, for ever",
  inFolder((path) => {
    {
      using store = Store.open(path);
      assert.equal(store.numberOf("service", "ui"), 1);
      assert.equal(store.numberOf("service", "printer"), 2);
      assert.equal(store.numberOf("camera", "ui"), 1);
    }
    using store = Store.open(path);
    assert.equal(store.numberOf("service", "printer"), 2);
    assert.equal(store.numberOf("service", "third"), 3);
  }),
);

Deno.test(
  "store gives no number twice when all were given",
  withStore((store, path) => {
    sql(path, `INSERT INTO numbers (kind, id, number) VALUES ('service', 'last', ${MAX_NUMBER})`);
    assert.equal(store.numberOf("service", "last"), MAX_NUMBER);
    assert.throws(() => store.numberOf("service", "more"), LimitError);
    assert.equal(store.numberOf("camera", "more"), 1);
  }),
);

Deno.test(
  "store refuses texts that are too long or hold a NUL",
  withStore((store) => {
    const long = "ü".repeat(129); // 258 bytes
    for (const label of [long, "a\0b"]) {
      const named = { ...owner(1), label };
      assert.throws(() => store.consumeClaimAndAddOwner(cti(1), named, line()), /CHECK/);
      assert.throws(() => store.addGrant(grant(1, { label }), line()), /CHECK/);
      assert.throws(() => store.record([{ ...line(), label }]), /CHECK/);
    }
    assert.throws(() => store.record([line("e".repeat(65))]), /CHECK/);
    assert.throws(() => store.record([{ ...line(), detail: "d".repeat(1025) }]), /CHECK/);
    assert.throws(() => store.record([{ ...line(), detail: "a\0" }]), /CHECK/);
    assert.throws(() => store.record([{ ...line(), holder: bytes(9, 1) }]), /CHECK/);
    assert.throws(() => store.addGrant(grant(1, { token: bytes(1025, 1) }), line()), /CHECK/);
    assert.throws(() => store.addGrant(grant(1, { expires: 2 ** 53 }), line()), /CHECK/);
    assert.throws(() => store.addGrant(grant(1, { uses: 65 }), line()), /CHECK/);
    assert.throws(() => store.numberOf("camera", "i".repeat(65)), /CHECK/);
    assert.equal(store.auditHead().sequence, 0);
  }),
);

Deno.test(
  "store's log of changes does not grow without end while it stays open",
  withStore((store, path) => {
    const many = Array.from({ length: 10 }, () => ({ ...line(), detail: "d".repeat(1000) }));
    for (let call = 0; call < 300; call++) store.record(many);
    // SQLite moves it over at each 4 MiB.
    assert.ok(Deno.statSync(`${path}-wal`).size < 5 << 20);
  }),
);

Deno.test(
  "store says where it cannot be opened and what to do",
  inFolder((path) => {
    assert.throws(() => Store.open(`${path}/none/x.db`), /Cannot open the store '.*': .*may write/);
  }),
);

Deno.test(
  "store tells at once who was seen, and writes it with the next minute's seconds: one flush for all",
  inFolder((path) => {
    {
      using store = Store.open(path);
      pair(store, 1);
      store.redeem(grant(1), guest(1), line());
      const reader = new DatabaseSync(path);
      const version = () => Number(reader.prepare("PRAGMA data_version").get()?.data_version);
      const before = version();
      for (let i = 0; i < 100; i++) {
        store.sawOwner(keyId(1), NOW + i);
        store.sawGuest(cti(1), keyId(1), NOW + i);
        store.sawGuest(cti(1), keyId(9), NOW);
        store.sawOwner(keyId(9), NOW);
      }
      assert.equal(version(), before, "nothing is written");
      assert.equal(store.owner(keyId(1))?.lastSeen, NOW + 99);
      assert.equal(store.owners()[0]?.lastSeen, NOW + 99);
      assert.equal(store.guest(cti(1), keyId(1))?.lastSeen, NOW + 99);
      assert.equal(store.guests(cti(1))[0]?.lastSeen, NOW + 99);
      store.spend([{ grant: cti(1), keyId: keyId(1), seconds: 60 }]);
      assert.notEqual(version(), before);
      const after = version();
      store.spend([]);
      assert.equal(version(), after, "nothing is new");
      reader.close();
      assert.deepEqual(query(path, "SELECT last_seen FROM owners"), [NOW + 99]);
      assert.deepEqual(query(path, "SELECT last_seen FROM guests"), [NOW + 99]);
      store.sawOwner(keyId(1), NOW + 200);
    }
    assert.deepEqual(query(path, "SELECT last_seen FROM owners"), [NOW + 200], "and at the end");
  }),
);
