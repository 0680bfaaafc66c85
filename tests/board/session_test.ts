/** Each board, once through: a browser pairs, opens the device's page and sees the camera; the agent ends well on SIGTERM. */
import assert from "node:assert/strict";
import { chromiumMissing, launchChromium } from "../e2e/browser.ts";
import { startPorthole } from "../e2e/processes.ts";
import { Shell } from "../e2e/shell.ts";
import { boards, EMULATED_LIMIT_MS } from "./boards.ts";

const lack = await chromiumMissing();
// Playwright keeps handles of its own until the process ends: sanitizers would count them.
const OPTIONS = { ignore: lack !== undefined, sanitizeOps: false, sanitizeResources: false };

for (const { name, command } of await boards()) {
  Deno.test(`${name}: a browser pairs, opens the page and sees the camera`, OPTIONS, async () => {
    await using demo = await startPorthole({
      from: command,
      args: ["demo", "--port", "0", "--json"],
      readyLimitMs: EMULATED_LIMIT_MS,
    });
    assert.deepEqual([demo.ready.services, demo.ready.cameras], [["ui"], ["test"]]);
    await using browser = await launchChromium();
    const shell = await Shell.open(browser, String(demo.ready.pair));
    await shell.state("live");
    const frame = await shell.openService("ui");
    await frame.getByRole("heading", { name: "Workshop controller" }).waitFor();
    assert.deepEqual(await shell.moving("test"), { width: 640, height: 360 });
    const { code, killed } = await demo.stop();
    assert.deepEqual({ code, killed }, { code: 0, killed: false }, demo.child.stderr);
  });
}
