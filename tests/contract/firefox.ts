/** The other real browser of the tests: Debian's Firefox ESR, headless, driven by puppeteer-core over WebDriver BiDi. */
import { type Browser, launch } from "puppeteer-core";

const LAUNCH_LIMIT_MS = 60_000;
/** How long one call into a page may take, in ms: a transfer of megabytes on a loaded machine. */
const CALL_LIMIT_MS = 60_000;
const PREFERENCES = {
  // Both ends are on this machine, which may have no other address.
  "media.peerconnection.ice.loopback": true,
  "media.peerconnection.ice.obfuscate_host_addresses": false,
  "app.update.enabled": false,
  "toolkit.telemetry.enabled": false,
};

/** Path of the browser: the environment variable FIREFOX, else Debian's. */
export function firefoxPath(): string {
  return Deno.env.get("FIREFOX") ?? "/usr/bin/firefox-esr";
}

/** Why there is no Firefox on this machine; undefined if there is one. */
export function firefoxMissing(): string | undefined {
  try {
    if (Deno.statSync(firefoxPath()).isFile) return undefined;
  } catch {
    // Told below.
  }
  return `no browser at ${firefoxPath()}: run cross/setup_tests.sh or set FIREFOX`;
}

/** Starts a browser with a profile of its own. The caller closes it. */
export async function launchFirefox(): Promise<Browser> {
  const wrapper = await siteProcesses();
  try {
    return await launch({
      browser: "firefox",
      executablePath: wrapper,
      headless: true,
      timeout: LAUNCH_LIMIT_MS,
      protocolTimeout: CALL_LIMIT_MS,
      extraPrefsFirefox: PREFERENCES,
      handleSIGINT: false, // the tests' own end is not puppeteer's business
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
  } finally {
    await Deno.remove(wrapper);
  }
}

/**
 * A program that starts the browser with a process for every site, as people's browsers have them: puppeteer writes the
 * opposite into each profile, and lets no preference of its caller change that.
 */
async function siteProcesses(): Promise<string> {
  const path = await Deno.makeTempFile({ prefix: "firefox-", suffix: ".sh" });
  const script = `#!/bin/sh
for word in "$@"; do
  case "$before" in
    -profile|--profile) echo 'user_pref("fission.webContentIsolationStrategy", 1);' >> "$word/user.js" ;;
  esac
  before=$word
done
exec '${firefoxPath()}' "$@"
`;
  await Deno.writeTextFile(path, script);
  await Deno.chmod(path, 0o755);
  return path;
}
