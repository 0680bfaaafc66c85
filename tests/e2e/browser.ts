/** The real browser of the end-to-end tests: Debian's Chromium, headless, driven by playwright-core. */
import { type Browser, chromium } from "playwright-core";
import { exists } from "./checkout.ts";

const LAUNCH_LIMIT_MS = 60_000;

/** What keeps a test browser quiet on the network and alive in a container. */
const SWITCHES = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Instead of playwright's own list: that one holds ThirdPartyStoragePartitioning, and with it frames of another site get
 * no storage at all (localStorage throws), unlike in people's browsers. Chromium reads only the last
 * `--disable-features`.
 */
const DISABLED_FEATURES = [
  "AvoidUnnecessaryBeforeUnloadCheckSync",
  "DestroyProfileOnBrowserClose",
  "HttpsUpgrades",
  "HttpsFirstBalancedModeAutoEnable",
  "MediaRouter",
  "PaintHolding",
  "OptimizationHints",
  "NetworkTimeServiceQuerying",
];

export interface ChromiumOptions {
  readonly args?: readonly string[];
  /** Network namespace to run in (`two_hosts.ts`). */
  readonly netns?: string | undefined;
  /** More of Chromium's features to switch off, such as "WebRtcHideLocalIpsWithMdns". */
  readonly disabledFeatures?: readonly string[];
}

/** Path of the browser: the environment variable CHROMIUM, else Debian's. */
export function chromiumPath(): string {
  return Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium";
}

/** Why there is no browser on this machine; undefined if there is one. For `Deno.test({ ignore })`. */
export async function chromiumMissing(): Promise<string | undefined> {
  return await exists(chromiumPath())
    ? undefined
    : `no browser at ${chromiumPath()}: run cross/setup_tests.sh or set CHROMIUM`;
}

/** The command line of a test's Chromium. */
export function chromiumSwitches(options: ChromiumOptions = {}): string[] {
  const { args = [], disabledFeatures = [] } = options;
  const features = [...DISABLED_FEATURES, ...disabledFeatures].join(",");
  return [...SWITCHES, `--disable-features=${features}`, ...args];
}

/** Starts a browser. Dispose of it (`await using`) or call `close`. */
export async function launchChromium(options: ChromiumOptions = {}): Promise<Browser> {
  const { netns } = options;
  const wrapper = netns === undefined ? undefined : await netnsWrapper(netns);
  try {
    return await chromium.launch({
      executablePath: wrapper ?? chromiumPath(),
      args: chromiumSwitches(options),
      timeout: LAUNCH_LIMIT_MS,
      handleSIGINT: false, // the tests' own end is not playwright's business
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
  } finally {
    if (wrapper !== undefined) await Deno.remove(wrapper);
  }
}

/** A program that starts the browser in a namespace: playwright takes a path, not a command line. */
async function netnsWrapper(netns: string): Promise<string> {
  const path = await Deno.makeTempFile({ prefix: "chromium-", suffix: ".sh" });
  await Deno.writeTextFile(path, `#!/bin/sh\nexec ip netns exec ${netns} ${chromiumPath()} "$@"\n`);
  await Deno.chmod(path, 0o755);
  return path;
}
