/**
 * The conformance cases of browser-proxying.md section 6: each case's page runs beside the device and through the tunnel,
 * in Chromium and, where service workers differ, in Firefox; what it observes must be the same. What cannot be is listed
 * with its case, and in the README.
 *
 *   CONFORMANCE_CASES=7,12   runs these only
 *   CONFORMANCE_BROWSER=firefox   in this browser only
 */
import assert from "node:assert/strict";
import { browserMissing, type BrowserName } from "../e2e/either_browser.ts";
import { BROWSERS, type Case, label } from "./case.ts";
import { CASES } from "./cases/all.ts";
import { missingRows } from "./readme_list.ts";
import { Runner } from "./runner.ts";
import { Stage } from "./stage.ts";
import { judge, type Judgement, keep, table } from "./verdicts.ts";

/** Cases at once: more would only wait for each other on two cores. */
const AT_ONCE = 3;

const only = Deno.env.get("CONFORMANCE_CASES")?.split(",").map(Number);
const onlyBrowser = Deno.env.get("CONFORMANCE_BROWSER");

for (const name of BROWSERS) {
  const lack = await browserMissing(name);
  if (lack !== undefined) print(`conformance in ${name} is skipped: ${lack}`);
  Deno.test({
    name: `what a page observes is the same beside the device and through the tunnel, in ${name}`,
    ignore: lack !== undefined || (onlyBrowser !== undefined && onlyBrowser !== name),
    sanitizeOps: false, // the drivers keep handles of their own until the process ends
    sanitizeResources: false,
    fn: (t) => run(t, name),
  });
}

Deno.test("the README lists every check that cannot agree, with its reason", async () => {
  assert.deepEqual(await missingRows(CASES), []);
});

Deno.test("the cases are those of the reference, each once", () => {
  assert.deepEqual(
    CASES.map(({ number }) => number),
    Array.from({ length: 30 }, (_, at) => at + 1),
  );
});

async function run(t: Deno.TestContext, name: BrowserName): Promise<void> {
  const cases = CASES.filter(({ number, firefox }) =>
    (only?.includes(number) ?? true) && (name === "chromium" || firefox === true)
  );
  await using stage = await Stage.start(name, cases);
  const judgements = await judged(stage, cases, name);
  const peak = await stage.agentPeakBytes();
  await keep(name, judgements, { agentPeakBytes: peak });
  print(`\n${table(judgements)}\nagent: ${Math.round(peak / 2 ** 20)} MiB at most\n`);
  for (const { outcome, problems } of judgements) {
    await t.step(`${label(outcome)} ${outcome.title}`, () => {
      assert.equal(problems.length, 0, problems.join("\n"));
    });
  }
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

async function judged(
  stage: Stage,
  cases: readonly Case[],
  name: BrowserName,
): Promise<Judgement[]> {
  const drives = name === "chromium";
  const judgements: Judgement[] = [];
  const work = async (queue: Case[]) => {
    const runner = new Runner(stage, { drives });
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      judgements.push(judge(next, await runner.run(next), name));
    }
    await runner.close();
  };
  const together = cases.filter(({ alone }) => !alone);
  await Promise.all(Array.from({ length: AT_ONCE }, () => work(together)));
  await work(cases.filter(({ alone }) => alone));
  return judgements.sort((one, other) => one.outcome.number - other.outcome.number);
}
