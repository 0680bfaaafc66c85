// A browser whose only way is a relay: real coturn with credentials that the rendezvous makes, real Chromium, real
// agent, each a process of its own.
import assert from "node:assert/strict";
import { Coturn, coturnMissing, SECRET } from "../contract/coturn.ts";
import { chromiumMissing, launchChromium } from "./browser.ts";
import { Home } from "./home.ts";

const lack = await chromiumMissing() ?? await coturnMissing();
if (lack !== undefined) {
  Deno.stderr.writeSync(new TextEncoder().encode(`relay is skipped: ${lack}\n`));
}
const options = { ignore: lack !== undefined, sanitizeOps: false, sanitizeResources: false };

Deno.test("a page loads through a relay alone, and the shell says relayed", options, async () => {
  await using coturn = await Coturn.start();
  const secretFile = await Deno.makeTempFile();
  await Deno.writeTextFile(secretFile, `${SECRET}\n`);
  const turn = ["udp", "tcp"].flatMap((transport) => [
    "--turn-url",
    coturn.url(transport as "udp" | "tcp"),
  ]);
  await using home = await Home.start({
    rendezvousArgs: [...turn, "--stun-url", coturn.stunUrl, "--turn-secret-file", secretFile],
  });
  await using browser = await launchChromium();
  try {
    const { url } = await home.ask("pair", "--for", "5m");

    const context = await browser.newContext();
    await context.addInitScript(onlyRelays);
    const relayed = await home.person(context, String(url));
    await relayed.state("live");
    await relayed.page.locator('[data-path="relay"]').waitFor({ timeout: 45_000 });
    await relayed.waitForText("relayed");
    const frame = await relayed.openService("ui");
    await frame.getByRole("heading", { name: "Workshop controller" }).waitFor();
    await frame.getByText("connected (workshop.v1)").waitFor();
    await context.close();

    const second = await home.ask("pair", "--for", "5m");
    const direct = await home.person(browser, String(second.url));
    await direct.state("live");
    await direct.page.locator('[data-path="direct"]').waitFor({ timeout: 45_000 });
    await direct.waitForText("direct, same network");
  } finally {
    await Deno.remove(secretFile);
  }
  const log = await coturn.stop();
  assert.match(log, /ALLOCATE processed, success/);
  const names = [...log.matchAll(/user <(\d+):([0-9a-f]{16})>/g)];
  assert.ok(names.length > 0, "a relay learns an expiry and a random label");
  assert.ok(!log.includes(home.id), "the relay learns which device it is");
});

/** Runs in the page before anything of it. */
function onlyRelays(): void {
  // deno-lint-ignore no-explicit-any -- browser types do not exist on this side
  const scope = globalThis as any;
  scope.RTCPeerConnection = new Proxy(scope.RTCPeerConnection, {
    construct: (target, [configuration]) =>
      new target({ ...configuration, iceTransportPolicy: "relay" }),
  });
}
