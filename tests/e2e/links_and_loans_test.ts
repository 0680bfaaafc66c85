/**
 * What people do with links beside the straight way, with real parts: a link that comes while the page still starts, one
 * that is withdrawn, several loans of one device, and a device that is given up.
 */
import assert from "node:assert/strict";
import { chromiumMissing, launchChromium } from "./browser.ts";
import { Home } from "./home.ts";
import { Shell } from "./shell.ts";

const lack = await chromiumMissing();
if (lack !== undefined) {
  Deno.stderr.writeSync(new TextEncoder().encode(`links and loans are skipped: ${lack}\n`));
}

// Playwright keeps handles of its own until the process ends: sanitizers would count them.
const OPTIONS = { ignore: lack !== undefined, sanitizeOps: false, sanitizeResources: false };

Deno.test(
  "a pairing link that comes while the page still starts makes an owner",
  OPTIONS,
  async () => {
    await using home = await Home.start();
    await using browser = await launchChromium();
    const link = String((await home.ask("pair")).url);
    const context = await browser.newContext();
    await context.addInitScript(holdStart);
    const shell = await Shell.open(context, home.shell);
    await until(shell, "globalThis.startIsHeld === true");
    await shell.page.evaluate(`location.hash = ${JSON.stringify(new URL(link).hash)}`);
    await until(shell, `location.href === ${JSON.stringify(`${home.shell}#/`)}`); // no longer than that
    await shell.page.evaluate("globalThis.releaseStart()");
    await shell.page.getByTestId("check-number").waitFor();
    await shell.state("live");
    assert.equal((await home.list("owners")).length, 1);
    assert.deepEqual(shell.problems, []);
  },
);

Deno.test("a link to become an owner that was withdrawn makes nobody one", OPTIONS, async () => {
  await using home = await Home.start();
  await using browser = await launchChromium();
  const owner = await home.person(browser, String((await home.ask("pair")).url));
  await owner.state("live");
  await owner.page.goto(home.address("people"));
  await owner.page.getByTestId("add-owner").click();
  const link = await owner.page.getByTestId("link").inputValue();
  await owner.page.getByRole("button", { name: "Withdraw the link" }).click();
  await owner.page.getByTestId("add-owner").waitFor();
  assert.equal(await owner.page.getByTestId("link-card").count(), 0);

  const late = await home.person(browser, link);
  assert.match(
    await late.page.getByTestId("pairing-failed").innerText(),
    /This pairing code has expired/,
  );
  assert.equal((await home.list("owners")).length, 1);
  await owner.state("live");
});

Deno.test("what was lent last counts, and when it ends what was lent before", OPTIONS, async () => {
  await using home = await Home.start();
  await using browser = await launchChromium();
  const lend = (scope: string) => home.ask("lend", "--scope", scope, "--for", "1h");
  const [pages, camera] = [await lend("ui"), await lend("camera:yard")];
  const guest = await home.person(browser, String(pages.url));
  await guest.state("live");
  await guest.page.getByTestId("service-card-ui").waitFor();

  await guest.page.goto(String(camera.url));
  await guest.moving("yard");
  assert.equal(await guest.page.getByTestId("service-card-ui").count(), 0);
  await guest.page.goto(home.shell);
  assert.equal(await guest.page.getByTestId("device-card").count(), 1, "one device, two loans");
  await guest.page.getByTestId("device-card").click();
  await guest.moving("yard");

  await home.ask("revoke", String(camera.id));
  await guest.page.getByTestId("service-card-ui").waitFor(); // by itself
  await guest.state("live");
  assert.equal(await guest.page.locator("video").count(), 0);
  const sessions = await home.list("sessions");
  assert.deepEqual(sessions.map(({ grant }) => grant), [pages.id]);

  await home.ask("revoke", String(pages.id));
  await guest.waitForText("An owner of the device has ended this before its time.");
  await guest.page.reload();
  await guest.page.getByTestId("ended").waitFor();
  assert.deepEqual(guest.problems, []);
});

Deno.test(
  "a device that is given up leaves nothing here, and knows this browser no more",
  OPTIONS,
  async (t) => {
    await using home = await Home.start();
    await using browser = await launchChromium();
    const owner = await home.person(browser, String((await home.ask("pair")).url));
    await owner.state("live");
    const other = await home.person(browser, String((await home.ask("pair")).url));
    await other.state("live");
    let origin: string;

    await t.step("its pages keep something in the browser", async () => {
      await owner.page.getByRole("button", { name: "Done" }).click();
      const frame = await owner.openService("ui");
      await frame.getByRole("heading", { name: "Workshop controller" }).waitFor();
      await frame.evaluate(KEEP);
      origin = new URL(frame.url()).origin;
      assert.deepEqual(await kept(owner, origin), { databases: true, storage: 1, workers: 1 });
    });

    await t.step("an owner removes itself, and is none at once", async () => {
      await owner.page.goto(home.address("people"));
      await owner.page.getByTestId("owner").filter({ hasText: "this browser" })
        .getByRole("button").click();
      await owner.waitForText("This browser is no longer an owner of the device.");
      assert.equal((await home.list("owners")).length, 1);
      await other.state("live");
    });

    await t.step("forgotten, device and pages are gone from the browser", async () => {
      await owner.page.goto(home.address());
      await owner.page.getByRole("button", { name: "Remove from this browser" }).click();
      await owner.page.getByTestId("no-devices").waitFor();
      const gone = { databases: false, storage: 0, workers: 0 };
      const end = performance.now() + GONE_LIMIT_MS;
      let left = await kept(owner, origin);
      while (JSON.stringify(left) !== JSON.stringify(gone) && performance.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        left = await kept(owner, origin);
      }
      assert.deepEqual(left, gone);
      await owner.page.goto(home.address());
      await owner.page.getByTestId("unknown-device").waitFor();
    });

    await t.step("an owner that only forgets stays one on the device", async () => {
      await other.page.goto(home.address());
      await other.page.getByText("About this device").click();
      await other.page.getByRole("button", { name: "Forget this device" }).click();
      await other.page.getByTestId("no-devices").waitFor();
      assert.equal((await home.list("owners")).length, 1);
    });
    assert.deepEqual([...owner.problems, ...other.problems], []);
  },
);

/** Deleting takes turns in the browser; a verdict never depends on less. */
const GONE_LIMIT_MS = 45_000;

/** As a device's page keeps things. */
const KEEP = `new Promise((resolve, reject) => {
  localStorage.setItem("kept", "by the page");
  const opening = indexedDB.open("of the page", 1);
  opening.onsuccess = () => { opening.result.close(); resolve(); };
  opening.onerror = () => reject(opening.error);
})`;

/** What a person's browser has of an origin. Looked at from a file of ours: device pages are told of no service worker. */
async function kept(
  { page }: Shell,
  origin: string,
): Promise<{ databases: boolean; storage: number; workers: number }> {
  const look = await page.context().newPage();
  await look.goto(`${origin}/.porthole/bridge.js`);
  const found = await look.evaluate<Awaited<ReturnType<typeof kept>>>(`(async () => ({
    databases: (await indexedDB.databases()).length > 0,
    storage: localStorage.length,
    workers: (await navigator.serviceWorker.getRegistrations()).length,
  }))()`);
  await look.close();
  return found;
}

/** Playwright's own `waitForFunction` needs `eval`, which the CSP forbids. */
async function until({ page }: Shell, expression: string): Promise<void> {
  const end = performance.now() + GONE_LIMIT_MS;
  while (!await page.evaluate(expression)) {
    if (performance.now() > end) throw new Error(`it never came true: ${expression}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Runs in the page before anything of it: the shell waits for the browser's word on storage until it is let go on. */
function holdStart(): void {
  // deno-lint-ignore no-explicit-any -- browser types do not exist on this side
  const scope = globalThis as any;
  if (scope.StorageManager === undefined) return; // an insecure frame
  const released = new Promise<void>((resolve) => scope.releaseStart = resolve);
  scope.StorageManager.prototype.persisted = async () => {
    scope.startIsHeld = true;
    await released;
    return false;
  };
}
