/**
 * The HTTP cache of the content origin in real browsers with the real program between: a reload moves only what changed,
 * and what the device says of its answers is done (RFC 9111). What counts is what reaches the device.
 */
import assert from "node:assert/strict";
import { CacheService, FILES } from "./cache_service.ts";
import {
  awaited,
  browserMissing,
  type BrowserName,
  launchEither,
  type Scene,
  type Tab,
} from "./either_browser.ts";
import { startPorthole } from "./processes.ts";

const MEGABYTE = 1 << 20;

/** Waits for the page of files in the shell's frame. */
async function loaded(tab: Tab, shell: string): Promise<Scene> {
  return await awaited("the page of files", async () => {
    for (const frame of tab.frames()) {
      const isPage = frame.url().startsWith("http") && !frame.url().startsWith(shell) &&
        new URL(frame.url()).pathname === "/";
      if (isPage && await frame.evaluate("document.title") === `loaded ${FILES}`) return frame;
    }
    return undefined;
  });
}

/** Status and text of a fetch in the page, or the name of its error. */
async function get(scene: Scene, path: string, init: object = {}): Promise<unknown> {
  return await scene.evaluate(
    `fetch("${path}", ${JSON.stringify(init)})
      .then(async (r) => r.status + " " + (await r.text()).slice(0, 40)).catch((e) => e.name)`,
  );
}

/** Bytes of all bodies in the store, as the page's own origin sees them. */
const STORED_BYTES = `new Promise((resolve, reject) => {
  const request = indexedDB.open("porthole-http");
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    const heads = request.result.transaction("heads").objectStore("heads").getAll();
    heads.onsuccess = () => {
      request.result.close();
      resolve(heads.result.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0));
    };
  };
})`;

for (const name of ["chromium", "firefox"] satisfies BrowserName[]) {
  const lack = await browserMissing(name);
  if (lack !== undefined) {
    Deno.stderr.writeSync(new TextEncoder().encode(`the cache in ${name} is skipped: ${lack}\n`));
  }
  Deno.test({
    name: `the cache keeps what a device lets it keep, in ${name}`,
    ignore: lack !== undefined,
    sanitizeOps: false, // the drivers keep handles of their own until the process ends
    sanitizeResources: false,
    fn: (t) => run(t, name),
  });
}

