/** Debian's Chromium and Firefox through as much as both drivers have in common: tabs, and code in them and in their frames. */
import { launch } from "puppeteer-core";
import { firefoxMissing, firefoxPath } from "../contract/firefox.ts";
import { chromiumMissing, launchChromium } from "./browser.ts";

const LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 50;
const FIREFOX_PREFERENCES = {
  // Both ends are on this machine, which may have no other address.
  "media.peerconnection.ice.loopback": true,
  "media.peerconnection.ice.obfuscate_host_addresses": false,
  "app.update.enabled": false,
  "toolkit.telemetry.enabled": false,
};

export type BrowserName = "chromium" | "firefox";

/** Why a browser is not there, if it is not. */
export async function browserMissing(name: BrowserName): Promise<string | undefined> {
  return name === "chromium" ? await chromiumMissing() : firefoxMissing();
}

/** A document: a tab's own, or that of a frame in it. The code is the browser's, its types are not ours. */
export interface Scene {
  url(): string;
  evaluate(code: string): Promise<unknown>;
}

/** A tab. */
export interface Tab extends Scene {
  goto(url: string): Promise<unknown>;
  reload(): Promise<unknown>;
  close(): Promise<void>;
  frames(): readonly Scene[];
}

/** A browser with a new profile. Dispose of it. */
export interface EitherBrowser extends AsyncDisposable {
  newTab(): Promise<Tab>;
}

/** Starts one. */
export async function launchEither(name: BrowserName): Promise<EitherBrowser> {
  if (name === "chromium") {
    const browser = await launchChromium();
    const context = await browser.newContext();
    return {
      newTab: () => context.newPage(),
      [Symbol.asyncDispose]: () => browser.close(),
    };
  }
  const browser = await launch({
    browser: "firefox",
    executablePath: firefoxPath(),
    headless: true,
    timeout: LIMIT_MS,
    protocolTimeout: LIMIT_MS,
    extraPrefsFirefox: FIREFOX_PREFERENCES,
    handleSIGINT: false, // the tests' own end is not puppeteer's business
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
  return { newTab: () => browser.newPage(), [Symbol.asyncDispose]: () => browser.close() };
}

/** Waits until a question is answered with something; the limit is a failure, not a verdict. */
export async function awaited<T>(
  what: string,
  question: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const end = performance.now() + LIMIT_MS;
  for (;;) {
    const answer = await Promise.resolve().then(question).catch(() => undefined); // a document may be on its way out
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`Cannot go on: waited for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
