import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { concat, fromHex, toHex } from "../lib/bytes.ts";
import { EMPTY_HASH } from "./audit_hash.ts";
import { Store } from "./store.ts";
import {
  bytes,
  cti,
  inFolder,
  keyId,
  line,
  NOW,
  pair,
  query,
  sql,
  withStore,
} from "./test_parts.ts";

/** The hash of `line("a", 258)` as the first one, put together by hand from the layout. */
const FIRST = concat(
  EMPTY_HASH,
  fromHex("0000000000000001"), // sequence
  fromHex("0000000000000102"), // at
  fromHex("01" + "00000001" + "61"), // event
  fromHex("00000000"), // holder, label, grant, detail
);

Deno.test(
  "log hashes exactly the bytes that its layout names",
  withStore((store) => {
    store.record([line("a", 258)]);
    const first = createHash("sha256").update(FIRST).digest();
    assert.equal(toHex(store.auditHead().hash), toHex(first));
    const full = {
      at: 0,
      event: "ü",
      holder: keyId(1),
      label: "",
      grant: cti(2),
      detail: "\ud800", // half a character: UTF-8 has none for it
    };
    store.record([full]);
    const second = concat(
      new Uint8Array(first),
      fromHex("0000000000000002" + "0000000000000000"),
      fromHex("01" + "00000002" + "c3bc"),
      fromHex("01" + "00000008" + "0000000000000001"),
      fromHex("01" + "00000000"),
      fromHex("01" + "00000010" + "00000000000000000000000000000002"),
      fromHex("01" + "00000003" + "efbfbd"),
    );
    const { hash } = store.auditHead();
    assert.equal(toHex(hash), createHash("sha256").update(second).digest("hex"));
    assert.equal(store.brokenAudit(), undefined);
    const [newest] = store.audit({ limit: 1 });
    assert.deepEqual(newest, { ...full, detail: "\ufffd", sequence: 2, hash });
  }),
);

Deno.test(
  "log gives its lines newest first, in pages, over a restart",
  inFolder((path) => {
    {
      using store = Store.open(path);
      assert.deepEqual(store.auditHead(), { sequence: 0, hash: EMPTY_HASH });
      assert.equal(store.brokenAudit(), undefined);
      assert.equal(store.auditBase(), undefined);
      store.record([]);
      store.record([1, 2, 3, 4, 5].map((n) => line(`event ${n}`)));
    }
    using store = Store.open(path);
    const sequences = (options: { before?: number; limit: number }) =>
      store.audit(options).map(({ sequence }) => sequence);
    assert.deepEqual(sequences({ limit: 2 }), [5, 4]);
    assert.deepEqual(sequences({ limit: 2, before: 4 }), [3, 2]);
    assert.deepEqual(sequences({ limit: 9, before: 2 }), [1]);
    assert.deepEqual(sequences({ limit: -1 }), []);
    assert.deepEqual(store.auditHash(5), store.auditHead().hash);
    assert.equal(store.auditHash(6), undefined);
    assert.equal(store.auditHash(0), undefined);
    assert.equal(store.brokenAudit(), undefined);
  }),
);

Deno.test(
  "log takes all lines of a call or none",
  withStore((store) => {
    assert.throws(() => store.record([line(), line(""), line()]), /CHECK/);
    assert.throws(() => store.record([line(), line("tested", 1.5)]));
    assert.throws(() => store.record([line(), line("tested", -1)]));
    assert.deepEqual(store.audit({ limit: 9 }), []);
  }),
);

