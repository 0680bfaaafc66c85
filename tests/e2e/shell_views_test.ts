/** The shell in a real Chromium: every view under the strict CSP, and the whole way to a device double. */
import assert from "node:assert/strict";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { type Served, serveShell } from "../../web/shell/testing/serve.ts";
import { chromiumMissing, launchChromium } from "./browser.ts";

const LIMIT_MS = 20_000; // one shared core at its busiest
const LOOK_EVERY_MS = 50;
/** There is no mDNS responder in a container. */
const NO_MDNS = ["WebRtcHideLocalIpsWithMdns"];

const lack = await chromiumMissing();
const ignore = lack !== undefined;
if (ignore) Deno.stderr.writeSync(new TextEncoder().encode(`views are skipped: ${lack}\n`));

interface Rig {
  readonly browser: Browser;
  readonly served: Served;
}

async function withBrowser(work: (rig: Rig) => Promise<void>): Promise<void> {
  const served = await serveShell();
  const browser = await launchChromium({ disabledFeatures: NO_MDNS });
  try {
    await work({ browser, served });
  } finally {
    await browser.close();
    await served.close();
  }
}

/** A page whose complaints are kept: CSP violations, errors, failed promises. */
async function open(context: BrowserContext, url: string): Promise<{ page: Page; said: string[] }> {
  const page = await context.newPage();
  page.setDefaultTimeout(LIMIT_MS);
  const said: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) said.push(message.text());
  });
  page.on("pageerror", (error) => said.push(error.message));
  await page.goto(url);
  return { page, said };
}

/** Waits until an expression holds. Playwright's own `waitForFunction` needs `eval`, which the CSP forbids. */
async function until(page: Page, expression: string): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  while (!await page.evaluate(expression)) {
    assert.ok(Date.now() < deadline, `never came true: ${expression}`);
    await page.waitForTimeout(LOOK_EVERY_MS);
  }
}

const isLive = (page: Page) => until(page, "porthole.state() === 'live'");

Deno.test(
  { name: "every view draws under the strict CSP without a complaint", ignore },
  async () => {
    await withBrowser(async ({ browser, served }) => {
      const context = await browser.newContext();
      const index = await open(context, `${served.origin}/gallery`);
      const scenes = await index.page.evaluate("gallery.scenes") as string[];
      assert.ok(scenes.length > 10);
      for (const scene of scenes) {
        const { page, said } = await open(context, `${served.origin}/gallery?view=${scene}`);
        await page.locator("main").waitFor();
        assert.deepEqual(said, [], scene);
        assert.notEqual((await page.locator("main").innerText()).trim(), "", scene);
        await page.close();
      }
    });
  },
);

Deno.test({ name: "a shell without devices tells how to pair", ignore }, async () => {
  await withBrowser(async ({ browser, served }) => {
    const { page, said } = await open(await browser.newContext(), served.origin);
    const text = await page.getByTestId("no-devices").innerText();
    assert.match(text, /porthole pair/);
    assert.equal(await page.evaluate("porthole.state()"), "none");
    assert.deepEqual(said, []);
  });
});

Deno.test(
  { name: "a damaged pairing link is told, and leaves the address bar", ignore },
  async () => {
    await withBrowser(async ({ browser, served }) => {
      const { page, said } = await open(await browser.newContext(), `${served.origin}/#pair=abc`);
      assert.match(await page.getByTestId("pairing-failed").innerText(), /damaged/);
      assert.equal(page.url(), `${served.origin}/#/`);
      assert.deepEqual(said, []);
    });
  },
);

Deno.test(
  { name: "a page of a device is mirrored in the address of the view", ignore },
  async () => {
    await withBrowser(async ({ browser, served }) => {
      const context = await browser.newContext();
      const { page } = await open(context, `${served.origin}/gallery?view=service`);
      await page.getByTestId("service-frame").waitFor();
      await until(page, "document.title.startsWith('Gate log')");
      await page.getByTestId("own-tab").click();
      assert.deepEqual(await page.evaluate("gallery.scene.session.detached"), [
        "/gate?tab=log#top",
      ]);
      const frames = page.getByTestId("service-frame");
      await frames.evaluate((frame) => frame.setAttribute("data-old", "yes"));
      await page.getByRole("button", { name: "Reload the page" }).click();
      await page.locator("[data-testid=service-frame]:not([data-old])").waitFor();
      assert.equal(await frames.count(), 1);
    });
  },
);

Deno.test({ name: "a camera is asked for once, and let go with its view", ignore }, async () => {
  await withBrowser(async ({ browser, served }) => {
    const { page } = await open(await browser.newContext(), `${served.origin}/gallery?view=device`);
    const wanted = () => page.evaluate("gallery.scene.session.cameras.wanted");
    await page.getByTestId("camera-yard").waitFor();
    assert.deepEqual(await wanted(), ["front", "yard"]);
    await page.evaluate("gallery.app.route.set({ view: 'devices' })");
    await page.getByTestId("device-card").first().waitFor();
    assert.deepEqual(await wanted(), []);
  });
});

