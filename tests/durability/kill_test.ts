/**
 * Two processes race for the same invites in one store and are killed with SIGKILL at random points, one or both; new ones
 * go on where the last acknowledgement was. In the end everything that was acknowledged must be there, nothing twice, and
 * each change with its line in the log. A kill is no pulled plug: what the system has not flushed yet is not lost by it.
 * That is the part of `synchronous = FULL`, which `src/store/open_database_test.ts` checks.
 *
 * PORTHOLE_SLOW=1 repeats it with more seeds.
 */
import assert from "node:assert/strict";
import { equalBytes, toHex } from "../../src/lib/bytes.ts";
import { Store } from "../../src/store/store.ts";
import { seededRandom } from "../vnet/link.ts";
import {
  idOf,
  INVITES,
  keyIdOf,
  type Operation,
  OPERATIONS,
  ownerOf,
  RACERS,
} from "./operations.ts";
import { type Answer, race, SHARE } from "./race.ts";
import { Victim } from "./victim.ts";

const SLOW = Deno.env.get("PORTHOLE_SLOW") === "1";
const SEEDS = Array.from({ length: SLOW ? 10 : 1 }, (_, index) => index + 1);
const OPENINGS = SLOW ? 100 : 15;

/** What is known of one operation in the end. */
interface Found {
  readonly store: Store;
  readonly number: number;
  /** In order, of both racers. */
  readonly answers: readonly Answer[];
  /** Lines of the log that tell of it. */
  readonly lines: readonly { readonly label?: string }[];
}

const CHECKS: Readonly<Record<Operation["kind"], (found: Found) => void>> = {
  redeem({ store, number, answers, lines }) {
    const guests = store.guests(idOf("redeem", number));
    assert.equal(guests.length, 1, `guests of invite ${number}`);
    for (const { by, outcome } of answers) {
      const isGuest = equalBytes(guests[0]!.keyId, keyIdOf(by));
      const expected = isGuest ? ["added", "known"] : ["used_up"];
      assert.ok(expected.includes(outcome), `${by} was told "${outcome}" of invite ${number}`);
    }
    assert.deepEqual(lines.map(({ label }) => label), [guests[0]!.label]);
  },
  revoke({ store, number, answers, lines }) {
    assert.equal(store.isRevoked(idOf("lost", number)), true, `revocation ${number}`);
    for (const { outcome } of answers) {
      assert.ok(["revoked", "already_revoked"].includes(outcome), outcome);
    }
    assert.equal(lines.length, 1);
  },
  lost({ store, number, answers, lines }) {
    assert.ok(answers.every(({ outcome }) => outcome === "used_up"), `revoked invite ${number}`);
    assert.deepEqual(store.guests(idOf("lost", number)), []);
    assert.equal(lines.length, 0);
  },
  pair({ store, number, answers, lines }) {
    assert.equal(store.isConsumed(idOf("pair", number)), true, `claim ${number}`);
    assert.ok(count(answers, "added") <= 1, `owners by claim ${number}`);
    assert.equal(lines.length, 1);
  },
  remove({ store, number, answers, lines }) {
    assert.equal(store.owner(ownerOf(number)), undefined, `owner ${number}`);
    assert.notEqual(store.epoch(ownerOf(number)), 0);
    assert.ok(count(answers, "removed") <= 1, `removals of owner ${number}`);
    assert.equal(lines.length, 1);
  },
  spend({ store, number, answers }) {
    for (const { keyId, spentSeconds } of store.guests(idOf("redeem", number))) {
      const acknowledged = answers.filter(({ by }) => equalBytes(keyIdOf(by), keyId)).length;
      assert.ok(spentSeconds >= acknowledged, `${spentSeconds} s of ${acknowledged} are there`);
    }
  },
};

function check(store: Store, answers: readonly Answer[]): void {
  assert.equal(store.damaged, undefined);
  assert.equal(store.epoch(keyIdOf("ann")), 0, "it was never begun anew");
  assert.equal(store.brokenAudit(), undefined);
  const log = store.audit({ limit: 1000 });
  assert.equal(log.at(-1)?.sequence, 1, "all of the log is looked at");
  for (const [place, { kind, number }] of OPERATIONS.entries()) {
    const about = answers.filter(({ operation }) => operation === place);
    for (const racer of RACERS) assert.ok(about.some(({ by }) => by === racer));
    const lines = log.filter(({ event, detail }) => event === kind && detail === `${number}`);
    CHECKS[kind]({ store, number, answers: about, lines });
  }
  const last = OPERATIONS.findLastIndex(({ kind }) => kind === "revoke");
  for (const by of RACERS) assert.equal(store.lastStatement(keyIdOf(by)), last + 1);
}

function count(answers: readonly Answer[], wanted: string): number {
  return answers.filter(({ outcome }) => outcome === wanted).length;
}

function report(text: string): void {
  // deno-lint-ignore no-console -- figures of the run
  console.info(text);
}

for (const seed of SEEDS) {
  const name = `no kill lets two guests redeem one of ${INVITES} invites, ` +
    `or loses what was acknowledged (seed ${seed})`;
  Deno.test(name, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const path = `${folder}/porthole.db`;
      const { answers, kills } = await race(path, seed);
      const added = RACERS.map((by) =>
        `${by} ${count(answers.filter((answer) => answer.by === by), "added")}`
      );
      report(`${kills} kills, ${answers.length} answers; added: ${added.join(", ")}`);
      // No life does more than its share, and only one that did the last operation ends by itself.
      const least = Math.ceil(OPERATIONS.length / SHARE) - 1;
      assert.ok(kills >= least, `${kills} kills, expected at least ${least}`);
      using store = Store.open(path);
      check(store, answers);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("no kill while a store is made or brought up to date damages it or loses an owner", async () => {
  const random = seededRandom(99);
  let opened = 0;
  for (let number = 0; number < OPENINGS; number++) {
    const folder = await Deno.makeTempDir();
    try {
      const death = { afterLines: 1 + Math.floor(random() * 10), afterMs: random() * 20 };
      const { lines, killed } = await new Victim([folder, "open"], death).life;
      assert.equal(killed, true);
      for (const line of lines) checkOpened(folder, (line as { readonly opening: number }).opening);
      opened += lines.length;
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
  report(`${OPENINGS} kills, ${opened} stores`);
});

function checkOpened(folder: string, number: number): void {
  using store = Store.open(`${folder}/${number}.db`);
  assert.equal(store.damaged, undefined, `store ${number}`);
  const expected = number % 2 === 1 ? [toHex(new Uint8Array(8))] : [];
  assert.deepEqual(store.owners().map(({ keyId }) => toHex(keyId)), expected);
  assert.equal(store.epoch(keyIdOf("ann")), 0);
  store.record([{ at: 1, event: "works" }]);
}
