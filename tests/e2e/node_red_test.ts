/**
 * A device UI that nobody here wrote: Node-RED, unmodified. Its editor loads, its WebSocket is live, a flow that was
 * imported from a file deploys, and what the flow does is seen.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { chromiumMissing, launchChromium } from "./browser.ts";
import { startNodeRed } from "./node_red.ts";
import { startPorthole } from "./processes.ts";
import { Shell } from "./shell.ts";

const lack = await chromiumMissing();
if (lack !== undefined) {
  Deno.stderr.writeSync(new TextEncoder().encode(`Node-RED is skipped: ${lack}\n`));
}

/** An inject node that fires by itself once deployed, wired to a debug node: its message comes by `/comms`. */
const FLOW = JSON.stringify([
  { id: "f1", type: "tab", label: "Porthole" },
  {
    id: "n1",
    type: "inject",
    z: "f1",
    name: "start",
    props: [{ p: "payload" }],
    payload: "through the port hole",
    payloadType: "str",
    once: true,
    onceDelay: 0.2,
    repeat: "",
    x: 150,
    y: 100,
    wires: [["n2"]],
  },
  {
    id: "n2",
    type: "debug",
    z: "f1",
    name: "seen",
    active: true,
    tosidebar: true,
    complete: "payload",
    x: 350,
    y: 100,
    wires: [],
  },
]);

Deno.test("Node-RED's editor loads, imports a file, deploys, and shows the flow's message", {
  ignore: lack !== undefined,
  sanitizeOps: false, // playwright keeps handles of its own until the process ends
  sanitizeResources: false,
}, async () => {
  await using nodeRed = await startNodeRed();
  await using demo = await startPorthole({
    args: ["demo", "--port", "0", "--json", "--service", `flows=${nodeRed.url}`],
  });
  await using browser = await launchChromium();
  const shell = await Shell.open(browser, String(demo.ready.pair));
  await shell.state("live");
  const editor = await shell.openService("flows");
  await editor.locator("#red-ui-palette-container").waitFor();
  await editor.locator(".red-ui-palette-node").first().waitFor();

  await editor.locator("body").press("Control+i");
  const file = { name: "flow.json", mimeType: "application/json", buffer: Buffer.from(FLOW) };
  await editor.locator("#red-ui-clipboard-dialog-import-file-upload").setInputFiles(file);
  await editor.locator("#red-ui-clipboard-dialog-ok").click();
  await editor.getByText("Porthole", { exact: true }).first().waitFor();

  await editor.locator("#red-ui-header-button-sidebar, #red-ui-header-button-deploy").first()
    .waitFor();
  await editor.locator("#red-ui-header-button-deploy").click();
  await editor.getByText("Successfully deployed").waitFor();
  await editor.locator("#red-ui-tab-debug, [data-i18n='debug.sidebar.label']").first().click()
    .catch(() => {});
  await editor.getByText('"through the port hole"').first().waitFor();
  assert.equal(await shell.peerConnections(), 1);
  assert.deepEqual(shell.problems, []);
});