Deno.test(
  { name: "a pairing link leads to live pictures, reload and a second tab too", ignore },
  async () => {
    await withBrowser(async ({ browser, served }) => {
      const devices = await browser.newContext();
      const device = await open(devices, `${served.origin}/double`);
      await until(device.page, "globalThis.double !== undefined");
      const link = await device.page.evaluate("double.link") as string;
      const id = await device.page.evaluate("double.device") as string;

      const context = await browser.newContext();
      const { page, said } = await open(context, `${served.origin}/#pair=${link}`);
      await isLive(page);
      assert.equal(page.url(), `${served.origin}/#/d/${id}`);
      assert.equal(await page.evaluate("porthole.peerConnections"), 1);
      assert.match(await page.getByTestId("state").innerText(), /^Connected/);
      await until(device.page, "double.bulkOpen === 1");
      await showsPictures(page, "front");
      await showsPictures(page, "yard");

      // Leaving the page stops the cameras; the freed sections serve again.
      await page.goto(`${served.origin}/#/d/${id}/s/nothing/`);
      await page.getByText("has no page").waitFor();
      await until(device.page, "double.log.includes('camera-stop')");
      await page.goto(`${served.origin}/#/d/${id}`);
      await showsPictures(page, "front");
      assert.equal(await page.evaluate("porthole.peerConnections"), 1);

      assert.equal(await page.evaluate(STORED_KEY), "private false, public true");
      await page.reload();
      await isLive(page);
      const second = await open(context, `${served.origin}/#/d/${id}`);
      await isLive(second.page);
      assert.equal(await device.page.evaluate("double.sessions"), 3);
      await second.page.goto(`${served.origin}/#/`);
      assert.match(await second.page.getByTestId("device-card").innerText(), /Double/);
      assert.deepEqual([...said, ...second.said], []);
      assert.deepEqual((await device.page.evaluate("double.log") as string[]).filter(isError), []);
    });
  },
);

Deno.test(
  {
    name:
      "a path that breaks off is said and may come back; a device that stays silent is lost, and found again",
    ignore,
  },
  async () => {
    await withBrowser(async ({ browser, served }) => {
      const device = await open(await browser.newContext(), `${served.origin}/double`);
      await until(device.page, "globalThis.double !== undefined");
      const link = await device.page.evaluate("double.link") as string;
      const context = await browser.newContext();
      await context.clock.install(); // thirty seconds are long
      const { page } = await open(context, `${served.origin}/#pair=${link}`);
      await isLive(page);
      // A live session does without the rendezvous, not without the device.
      served.cut();
      await device.page.evaluate("double.mute = true");
      const state = "document.querySelector('[data-testid=state]').innerText";
      await until(page, `${state}.includes('broke off')`);
      assert.equal(await page.evaluate("porthole.state()"), "live");
      await device.page.evaluate("double.mute = false");
      await until(page, `${state} === 'Connected'`);
      await device.page.evaluate("double.mute = true");
      await until(page, `${state}.includes('broke off')`);
      while (await page.evaluate("porthole.state()") === "live") await page.clock.runFor(1000);
      assert.equal(await page.evaluate("porthole.state()"), "lost");
      await device.page.evaluate("double.mute = false");
      await isLive(page);
      assert.equal(await page.evaluate("porthole.peerConnections"), 1);
    });
  },
);

Deno.test({ name: "a refused pairing says why, and what to do", ignore }, async () => {
  await withBrowser(async ({ browser, served }) => {
    const device = await open(await browser.newContext(), `${served.origin}/double`);
    await until(device.page, "globalThis.double !== undefined");
    const link = await device.page.evaluate("double.link") as string;
    await device.page.evaluate("double.refuse = 'claim_expired'");
    const { page } = await open(await browser.newContext(), `${served.origin}/#pair=${link}`);
    assert.match(await page.getByTestId("pairing-failed").innerText(), /expired[^]*porthole pair/);
    assert.equal(await page.evaluate("porthole.peerConnections"), 0);
  });
});

/** Waits until the camera's element shows pictures that move on. */
async function showsPictures(page: Page, camera: string): Promise<void> {
  const video = `document.querySelector("[data-testid=camera-${camera}]")`;
  await until(page, `${video}?.videoWidth > 0`);
  const before = await page.evaluate(`${video}.getVideoPlaybackQuality().totalVideoFrames`);
  await until(page, `${video}.getVideoPlaybackQuality().totalVideoFrames > ${before}`);
}

/** Whether a script could read the stored key out. */
const STORED_KEY = `new Promise((resolve) => {
  const opening = indexedDB.open("porthole");
  opening.onsuccess = () => {
    const asking = opening.result.transaction("keys").objectStore("keys").get("browser");
    asking.onsuccess = () => {
      const { privateKey, publicKey } = asking.result;
      opening.result.close();
      resolve("private " + privateKey.extractable + ", public " + publicKey.extractable);
    };
  };
})`;

function isError(line: string): boolean {
  return line.includes("Error");
}
