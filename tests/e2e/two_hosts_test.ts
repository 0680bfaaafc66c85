/**
 * Nothing works only because everything shares a process or a loopback: rendezvous, agent, device UI and browser are
 * four processes, and the browser is on another host than the rest, 20 ms away.
 */
import assert from "node:assert/strict";
import { chromiumMissing, launchChromium } from "./browser.ts";
import { Child } from "./child.ts";
import { inCheckout } from "./checkout.ts";
import { runPorthole, startPorthole } from "./processes.ts";
import { Shell } from "./shell.ts";
import { DEVICE_HOST, twoHosts, twoHostsMissing, VIEWER_HOST } from "./two_hosts.ts";

const READY_LIMIT_MS = 60_000;
const PORT = 8443; // of a host that this test makes: nobody else is there
const SHELL = `http://porthole.localhost:${PORT}`;
const lack = await chromiumMissing() ?? await twoHostsMissing();
if (lack !== undefined) {
  Deno.stderr.writeSync(new TextEncoder().encode(`two hosts are skipped: ${lack}\n`));
}

Deno.test("four processes on two hosts: page, download, camera and reload work across the link", {
  ignore: lack !== undefined,
  sanitizeOps: false, // playwright keeps handles of its own until the process ends
  sanitizeResources: false,
}, async (t) => {
  await using hosts = await twoHosts({ delayMs: 10 });
  assert.ok(hosts);
  const { netns, address } = DEVICE_HOST;
  await using ui = Child.start({
    command: Deno.execPath(),
    args: ["run", "-A", inCheckout("tests/e2e/sample_device_process.ts")],
    netns,
  });
  const { port } = await ui.firstJson(READY_LIMIT_MS);
  await using rendezvous = await startPorthole({
    args: ["rendezvous", "--json", "--listen", `${address}:${PORT}`, "--origin", SHELL],
    netns,
  });
  const state = await Deno.makeTempDir();
  await using agent = await startPorthole({
    args: [
      ...["run", "--json", "--state", state, "--rendezvous", `ws://${address}:${PORT}`],
      ...["--name", "Shed", "--service", `ui=http://127.0.0.1:${port}`, "--camera", "test=test:"],
    ],
    netns,
  });
  await using browser = await launchChromium({
    netns: VIEWER_HOST.netns,
    args: [`--host-resolver-rules=MAP *.localhost ${address}`],
  });
  await agent.child.find(({ stderr }) => stderr.includes("rendezvous.connected") || undefined, {
    what: "registration",
    limitMs: READY_LIMIT_MS,
  });
  const pairing = await runPorthole({ args: ["pair", "--json", "--state", state] });
  const { url } = JSON.parse(pairing.stdout);
  assert.ok(url.startsWith(`${SHELL}/#pair=`), url);
  const shell = await Shell.open(browser, url);

  await t.step("the browser pairs and sees the moving picture", async () => {
    await shell.state("live");
    await shell.moving("test");
  });

  await t.step(
    "the device's page works: events, WebSocket, a download with its checksum",
    async () => {
      const frame = await shell.openService("ui");
      await frame.getByText(/readings$/).waitFor();
      await frame.getByText("connected (workshop.v1)").waitFor();
      await frame.locator("#digest-check").click();
      await frame.getByText(/bytes, SHA-256 matches/).waitFor({ timeout: 120_000 });
    },
  );

  await t.step("after a reload it is there again, in a new connection", async () => {
    await shell.page.reload();
    await shell.state("live");
    const frame = await shell.serviceFrame();
    await frame.getByText(/readings$/).waitFor();
    assert.equal(await shell.peerConnections(), 1);
  });

  await t.step(
    "the rendezvous has seen no path of a device's page, no description and no candidate",
    () => {
      const log = rendezvous.child.stderr;
      assert.ok(log.includes("device.registered"));
      for (const secret of ["workshop.css", "settings", "candidate", "fingerprint", "ufrag"]) {
        assert.ok(!log.includes(secret), `its log has "${secret}"`);
      }
    },
  );
  await browser.close();
  await Deno.remove(state, { recursive: true });
});
