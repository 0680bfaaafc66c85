/**
 * Each known attack on werift, over real UDP, against our stack and against werift as it comes from
 * npm (issue 3, section 3). Ours has to suffer nothing: the attacker is refused, an honest session
 * echoes all the time, the process lives, memory and CPU stay within the bounds of `attack.ts`.
 * Stock werift has to suffer: an attack that it withstands proves nothing about us.
 */
import assert from "node:assert/strict";
import { Child } from "../e2e/child.ts";
import type { Outcome } from "./attack.ts";
import { ATTACKS } from "./table.ts";
import type { Target } from "./target.ts";

/** How long one attack may take, in ms, with the start of two processes and all its waits. */
const ATTACK_LIMIT_MS = 140_000;

for (const { name, stockHarm } of ATTACKS) {
  for (const target of ["ours", "ours on one port"] as const) {
    Deno.test(`our stack suffers nothing (${target}) when ${name}`, async () => {
      const { harms, notes } = await outcomeOf(name, target);
      assert.deepEqual(harms, [], JSON.stringify(notes));
    });
  }

  Deno.test(`stock werift suffers when ${name}: ${stockHarm}`, async () => {
    const { harms, notes } = await outcomeOf(name, "stock");
    assert.ok(harms.includes(stockHarm), JSON.stringify({ harms, notes }));
  });
}

async function outcomeOf(name: string, target: Target): Promise<Outcome> {
  const entry = new URL("./run.ts", import.meta.url).pathname;
  await using child = Child.start({
    command: Deno.execPath(),
    args: ["run", "-A", "--no-check", "--quiet", entry, name, target],
  });
  return await child.firstJson(ATTACK_LIMIT_MS) as unknown as Outcome;
}
