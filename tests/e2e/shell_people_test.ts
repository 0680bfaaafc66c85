/** Lending in a real Chromium: owner's page, guest's page and a device double, through the true handshake and tokens. */
import assert from "node:assert/strict";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { type Served, serveShell } from "../../web/shell/testing/serve.ts";
import { chromiumMissing, launchChromium } from "./browser.ts";
import { readQr } from "./qr_reader.ts";

const LIMIT_MS = 20_000; // one shared core at its busiest
const LOOK_EVERY_MS = 50;
const NO_MDNS = ["WebRtcHideLocalIpsWithMdns"]; // there is no mDNS responder in a container

const lack = await chromiumMissing();
const ignore = lack !== undefined;
if (ignore) Deno.stderr.writeSync(new TextEncoder().encode(`lending is skipped: ${lack}\n`));

interface Rig {
  readonly browser: Browser;
  readonly served: Served;
  /** The device double's page. */
  readonly device: Page;
  /** An owner's page, live. */
  readonly owner: Page;
  readonly id: string;
  /** What any page of the shell complained about. */
  readonly said: string[];
}

async function withOwner(work: (rig: Rig) => Promise<void>): Promise<void> {
  const served = await serveShell();
  const browser = await launchChromium({ disabledFeatures: NO_MDNS });
  const said: string[] = [];
  try {
    const device = await open(await browser.newContext(), { url: `${served.origin}/double`, said });
    await until(device, "globalThis.double !== undefined");
    const link = await device.evaluate("double.link") as string;
    const id = await device.evaluate("double.device") as string;
    const owner = await open(await browser.newContext(), {
      url: `${served.origin}/#pair=${link}`,
      said,
    });
    await isLive(owner);
    await work({ browser, served, device, owner, id, said });
    assert.deepEqual(said, []);
    const log = await device.evaluate("double.log") as string[];
    assert.deepEqual(log.filter((line) => line.includes("Error")), []);
  } finally {
    await browser.close();
    await served.close();
  }
}

async function open(
  context: BrowserContext,
  { url, said }: { url: string; said: string[] },
): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(LIMIT_MS);
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) said.push(message.text());
  });
  page.on("pageerror", (error) => said.push(error.message));
  page.on("dialog", (dialog) => void dialog.accept());
  await page.goto(url);
  return page;
}

/** Playwright's own `waitForFunction` needs `eval`, which the CSP forbids. */
async function until(page: Page, expression: string): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  while (!await page.evaluate(expression)) {
    assert.ok(Date.now() < deadline, `never came true: ${expression}`);
    await page.waitForTimeout(LOOK_EVERY_MS);
  }
}

const isLive = (page: Page) => until(page, "porthole.state() === 'live'");

/** Lends the front camera to one browser for an hour; gives the link. */
async function lendFront({ owner, served, id }: Rig): Promise<string> {
  await owner.goto(`${served.origin}/#/d/${id}/lend`);
  await owner.getByTestId("lend-camera-front").check();
  await owner.getByTestId("lend-label").fill("Plumber");
  await owner.getByRole("button", { name: "Make the link" }).click();
  return await owner.getByTestId("link").inputValue();
}

Deno.test(
  { name: "a lent camera is one link away, and nothing else is there", ignore },
  async () => {
    await withOwner(async (rig) => {
      const { browser, owner, served, id, said } = rig;
      const link = await lendFront(rig);
      assert.ok(link.startsWith(`${served.origin}/#borrow=`));
      assert.match(await owner.getByTestId("arrivals").innerText(), /Nobody/);

      const guests = await browser.newContext();
      const guest = await open(guests, { url: link, said });
      await isLive(guest);
      assert.equal(guest.url(), `${served.origin}/#/d/${id}`);
      await guest.getByTestId("camera-front").waitFor();
      assert.equal(await guest.getByTestId("camera-yard").count(), 0);
      assert.equal(await guest.getByTestId("service-card-ui").count(), 0);
      assert.match(
        await guest.getByTestId("loan").innerText(),
        /You may look\.\s*Ends in (59 min|1 h)/,
      );
      assert.equal(await guest.getByTestId("lend").count(), 0);
      assert.match(await owner.getByTestId("arrivals").innerText(), /^Opened by .*Chrome/);

      await guest.goto(`${served.origin}/#/d/${id}/people`);
      await guest.getByTestId("owners-only").waitFor();
      await guest.goto(`${served.origin}/#/`);
      assert.match(await guest.getByTestId("device-card").innerText(), /Lent to you, ends/);
      await guest.goto(`${served.origin}/#/d/${id}`);
      await guest.reload();
      await isLive(guest);

      const late = await open(await browser.newContext(), { url: link, said });
      assert.match(await late.getByTestId("borrowing-failed").innerText(), /used already/);
      await owner.goto(`${served.origin}/#pair`); // not an address
      await owner.goto(link);
      assert.match(await owner.getByTestId("borrowing-owned").innerText(), /was not used/);
    });
  },
);

