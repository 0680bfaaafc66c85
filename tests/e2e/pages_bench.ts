/**
 * The bench of the tests of unmodified pages: a service's page opened beside the device ("direct") and in the shell through
 * rendezvous, agent and tunnel, in Debian's Chromium and Firefox, with an edge between that counts what it should not see.
 */
import { type Browser as Firefox, launch } from "puppeteer-core";
import type { Browser, BrowserContext, Download, Page } from "playwright-core";
import { firefoxMissing, firefoxPath } from "../contract/firefox.ts";
import { chromiumMissing, launchChromium } from "./browser.ts";
import { untilLogged } from "./log_lines.ts";
import { CountingEdge } from "./pages_edge.ts";
import { PagesService, type ServedPages } from "./pages_service.ts";
import { runPorthole, startPorthole } from "./processes.ts";
import { freePort } from "./free_port.ts";

const HOST = "127.0.0.1";
const LIMIT_MS = 45_000;
const LOOK_EVERY_MS = 50;
const FIREFOX_PREFERENCES = {
  // Both ends are on this machine, which may have no other address.
  "media.peerconnection.ice.loopback": true,
  "media.peerconnection.ice.obfuscate_host_addresses": false,
  "app.update.enabled": false,
  "toolkit.telemetry.enabled": false,
  "browser.download.alwaysOpenPanel": false,
  "network.websocket.max-connections": 512, // of its own accord it opens 200 less those that other tabs have
  "network.websocket.delay-failed-reconnects": false, // a refused socket is one of the cases
  "browser.download.folderList": 2,
};

export type BrowserName = "chromium" | "firefox";

/** Why a browser is not there, if it is not; said on stderr as well, with what is skipped for that. */
export async function browserMissing(
  name: BrowserName,
  what: string,
): Promise<string | undefined> {
  const lack = name === "chromium" ? await chromiumMissing() : firefoxMissing();
  const line = new TextEncoder().encode(`${what} in ${name} are skipped: ${lack}\n`);
  if (lack !== undefined) Deno.stderr.writeSync(line);
  return lack;
}

/** As much of a tab as is used: both drivers have it. */
export interface Tab {
  goto(url: string): Promise<unknown>;
  close(): Promise<void>;
  evaluate(code: string): Promise<unknown>;
  click(selector: string): Promise<void>;
}

/** See the head of this file. Dispose of it. */
export class PagesBench implements AsyncDisposable {
  readonly #disposables = new AsyncDisposableStack();
  service!: PagesService; // these are set by `start`
  edge!: CountingEdge;
  tab!: Tab;
  #open!: () => Promise<Tab>;
  #service = "";
  /** Chromium's context, for what only playwright can see; undefined in Firefox. */
  context: BrowserContext | undefined;
  /** The agent's process. */
  agentPid = 0;
  /** Folder into which Firefox saves. */
  downloads = "";

