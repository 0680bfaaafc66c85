/**
 * The sample device as a process of its own, so that neither the agent's nor the bench's figures hold its work:
 * `sample_process.ts [HOST]` prints `{"port": N}` and serves until it is killed.
 */
import { startSampleDevice } from "../../src/demo/sample_device.ts";
import { SILENT } from "../../src/lib/log.ts";
import { readAssets } from "../../src/platform/assets.ts";
import { ROOT } from "../e2e/checkout.ts";

const PREFIX = "demo/";
const assets = await readAssets(ROOT);
const site = new Map(
  [...assets].filter(([key]) => key.startsWith(PREFIX))
    .map(([key, asset]) => [key.slice(PREFIX.length), asset]),
);
const { port } = await startSampleDevice({ site, log: SILENT, host: Deno.args[0] ?? "127.0.0.1" });
await Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify({ port })}\n`));
