// *Diagnose* in the page: the leg that was broken is named, and no other.
import assert from "node:assert/strict";
import { chromiumMissing, launchChromium } from "./browser.ts";
import { Home } from "./home.ts";
import type { Shell } from "./shell.ts";

const lack = await chromiumMissing();
if (lack !== undefined) {
  Deno.stderr.writeSync(new TextEncoder().encode(`diagnose is skipped: ${lack}\n`));
}
const options = { ignore: lack !== undefined, sanitizeOps: false, sanitizeResources: false };

/** What stays on the page while attempts come and go. */
async function openAbout(shell: Shell): Promise<void> {
  await shell.page.locator("summary", { hasText: "About this device" }).click();
}

/** Legs that the page calls faulty, once somebody has asked. */
async function faults(shell: Shell): Promise<string[]> {
  const about = shell.page.locator("footer .diagnosis");
  await about.getByTestId("diagnose").click();
  await about.getByTestId("leg-codec").waitFor();
  const bad = await about.locator('.leg[data-state="bad"] strong').allInnerTexts();
  return [...new Set(bad)];
}

Deno.test("the page names the leg that failed: none, the device, the path", options, async (t) => {
  await using home = await Home.start();
  await using browser = await launchChromium();
  const { url } = await home.ask("pair", "--for", "5m");
  const shell = await home.person(browser, String(url));
  await shell.state("live");

  await t.step("of a session that lives, none", async () => {
    await openAbout(shell);
    assert.deepEqual(await faults(shell), []);
  });

  await t.step("of a device that is away, the device", async () => {
    await home.stopDevice();
    await shell.state("lost");
    await shell.waitForText(/Trying again by itself/);
    await untilFault(shell, "device");
    await home.startDevice();
    await shell.state("live");
  });

  await t.step("where no packet finds its way, ICE", async () => {
    await shell.page.addInitScript(noPath);
    await shell.page.reload();
    await openAbout(shell);
    await shell.state("lost");
    await untilFault(shell, "ICE");
  });
});

/** The first attempt after a loss may have met something else: another is under way. */
async function untilFault(shell: Shell, leg: string): Promise<void> {
  let found: string[] = [];
  for (const end = performance.now() + 60_000; performance.now() < end;) {
    found = await faults(shell);
    if (found.length === 1 && found[0] === leg) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.deepEqual(found, [leg]);
}

/** Runs in the page before anything of it: a browser that may use relays only, where there are none. */
function noPath(): void {
  // deno-lint-ignore no-explicit-any -- browser types do not exist on this side
  const scope = globalThis as any;
  scope.RTCPeerConnection = new Proxy(scope.RTCPeerConnection, {
    construct: (target, [configuration]) =>
      new target({ ...configuration, iceTransportPolicy: "relay" }),
    get: (target, name) => {
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