Deno.test({ name: "an owner ends what was lent, and the guest reads why", ignore }, async () => {
  await withOwner(async (rig) => {
    const { browser, owner, served, id, said } = rig;
    const guest = await open(await browser.newContext(), { url: await lendFront(rig), said });
    await isLive(guest);

    await owner.goto(`${served.origin}/#/d/${id}/people`);
    await owner.getByTestId("session-guest").getByRole("button").click();
    assert.match(await guest.getByTestId("ended").innerText(), /An owner ended this session/);
    await guest.getByRole("button", { name: "Connect again" }).click();
    await isLive(guest);

    await owner.getByTestId("grant-used").getByRole("button").click();
    await guest.getByText("has ended this before its time").waitFor();
    assert.equal(await guest.locator("video").count(), 0);
    await guest.goto(`${served.origin}/#/`);
    assert.match(await guest.getByTestId("device-card").innerText(), /has ended this/);
    await guest.getByTestId("device-card").click();
    await guest.getByTestId("ended").waitFor();
  });
});

Deno.test({ name: "each way in which a grant ends has words of its own", ignore }, async () => {
  await withOwner(async (rig) => {
    const { browser, device, said } = rig;
    const link = await lendFront(rig);
    const guest = await open(await browser.newContext(), { url: link, said });
    for (
      const [code, words] of [["expired", /time .* is over/], ["removed", /no longer an owner/]]
    ) {
      await isLive(guest);
      await device.evaluate(`double.endGuests("${code}")`);
      await guest.getByTestId("ended").getByText(words as RegExp).waitFor();
      await guest.reload(); // the double's grant still holds
    }
  });
});

Deno.test({ name: "a second owner's browser is added by a QR code", ignore }, async () => {
  await withOwner(async ({ browser, owner, served, id, said }) => {
    await owner.getByTestId("check-number").waitFor();
    assert.match(await owner.getByTestId("check-number").innerText(), /^\d{3} \d{3}$/);
    await owner.getByRole("button", { name: "Done" }).click();
    await owner.getByTestId("second-owner-note").getByRole("link").click();
    await owner.getByTestId("alone").waitFor();
    await owner.getByTestId("add-owner").click();
    const link = await owner.getByTestId("link").inputValue();
    assert.equal(await readQr(owner), link);
    const second = await open(await browser.newContext(), { url: link, said });
    await isLive(second);
    await owner.getByText("Chrome on Linux became an owner.").waitFor();
    assert.equal(await owner.getByTestId("owner").count(), 2);
    await second.goto(`${served.origin}/#/d/${id}/people`);
    assert.equal(await second.getByText("this browser", { exact: true }).count(), 1);
  });
});

Deno.test({ name: "a device whose log went back is told apart", ignore }, async () => {
  await withOwner(async ({ device, owner }) => {
    await until(owner, SEEN_HEAD);
    await device.evaluate("double.audit = { sequence: 3, hash: new Uint8Array(32) }");
    await owner.reload();
    await owner.getByTestId("history-note").getByText("has forgotten").waitFor();
    await owner.reload();
    await owner.getByTestId("history-note").getByRole("button").click();
    await owner.getByTestId("history-note").waitFor({ state: "detached" });
    await owner.reload();
    await isLive(owner);
    await owner.getByTestId("people").waitFor();
    assert.equal(await owner.getByTestId("history-note").count(), 0);
  });
});

