import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type Owner, Store } from "./store.ts";
import { SCHEMA_VERSION } from "./migrations.ts";

function owner(byte: number): Owner {
  return {
    keyId: new Uint8Array(8).fill(byte),
    publicKey: new Uint8Array(32).fill(byte),
    label: `browser ${byte}`,
    createdAt: 1_700_000_000 + byte,
  };
}

const CTI = new Uint8Array(16).fill(7);

/** Gives the test a folder of its own. */
function inFolder(test: (path: string, folder: string) => void): () => void {
  return () => {
    const folder = Deno.makeTempDirSync();
    try {
      test(`${folder}/porthole.db`, folder);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  };
}

Deno.test(
  "store keeps an owner over a restart and refuses the claim a second time",
  inFolder((path) => {
    {
      using store = Store.open(path);
      assert.deepEqual(store.owners(), []);
      assert.equal(store.isConsumed(CTI), false);
      assert.equal(store.consumeClaimAndAddOwner(CTI, owner(1)), "added");
    }
    using store = Store.open(path);
    assert.equal(store.damaged, undefined);
    assert.equal(store.isConsumed(CTI), true);
    assert.equal(store.consumeClaimAndAddOwner(CTI, owner(2)), "already_used");
    assert.deepEqual(store.owners(), [owner(1)]);
    assert.deepEqual(store.owner(owner(1).keyId), owner(1));
    assert.equal(store.owner(owner(2).keyId), undefined);
  }),
);

Deno.test(
  "store takes a claim back when its owner cannot be added",
  inFolder((path) => {
    using store = Store.open(path);
    const broken = { ...owner(1), publicKey: new Uint8Array(31) };
    assert.throws(() => store.consumeClaimAndAddOwner(CTI, broken), /CHECK/);
    assert.equal(store.isConsumed(CTI), false);
    assert.equal(store.consumeClaimAndAddOwner(CTI, owner(1)), "added");
  }),
);

Deno.test(
  "store keeps the date of an owner who pairs again and never swaps the key under an id",
  inFolder((path) => {
    using store = Store.open(path);
    store.consumeClaimAndAddOwner(CTI, owner(1));
    const again = { ...owner(1), label: "new name", createdAt: 1 };
    store.consumeClaimAndAddOwner(new Uint8Array(16), again);
    assert.deepEqual(store.owners(), [{ ...owner(1), label: "new name" }]);
    const collision = { ...owner(9), keyId: owner(1).keyId };
    store.consumeClaimAndAddOwner(new Uint8Array(16).fill(1), collision);
    assert.deepEqual(store.owner(owner(1).keyId)?.publicKey, owner(1).publicKey);
  }),
);

Deno.test(
  "store runs in WAL mode with full flushes and a private file",
  inFolder((path) => {
    using store = Store.open(path);
    store.consumeClaimAndAddOwner(CTI, owner(1));
    const other = new DatabaseSync(path);
    assert.equal(other.prepare("PRAGMA journal_mode").get()?.journal_mode, "wal");
    assert.equal(other.prepare("PRAGMA user_version").get()?.user_version, SCHEMA_VERSION);
    other.close();
    for (const suffix of ["", "-wal", "-shm"]) {
      assert.equal(Deno.statSync(path + suffix).mode! & 0o777, 0o600, suffix);
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
      assert.equal(store.consumeClaimAndAddOwner(CTI, owner(1)), "added");
    }
  }),
);

Deno.test(
  "store finds a damaged page at opening",
  inFolder((path) => {
    {
      using store = Store.open(path);
      for (let i = 0; i < 200; i++) {
        const cti = new Uint8Array(16).fill(i);
        store.consumeClaimAndAddOwner(cti, owner(i));
      }
    }
    const bytes = Deno.readFileSync(path);
    bytes.fill(0xa5, 4096); // all but the first page
    Deno.writeFileSync(path, bytes);
    using store = Store.open(path);
    assert.equal(store.damaged?.movedTo, `${path}.damaged-1`);
    assert.deepEqual(store.owners(), []);
  }),
);

Deno.test(
  "store survives its file cut at any page",
  inFolder((path) => {
    {
      using store = Store.open(path);
      for (let i = 0; i < 100; i++) {
        store.consumeClaimAndAddOwner(new Uint8Array(16).fill(i), owner(i));
      }
    }
    const whole = Deno.readFileSync(path);
    for (let length = 0; length < whole.length; length += 1024) {
      Deno.writeFileSync(path, whole.slice(0, length));
      using store = Store.open(path);
      assert.deepEqual(store.owners(), []);
    }
  }),
);

Deno.test(
  "store leaves the file of a newer porthole alone",
  inFolder((path) => {
    Store.open(path).close();
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    database.close();
    assert.throws(() => Store.open(path), /Run the newer porthole again/);
    assert.equal([...Deno.readDirSync(path.replace(/\/[^/]*$/, ""))].length, 1);
  }),
);

Deno.test(
  "store says where it cannot be opened and what to do",
  inFolder((path) => {
    assert.throws(() => Store.open(`${path}/none/x.db`), /Cannot open the store '.*': .*may write/);
  }),
);
