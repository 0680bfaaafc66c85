/**
 * Runs one attack and prints its outcome as a line of JSON:
 * `deno run -A tests/attacks/run.ts "a packet has a bad checksum" ours|stock`. A process of its own
 * for each: the tools of an attack leave timers, and may break themselves.
 */
import { runAttack } from "./attack.ts";
import { ATTACKS } from "./table.ts";

const [name, target] = Deno.args;
const attack = ATTACKS.find((attack) => attack.name === name);
if (attack === undefined || (target !== "ours" && target !== "stock")) {
  throw new Error(`Cannot run attack: "${name}" on "${target}" is unknown`);
}
// Of the attacker's werift, which suffers from what the device answers. The device is elsewhere.
globalThis.addEventListener("unhandledrejection", (event) => event.preventDefault());
const outcome = await runAttack(attack, target);
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(outcome) + "\n"));
Deno.exit(0);
