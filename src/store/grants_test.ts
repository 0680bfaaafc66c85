import assert from "node:assert/strict";
import { MAX_KEPT_GRANTS, MAX_LIVE_GRANTS, MAX_REVOKED } from "./limits.ts";
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
  owner,
  pair,
  query,
  sql,
  withStore,
} from "./test_parts.ts";

const UNTIL = NOW + 31 * DAY_S;

/** Grants with ids that no test uses, past the store. */
function addMany(path: string, { count, expires }: { count: number; expires: number }): void {
  sql(
    path,
    `INSERT INTO grants (id, issuer, epoch, token, label, created_at, expires, uses)
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
     SELECT CAST(format('%016d', i) AS BLOB), zeroblob(8), 0, zeroblob(300), '', 0, ${expires}, 1
     FROM n`,
  );
}

function events(store: Store): string[] {
  return store.audit({ limit: 100 }).map(({ event }) => event);
}

Deno.test(
  "store lists registered grants, the newest first, over a restart",
  inFolder((path) => {
    {
      using store = Store.open(path);
      assert.equal(store.addGrant(grant(2), line("grant.made")), "added");
      assert.equal(store.addGrant(grant(1), line("grant.made")), "added");
      assert.equal(store.addGrant(grant(1, { label: "other" }), line("again")), "known");
    }
    using store = Store.open(path);
    assert.deepEqual(store.grants(), [grant(1), grant(2)]);
    assert.deepEqual(store.grant(cti(2)), grant(2));
    assert.equal(store.grant(cti(3)), undefined);
    assert.deepEqual(events(store), ["grant.made", "grant.made"]);
  }),
);

Deno.test(
  "store adds a guest with the grant that it redeems, both or neither",
  withStore((store) => {
    assert.throws(() => store.redeem(grant(1), guest(1), line("")), /CHECK/);
    const nameless = guest(1, { publicKey: bytes(31, 1) });
    assert.throws(() => store.redeem(grant(1), nameless, line()), /CHECK/);
    assert.deepEqual([store.grants(), store.guests(cti(1)), events(store)], [[], [], []]);
    assert.equal(store.redeem(grant(1), guest(1), line("redeemed")), "added");
    assert.deepEqual(store.grants(), [grant(1)]);
    assert.deepEqual(store.guests(cti(1)), [guest(1)]);
    assert.deepEqual(store.guest(cti(1), keyId(1)), guest(1));
    assert.equal(store.guest(cti(1), keyId(2)), undefined);
    assert.equal(store.guest(cti(2), keyId(1)), undefined);
    assert.deepEqual(events(store), ["redeemed"]);
  }),
);

Deno.test(
  "store lets as many guests redeem an invite as it has uses, and those again",
  withStore((store) => {
    const twice = grant(1, { uses: 2 });
    store.addGrant(twice, line());
    assert.equal(store.redeem(twice, guest(1), line()), "added");
    assert.equal(store.redeem(twice, guest(1, { label: "again" }), line()), "known");
    assert.equal(store.redeem(twice, guest(2), line()), "added");
    assert.equal(store.redeem(twice, guest(3), line()), "used_up");
    assert.equal(store.redeem(twice, guest(2), line()), "known");
    assert.deepEqual(store.guests(cti(1)), [guest(1), guest(2)]);
    assert.equal(events(store).length, 3, "only what changed something is in the log");
  }),
);

Deno.test(
  "store gives an invite no use to another key under the same id, nor to another invite",
  withStore((store) => {
    const invite = grant(1, { uses: 9 });
    store.redeem(invite, guest(1), line());
    assert.equal(store.redeem(invite, guest(1, { publicKey: bytes(32, 9) }), line()), "used_up");
    const sameId = grant(1, { uses: 64, token: bytes(300, 9) });
    assert.equal(store.redeem(sameId, guest(2), line()), "used_up");
    assert.deepEqual(store.guests(cti(1)), [guest(1)]);
  }),
);

Deno.test(
  "store remembers when guests were seen and what they spent",
  inFolder((path) => {
    {
      using store = Store.open(path);
      store.redeem(grant(1), guest(1), line());
      store.spend([{ grant: cti(1), keyId: keyId(1), seconds: 60 }]);
      store.spend([
        { grant: cti(1), keyId: keyId(1), seconds: 30 },
        { grant: cti(1), keyId: keyId(2), seconds: 60 },
      ]);
      store.sawGuest(cti(1), keyId(1), NOW + 90);
      store.sawGuest(cti(2), keyId(1), NOW);
    }
    using store = Store.open(path);
    const spent = guest(1, { spentSeconds: 90, lastSeen: NOW + 90 });
    assert.deepEqual(store.guests(cti(1)), [spent]);
  }),
);

