/**
 * Runs one attack and prints its outcome as a line of JSON:
 * `deno run -A tests/attacks/run.ts "a packet has a bad checksum" ours`. A process of its own
 * for each: the tools of an attack leave timers, and may break themselves.
 */
import { runAttack } from "./attack.ts";
import { ATTACKS } from "./table.ts";
import { TARGETS } from "./target.ts";

const [name, on] = Deno.args;
const attack = ATTACKS.find((attack) => attack.name === name);
const target = TARGETS.find((target) => target === on);
if (attack === undefined || target === undefined) {
  throw new Error(`Cannot run attack: "${name}" on "${on}" is unknown`);
}
// Of the attacker's werift, which suffers from what the device answers. The device is elsewhere.
globalThis.addEventListener("unhandledrejection", (event) => event.preventDefault());
const text = (line: string) => new TextEncoder().encode(line + "\n");
try {
  await Deno.stdout.write(text(JSON.stringify(await runAttack(attack, target))));
  Deno.exit(0);
} catch (error) {
  await Deno.stderr.write(text(`Cannot attack: ${error instanceof Error ? error.stack : error}`));
  Deno.exit(1);
}