  /** `site` is what content hosts end with. */
  static async start(
    name: BrowserName,
    { pages, site = "porthole.localhost" }: { pages: ServedPages; site?: string },
  ): Promise<PagesBench> {
    const bench = new PagesBench();
    try {
      await bench.#start(name, { pages, site });
      return bench;
    } catch (error) {
      await bench[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Opens a page of the service in a tab with the shell, in its frame. */
  async tunnel(path: string): Promise<void> {
    await this.tab.goto("about:blank");
    await this.tab.goto(`${this.#service}${path}`);
    await this.live();
  }

  /** Opens a page of the service in a tab of its own, straight from the service. */
  async direct(path: string): Promise<Tab> {
    const tab = await this.#open();
    await tab.goto(`${this.service.url}${path}`);
    return tab;
  }

  /** The next file that a browser saves. Call before what saves it. */
  async saved(limitMs: number): Promise<{ name: string; bytes: Uint8Array }> {
    if (this.context !== undefined) return await this.#savedByChromium(this.context, limitMs);
    const before = new Set(await this.#saved());
    const end = performance.now() + limitMs;
    while (performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      const names = await this.#saved();
      const partial = names.some((name) => name.endsWith(".part"));
      const name = names.find((name) => !before.has(name));
      if (name === undefined || partial) continue;
      const path = `${this.downloads}/${name}`;
      const bytes = await Deno.readFile(path);
      if (bytes.length === 0) continue;
      await Deno.remove(path);
      return { name, bytes };
    }
    throw new Error(`nothing was saved; there are: ${await this.#saved()}`);
  }

  async #saved(): Promise<string[]> {
    return (await Array.fromAsync(Deno.readDir(this.downloads))).map(({ name }) => name);
  }

  async #savedByChromium(context: BrowserContext, timeout: number) {
    const { promise, resolve, reject } = Promise.withResolvers<Download>();
    const timer = setTimeout(() => reject(new Error("nothing was saved")), timeout);
    const watched = new Set<Page>();
    const watch = (page: Page) => {
      if (!watched.has(page)) page.on("download", resolve);
      watched.add(page);
    };
    context.pages().forEach(watch);
    context.on("page", watch);
    try {
      const download = await promise;
      return {
        name: download.suggestedFilename(),
        bytes: await Deno.readFile(await download.path()),
      };
    } finally {
      clearTimeout(timer);
      context.off("page", watch);
      for (const page of watched) page.off("download", resolve);
    }
  }

  async live(tab = this.tab): Promise<void> {
    const end = performance.now() + LIMIT_MS;
    let state: unknown;
    while (state !== "live") {
      if (performance.now() > end) throw new Error(`the session is "${state}"`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      state = await tab.evaluate("globalThis.porthole?.state()");
    }
  }

  /** Waits until the shell shows an element. */
  async shown(selector: string): Promise<void> {
    const end = performance.now() + LIMIT_MS;
    const look = `document.querySelector(${JSON.stringify(selector)}) !== null`;
    while (await this.tab.evaluate(look) !== true) {
      if (performance.now() > end) throw new Error(`there is no ${selector}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#disposables.disposeAsync();
  }

  async #start(name: BrowserName, { pages, site }: { pages: ServedPages; site: string }) {
    const port = freePort();
    const state = await Deno.makeTempDir({ prefix: "porthole-pages-" });
    this.downloads = await Deno.makeTempDir({ prefix: "porthole-downloads-" });
    const own = this.#disposables;
    this.service = own.use(await PagesService.start(pages));
    this.edge = own.use(await CountingEdge.start(() => port));
    const shell = `http://porthole.localhost:${this.edge.port}`;
    const rendezvous = own.use(
      await startPorthole({
        args: [
          ...["rendezvous", "--listen", `${HOST}:${port}`, "--log", "debug", "--json"],
          ...["--origin", shell, "--content-origin", `http://*.${site}:${this.edge.port}`],
        ],
      }),
    );
    const agent = own.use(
      await startPorthole({
        args: [
          ...["run", "--state", state, "--rendezvous", `ws://${HOST}:${port}`, "--json"],
          ...["--service", `cases=${this.service.url}`],
        ],
      }),
    );
    this.agentPid = agent.child.pid;
    await untilLogged(rendezvous, "device.registered");
    const { stdout } = await runPorthole({ args: ["pair", "--state", state, "--json"] });
    this.#open = name === "chromium" ? await this.#chromium(own) : await this.#firefox(own);
    this.tab = await this.#open();
    await this.tab.goto(JSON.parse(stdout).url);
    await this.live();
    const href = String(await this.tab.evaluate("location.href"));
    const device = /#\/d\/([^/]+)/.exec(href)?.[1];
    this.#service = `${shell}/#/d/${device}/s/cases`;
  }

  async #chromium(own: AsyncDisposableStack): Promise<() => Promise<Tab>> {
    const browser: Browser = own.use(await launchChromium());
    const context = await browser.newContext({ acceptDownloads: true });
    this.context = context;
    return async () => {
      const page: Page = await context.newPage();
      page.setDefaultTimeout(LIMIT_MS);
      return page;
    };
  }

  async #firefox(own: AsyncDisposableStack): Promise<() => Promise<Tab>> {
    const browser: Firefox = await launch({
      browser: "firefox",
      executablePath: firefoxPath(),
      headless: true,
      timeout: LIMIT_MS,
      protocolTimeout: LIMIT_MS,
      extraPrefsFirefox: { ...FIREFOX_PREFERENCES, "browser.download.dir": this.downloads },
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
    own.defer(() => browser.close());
    return async () => {
      const page = await browser.newPage();
      page.setDefaultTimeout(LIMIT_MS);
      return page;
    };
  }
}