Deno.test(
  "store revokes for good, with a line, once",
  inFolder((path) => {
    {
      using store = Store.open(path);
      const invite = grant(1, { uses: 2 });
      store.redeem(invite, guest(1), line());
      assert.throws(() => store.revoke(cti(1), { until: UNTIL }, line("")), /CHECK/);
      assert.equal(store.isRevoked(cti(1)), false);
      assert.equal(store.revoke(cti(1), { until: UNTIL }, line("revoked")), "revoked");
      assert.equal(store.revoke(cti(1), { until: UNTIL }, line("twice")), "already_revoked");
      assert.equal(store.redeem(invite, guest(2), line()), "used_up");
      assert.equal(store.redeem(invite, guest(1), line()), "used_up", "also for its guest");
      assert.equal(store.revoke(cti(9), { until: 2 ** 60 }, line("unknown")), "revoked");
    }
    using store = Store.open(path);
    assert.deepEqual([cti(1), cti(9), cti(2)].map((id) => store.isRevoked(id)), [
      true,
      true,
      false,
    ]);
    assert.deepEqual(events(store), ["unknown", "revoked", "tested"]);
  }),
);

Deno.test(
  "store takes each signed statement once, in order, for each issuer",
  withStore((store) => {
    const signed = (number: number, issuer: number, sequence: number) =>
      store.revoke(
        cti(number),
        { until: UNTIL, statement: { issuer: keyId(issuer), sequence } },
        line(),
      );
    assert.equal(store.lastStatement(keyId(1)), 0);
    assert.equal(signed(1, 1, 5), "revoked");
    assert.equal(signed(1, 1, 5), "already_revoked", "its answer was lost, and it came again");
    assert.equal(signed(2, 1, 5), "stale_statement");
    assert.equal(signed(2, 1, 4), "stale_statement");
    assert.equal(store.isRevoked(cti(2)), false);
    assert.equal(signed(2, 2, 4), "revoked", "another issuer counts for itself");
    assert.equal(store.takeStatement(keyId(1), 5), false);
    assert.equal(store.takeStatement(keyId(1), 6), true);
    assert.equal(store.takeStatement(keyId(1), 6), false);
    assert.equal(signed(1, 1, 8), "already_revoked");
    assert.equal(store.lastStatement(keyId(1)), 8);
    assert.equal(events(store).length, 2);
  }),
);

Deno.test(
  "store takes a statement back when its revocation cannot be stored",
  withStore((store) => {
    const statement = { issuer: keyId(1), sequence: 5 };
    assert.throws(() => store.revoke(cti(1), { until: UNTIL, statement }, line("")), /CHECK/);
    assert.equal(store.lastStatement(keyId(1)), 0);
    assert.equal(store.isRevoked(cti(1)), false);
  }),
);

Deno.test(
  "store forgets a revocation only when the time floor has passed its date",
  withStore((store) => {
    store.revoke(cti(1), { until: UNTIL }, line());
    store.revoke(cti(1), { until: UNTIL - DAY_S }, line()); // an earlier date counts for nothing
    store.revoke(cti(2), { until: NOW }, line("ahead", UNTIL + DAY_S)); // the clock runs ahead
    store.raiseTimeFloor(UNTIL - 1);
    store.revoke(cti(3), { until: UNTIL + DAY_S }, line());
    assert.deepEqual([1, 2, 3].map((n) => store.isRevoked(cti(n))), [true, false, true]);
    store.raiseTimeFloor(UNTIL);
    store.revoke(cti(4), { until: UNTIL + DAY_S }, line());
    assert.deepEqual([1, 3, 4].map((n) => store.isRevoked(cti(n))), [false, true, true]);
  }),
);

Deno.test(
  "store has room to revoke what is registered when it is full of unknown ids",
  withStore((store, path) => {
    store.addGrant(grant(1), line());
    sql(
      path,
      `INSERT INTO revoked (cti, until)
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MAX_REVOKED})
       SELECT CAST(format('%016d', i) AS BLOB), ${UNTIL} FROM n`,
    );
    assert.throws(() => store.revoke(cti(2), { until: UNTIL }, line()), { name: "LimitError" });
    assert.equal(store.revoke(cti(1), { until: UNTIL }, line()), "revoked");
  }),
);

