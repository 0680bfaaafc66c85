/**
 * Chains of grants, judged by `src/trust/chain.ts` and by a second implementation: `go/`, after PROTOCOL.md, with
 * another COSE library, another CBOR codec and another Ed25519. The quick tests take the vectors that are kept; with
 * PORTHOLE_SLOW=1 all are made and judged: 1,000 drawn by lot, and 20 of each mutation.
 */
import assert from "node:assert/strict";
import kept from "../vectors/chains.json" with { type: "json" };
import { asVectors, type ChainCase, makeCaseParties, makeCases, makeKeptCases } from "./cases.ts";
import { buildTheirs, judgeByOurs, judgeByTheirs } from "./verifiers.ts";

const folder = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const program = `${folder}/verifier`;
const missing = await buildTheirs(program);
// deno-lint-ignore no-console -- a skipped test says why
const note = console.info;
if (missing !== undefined) note(`second verifier is skipped: ${missing}`);
const isSlow = Deno.env.get("PORTHOLE_SLOW") === "1";
if (!isSlow) note("second verifier on all chains is skipped: set PORTHOLE_SLOW=1");

Deno.test({
  name: "a second implementation agrees with the verdict of each kept chain",
  ignore: missing !== undefined,
  async fn() {
    const verdicts = await judgeByTheirs(program, kept);
    for (const [i, { kind, accepted }] of kept.cases.entries()) {
      assert.equal(verdicts[i] === "", accepted, `case ${i}, ${kind}: ${verdicts[i]}`);
    }
  },
});

Deno.test("the kept chains are what the generator makes", async () => {
  const parties = await makeCaseParties();
  const made = asVectors(parties, await makeKeptCases(parties));
  assert.deepEqual(kept.verifiers, made.verifiers);
  assert.deepEqual(kept.cases.map(({ accepted: _, ...one }) => one), made.cases);
});

Deno.test({
  name: "a second implementation agrees with ours on 1,000 random chains and as many mutated ones",
  ignore: !isSlow || missing !== undefined,
  async fn() {
    const parties = await makeCaseParties();
    const cases = await makeCases(parties);
    const vectors = asVectors(parties, cases);
    const ours = await judgeByOurs(vectors);
    const theirs = await judgeByTheirs(program, vectors);
    printTable(cases, ours);
    const different = cases.flatMap(({ kind, expected }, i) => {
      const accepted = ours[i] === "";
      const isWanted = expected === undefined || expected === accepted;
      const isAgreed = accepted === (theirs[i] === "");
      return isWanted && isAgreed ? [] : [{ i, kind, expected, ours: ours[i], theirs: theirs[i] }];
    });
    assert.deepEqual(different, []);
    const mutated = cases.filter(({ expected }) => expected === false);
    assert.ok(mutated.length >= 1000 && cases.length - mutated.length >= 1000);
  },
});

/** Accepted and refused, by what is special about the chains. */
function printTable(cases: readonly ChainCase[], verdicts: readonly string[]): void {
  const rows = new Map<string, { accepted: number; refused: number }>();
  for (const [i, { kind }] of cases.entries()) {
    const row = rows.get(kind) ?? { accepted: 0, refused: 0 };
    row[verdicts[i] === "" ? "accepted" : "refused"]++;
    rows.set(kind, row);
  }
  note(`${"kind".padEnd(40)} accepted  refused`);
  for (const [kind, { accepted, refused }] of rows) {
    note(
      `${kind.padEnd(40)} ${String(accepted).padStart(8)} ${String(refused).padStart(8)}`,
    );
  }
}