const EDITS: readonly [what: string, text: string, broken: number | undefined][] = [
  ["nothing", "SELECT 1", undefined],
  ["a time", "UPDATE audit SET at = at + 1 WHERE sequence = 3", 3],
  ["an event", "UPDATE audit SET event = 'x' WHERE sequence = 3", 3],
  ["a holder", "UPDATE audit SET holder = NULL WHERE sequence = 3", 3],
  ["a label", "UPDATE audit SET label = '' WHERE sequence = 3", 3],
  ["a grant", "UPDATE audit SET grant_id = zeroblob(16) WHERE sequence = 3", 3],
  ["a text that moves to another field", "UPDATE audit SET label = detail, detail = label", 1],
  ["a hash", "UPDATE audit SET hash = zeroblob(32) WHERE sequence = 3", 3],
  ["the first line's removal", "DELETE FROM audit WHERE sequence = 1", 2],
  ["a removal", "DELETE FROM audit WHERE sequence = 3", 4],
  [
    "two lines that change places",
    `UPDATE audit SET sequence = 90 WHERE sequence = 3;
     UPDATE audit SET sequence = 3 WHERE sequence = 4;
     UPDATE audit SET sequence = 4 WHERE sequence = 90`,
    3,
  ],
  ["a later number", "UPDATE audit SET sequence = 7 WHERE sequence = 6", 7],
  ["an invented beginning", "INSERT INTO audit_base VALUES (1, 2, zeroblob(32), NULL)", 1],
];

Deno.test(
  "log is broken by each edit, at the first line that does not follow",
  inFolder((path) => {
    for (const [what, text, broken] of EDITS) {
      {
        using store = Store.open(path);
        const full = { ...line(), holder: keyId(1), grant: cti(1), detail: "scope" };
        store.record([full, full, full, full, full, full]);
      }
      sql(path, text);
      {
        using store = Store.open(path);
        assert.equal(store.brokenAudit(), broken, what);
      }
      Deno.removeSync(path);
      Deno.removeSync(`${path}.generation`);
    }
  }),
);

Deno.test(
  "log drops its oldest thousand lines, remembers the last of them, and stays whole",
  inFolder((path) => {
    using store = Store.open(path);
    store.record(Array.from({ length: 10_000 }, (_, n) => line(`event ${n}`)));
    assert.equal(store.auditBase(), undefined);
    const dropped = store.auditHash(1000)!;
    assert.equal(pair(store, 1), "added");
    assert.deepEqual(store.auditBase(), { sequence: 1000, hash: dropped });
    assert.equal(store.auditHash(1000), undefined);
    assert.notEqual(store.auditHash(1001), undefined);
    assert.equal(store.auditHead().sequence, 10_001);
    assert.equal(store.brokenAudit(), undefined);

    store.signAuditBase(999, bytes(64, 9));
    assert.equal(store.auditBase()?.signature, undefined, "that was another beginning");
    store.signAuditBase(1000, bytes(64, 1));
    assert.deepEqual(store.auditBase()?.signature, bytes(64, 1));

    store.record(Array.from({ length: 999 }, () => line("more", NOW)));
    assert.equal(store.auditBase()?.sequence, 1000);
    store.record([line("one too many")]);
    assert.equal(store.auditBase()?.sequence, 2000);
    assert.equal(store.auditBase()?.signature, undefined);
    assert.equal(store.brokenAudit(), undefined);
    assert.deepEqual(query(path, "SELECT count(*) FROM audit"), [9001]);
    assert.equal(store.audit({ limit: 100_000 }).length, 1000);
  }),
);

Deno.test(
  "log whose beginning was changed is broken at its first line",
  inFolder((path) => {
    {
      using store = Store.open(path);
      store.record([line("first"), line("second"), line("third")]);
    }
    sql(
      path,
      `INSERT INTO audit_base (only, sequence, hash)
         SELECT 1, sequence, hash FROM audit WHERE sequence = 2;
       DELETE FROM audit WHERE sequence <= 2`,
    );
    {
      using store = Store.open(path);
      assert.equal(store.brokenAudit(), undefined);
    }
    for (
      const edit of [
        "UPDATE audit_base SET hash = zeroblob(32)",
        "UPDATE audit_base SET sequence = 1",
        "DELETE FROM audit_base",
      ]
    ) {
      sql(path, edit);
      using store = Store.open(path);
      assert.equal(store.brokenAudit(), 3, edit);
    }
  }),
);
