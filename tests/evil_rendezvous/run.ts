/** Repeats batches: `deno run -A tests/evil_rendezvous/run.ts <seed> [<last seed>]`, after a failure or to search on. */
import { runCampaign } from "./campaign.ts";

const [first = 1, last = first] = Deno.args.map(Number);
const seeds = Array.from({ length: last - first + 1 }, (_, i) => first + i);
const startedAt = performance.now();
const tally = await runCampaign({ seeds, mood: Deno.env.get("MOOD") === "calm" ? "calm" : "evil" });
const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
// deno-lint-ignore no-console -- this is a command
console.log(JSON.stringify({ seconds, ...tally }, null, 2));