Deno.test(
  "store is full at 256 grants that can be used; each that ends makes room",
  withStore((store, path) => {
    pair(store, 1);
    pair(store, 2);
    const number = (n: number) => grant(n, { issuer: keyId(n === 2 ? 2 : 1) });
    for (const n of [1, 2, 3]) store.addGrant(number(n), line());
    addMany(path, { count: MAX_LIVE_GRANTS - 4, expires: NOW + 1 });
    assert.equal(store.addGrant(number(256), line()), "added");
    assert.equal(store.addGrant(number(300), line()), "full");
    assert.equal(store.redeem(number(300), guest(1, { grant: cti(300) }), line()), "full");
    assert.equal(store.redeem(number(3), guest(1, { grant: cti(3) }), line()), "added");
    store.revoke(cti(1), { until: UNTIL }, line());
    assert.equal(store.addGrant(number(300), line()), "added", "revoked ones do not count");
    assert.equal(store.addGrant(number(301), line()), "full");
    store.removeOwner(keyId(2), line());
    assert.equal(store.addGrant(number(301), line()), "added", "nor those of a former owner");
    assert.equal(store.addGrant(number(302), line()), "full");
    const later = line("later", NOW + DAY_S);
    assert.equal(store.addGrant(grant(302, { expires: NOW + 2 * DAY_S }), later), "added");
    assert.equal(store.grants().length, 259, "ended ones are still shown");
    assert.equal(store.guests(cti(3)).length, 1);
  }),
);

Deno.test(
  "store forgets an expired grant and its guests a month later, by the time floor",
  withStore((store, path) => {
    store.redeem(grant(1), guest(1), line());
    const monthLater = NOW + 31 * DAY_S;
    store.addGrant(grant(2, { expires: monthLater }), line("ahead", monthLater + 1000 * DAY_S));
    assert.equal(store.grants().length, 2, "the clock may be ahead by mistake");
    store.raiseTimeFloor(monthLater - 1);
    store.addGrant(grant(3, { expires: monthLater }), line());
    assert.equal(store.grants().length, 3);
    store.raiseTimeFloor(monthLater);
    store.addGrant(grant(4, { expires: monthLater + DAY_S }), line());
    assert.deepEqual(store.grants().map(({ id }) => id), [cti(4), cti(3), cti(2)]);
    assert.deepEqual(query(path, "SELECT count(*) FROM guests"), [0]);
  }),
);

Deno.test(
  "store drops an ended grant, and never one that could be used again, when 1024 are kept",
  withStore((store, path) => {
    for (const n of [1, 5]) store.addGrant(grant(n), line());
    addMany(path, { count: MAX_KEPT_GRANTS - 2, expires: NOW + DAY_S });
    const ahead = line("ahead", NOW + DAY_S);
    assert.equal(store.addGrant(grant(2000), ahead), "full", "they may not have expired in truth");
    store.revoke(cti(5), { until: UNTIL }, line());
    assert.equal(store.addGrant(grant(2000), ahead), "added");
    assert.equal(store.grant(cti(5)), undefined);
    assert.equal(store.isRevoked(cti(5)), true);
    assert.equal(store.addGrant(grant(2001), ahead), "full");
    store.raiseTimeFloor(NOW + DAY_S);
    assert.equal(store.addGrant(grant(2001), ahead), "added");
    assert.equal(store.grant(cti(1)), undefined, "the oldest");
    assert.equal(store.grants().length, MAX_KEPT_GRANTS);
  }),
);

Deno.test(
  "store counts no grants of an owner who was removed, though it paired again",
  withStore((store) => {
    pair(store, 1);
    for (let i = 0; i < 256; i++) store.addGrant(grant(i), line());
    assert.equal(store.addGrant(grant(300), line()), "full");
    store.removeOwner(keyId(1), line());
    store.consumeClaimAndAddOwner(cti(999), owner(1), line());
    for (let i = 300; i < 556; i++) assert.equal(store.addGrant(grant(i), line()), "added");
    assert.equal(store.addGrant(grant(600), line()), "full", "new ones of it count");
  }),
);