async function run(t: Deno.TestContext, name: BrowserName): Promise<void> {
  await using service = await CacheService.start();
  await using demo = await startPorthole({
    args: ["demo", "--port", "0", "--json", "--service", `files=${service.url}`],
  });
  await using browser = await launchEither(name);
  const { pair, device, shell } = demo.ready as Record<string, string>;
  const tab = await browser.newTab();
  const isLive = () => tab.evaluate("globalThis.porthole?.state() === 'live'") as Promise<boolean>;
  await tab.goto(pair!);
  await awaited("the session", isLive);
  await tab.goto("about:blank");
  await tab.goto(`${shell}#/d/${device}/s/files/`);
  let page = await loaded(tab, shell!);

  await t.step("the first visit asks for all", () => {
    assert.equal(service.asked.length, 3 * FILES + 1);
    assert.ok(service.asked.every((line) => line.endsWith(" 200")));
  });

  await t.step("a reload of the tab moves nothing that did not change", async () => {
    service.reset();
    await tab.reload();
    page = await loaded(tab, shell!);
    assert.equal(service.bytes, 0);
    assert.deepEqual(service.askedFor("/script/"), []);
    assert.equal(service.askedFor("/style/").length, FILES);
    assert.ok(service.asked.every((line) => line.endsWith(" 304")), service.asked.join());
  });

  await t.step("a reload moves only what changed", async () => {
    service.reset();
    for (const number of [3, 7]) service.touch(`/style/${number}`);
    await tab.reload();
    page = await loaded(tab, shell!);
    const moved = service.asked.filter((line) => line.endsWith(" 200")).sort();
    assert.deepEqual(moved, ["GET /style/3 200", "GET /style/7 200"]);
    assert.equal(
      await page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--v3')"),
      "2",
    );
  });

  await t.step("a reload of the page itself does not ask for what is immutable", async () => {
    service.reset();
    await page.evaluate("document.title = 'old'");
    await page.evaluate("void setTimeout(() => location.reload())");
    page = await loaded(tab, shell!);
    assert.equal(service.bytes, 0);
    assert.deepEqual(service.askedFor("/script/"), []);
  });

  await t.step("no-store is asked for each time and kept nowhere", async () => {
    service.reset();
    for (let count = 0; count < 2; count++) await get(page, "/no-store");
    assert.deepEqual(service.asked, Array(2).fill("GET /no-store 200"));
  });

  await t.step("fresh answers are not asked for, and each cache mode does its own", async () => {
    service.reset();
    const seen: unknown[] = [];
    for (const cache of ["default", "default", "force-cache", "no-cache", "reload", "no-store"]) {
      seen.push(await get(page, "/plain", { cache }));
    }
    assert.deepEqual(seen, Array(6).fill("200 kept"));
    assert.equal(service.asked.length, 4);
    const wanted = { cache: "only-if-cached", mode: "same-origin" };
    assert.equal(await get(page, "/plain", wanted), "200 kept");
    assert.equal(await get(page, "/unknown", wanted), "TypeError");
    assert.equal(service.asked.length, 4);
  });

  await t.step("Vary tells answers apart", async () => {
    service.reset();
    const accept = (value: string) => get(page, "/vary", { headers: { accept: value } });
    assert.equal(await accept("text/a"), "200 text/a");
    assert.equal(await accept("text/b"), "200 text/b");
    assert.equal(await accept("text/a"), "200 text/a");
    assert.equal(await accept("text/b"), "200 text/b");
    assert.equal(service.asked.length, 2);
  });

  await t.step("a POST makes its path doubtful", async () => {
    assert.equal(await get(page, "/item"), "200 1");
    assert.equal(await get(page, "/item", { method: "POST", body: "x" }), "204 ");
    assert.equal(await get(page, "/item"), "200 2");
  });

  await t.step("a body that is cut is not kept", async () => {
    assert.match(String(await get(page, "/cut")), /Error/);
    assert.equal(await get(page, "/cut"), "200 whole");
    assert.equal(await get(page, "/cut"), "200 whole");
    assert.deepEqual(service.askedFor("/cut"), ["GET /cut cut", "GET /cut 200"]);
  });

  await t.step("what is stored has bounds: 8 MB for a body, 64 MB in all", async () => {
    const load = `(async () => {
      for (let n = 0; n < 10; n++) {
        await (await fetch("/large/" + n + "?bytes=" + ${7 * MEGABYTE})).arrayBuffer();
      }
      await (await fetch("/large/10?bytes=" + ${9 * MEGABYTE})).arrayBuffer();
    })()`;
    await page.evaluate(load);
    service.reset();
    await get(page, `/large/9?bytes=${7 * MEGABYTE}`);
    assert.deepEqual(service.asked, [], "the last one is kept");
    await get(page, `/large/10?bytes=${9 * MEGABYTE}`);
    assert.equal(service.asked.length, 1, "one that is too long is not");
    const bytes = Number(await page.evaluate(STORED_BYTES));
    assert.ok(bytes > 50 * MEGABYTE && bytes <= 64 * MEGABYTE, `${bytes}`);
  });

  await t.step("without a session nothing is served", async () => {
    await get(page, "/plain");
    assert.equal(await get(page, "/plain", { cache: "force-cache" }), "200 kept");
    assert.equal((await demo.stop()).code, 0);
    await awaited("the end of the session", async () => !await isLive());
    const modes = ["default", "force-cache"];
    const seen = await Promise.all(modes.map((cache) => get(page, "/plain", { cache })));
    for (const answer of seen) assert.match(String(answer), /^503 /);
  });
}