Deno.test({ name: "an owner is told that the browser may delete its key", ignore }, async () => {
  await withOwner(async ({ owner, served, id }) => {
    assert.equal(await owner.evaluate("navigator.storage.persisted()"), false);
    await owner.goto(`${served.origin}/#/d/${id}/people`);
    const note = owner.getByTestId("kept-note");
    assert.match(await note.innerText(), /may delete its key/);
    await note.getByRole("button", { name: "Ask it to keep the key" }).click();
    await note.getByText("The browser did not agree").waitFor(); // a new profile has no reason to
  });
});

Deno.test(
  { name: "a browser without Ed25519 is told so, and nothing weaker is made", ignore },
  async () => {
    const served = await serveShell();
    const browser = await launchChromium({ disabledFeatures: NO_MDNS });
    try {
      const context = await browser.newContext();
      const device = await open(context, { url: `${served.origin}/double`, said: [] });
      await until(device, "globalThis.double !== undefined");
      const link = await device.evaluate("double.link") as string;
      await context.addInitScript(withoutEd25519);
      const shell = await open(context, { url: `${served.origin}/#pair=${link}`, said: [] });
      assert.match(await shell.getByTestId("obstacle").innerText(), /too old.*Ed25519/s);
      assert.deepEqual(await shell.evaluate("keysAskedFor"), ["Ed25519"]);
      assert.equal(await device.evaluate("double.sessions"), 0);
    } finally {
      await browser.close();
      await served.close();
    }
  },
);

Deno.test({ name: "devices of an earlier shell stay, and are owned", ignore }, async () => {
  const served = await serveShell();
  const browser = await launchChromium({ disabledFeatures: NO_MDNS });
  const said: string[] = [];
  try {
    const context = await browser.newContext();
    // A page of the same origin that does not open the database.
    const blank = await open(context, { url: `${served.origin}/icon.svg`, said: [] });
    await blank.evaluate(OLD_DATABASE);
    const before = await open(context, { url: served.origin, said });
    assert.match(await before.getByTestId("device-card").innerText(), /Old gate/);
    assert.deepEqual(await before.evaluate(STORED_ROLE), ["owner", 2]);
    assert.deepEqual(said, []);
  } finally {
    await browser.close();
    await served.close();
  }
});

/** Whether an entry of the log is on disk. */
const SEEN_HEAD = `new Promise((resolve) => {
  const opening = indexedDB.open("porthole");
  opening.onsuccess = () => {
    const asking = opening.result.transaction("devices").objectStore("devices").getAll();
    asking.onsuccess = () => {
      opening.result.close();
      resolve(asking.result[0]?.auditHead !== undefined);
    };
  };
})`;

/** Runs in the page before anything of it: WebCrypto as browsers had it until 2023. */
function withoutEd25519(): void {
  // deno-lint-ignore no-explicit-any -- browser types do not exist on this side
  const scope = globalThis as any;
  if (scope.SubtleCrypto === undefined) return;
  scope.keysAskedFor = [];
  scope.SubtleCrypto.prototype.generateKey = (algorithm: string | { name: string }) => {
    scope.keysAskedFor.push(typeof algorithm === "string" ? algorithm : algorithm.name);
    return Promise.reject(new DOMException("Unrecognized name.", "NotSupportedError"));
  };
}

/** As version 1 of the shell left it. */
const OLD_DATABASE = `new Promise((resolve, reject) => {
  const opening = indexedDB.open("porthole", 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore("keys");
    opening.result.createObjectStore("devices", { keyPath: "id" }).put({
      id: "abcdefghijklmnopqrstuvwxyz", name: "Old gate", publicKey: new Uint8Array(32),
      pairedAt: 1, lastSeen: 1,
    });
  };
  opening.onsuccess = () => { opening.result.close(); resolve(); };
  opening.onerror = () => reject(opening.error);
})`;

const STORED_ROLE = `new Promise((resolve) => {
  const opening = indexedDB.open("porthole");
  opening.onsuccess = () => {
    const asking = opening.result.transaction("devices").objectStore("devices").getAll();
    asking.onsuccess = () => {
      const version = opening.result.version;
      opening.result.close();
      resolve([asking.result[0].role, version]);
    };
  };
})`;
