/** Both engines behind one interface: puppeteer-core drives Chromium over its own protocol and Firefox over WebDriver BiDi. */
import { type Browser, launch } from "puppeteer-core";
import { firefoxMissing, launchFirefox } from "../contract/firefox.ts";
import { chromiumMissing, chromiumPath, chromiumSwitches } from "./browser.ts";

const LAUNCH_LIMIT_MS = 60_000;
/** How long one call into a page may take, in ms. */
const CALL_LIMIT_MS = 60_000;

export type EngineName = "Chromium" | "Firefox";

export interface Engine {
  readonly name: EngineName;
  /** Why it cannot run on this machine; undefined if it can. */
  readonly lack: string | undefined;
  /** Starts it with a profile of its own. The caller closes it. */
  launch(): Promise<Browser>;
}

export const ENGINES: readonly Engine[] = [
  { name: "Chromium", lack: await chromiumMissing(), launch: launchChromium },
  { name: "Firefox", lack: firefoxMissing(), launch: launchFirefox },
];

/** puppeteer's own switches are left out: they change which frames get processes of their own. */
async function launchChromium(): Promise<Browser> {
  return await launch({
    browser: "chrome",
    executablePath: chromiumPath(),
    ignoreDefaultArgs: true,
    args: chromiumSwitches(),
    timeout: LAUNCH_LIMIT_MS,
    protocolTimeout: CALL_LIMIT_MS,
    handleSIGINT: false, // the tests' own end is not puppeteer's business
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
}
