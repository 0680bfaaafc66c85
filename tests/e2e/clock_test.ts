/**
 * A device that does not know the time, as a program: `run` with `clock = "auto"` where nothing keeps the system's clock
 * right, and with a system clock of the year 2000 or 2099. Owners come in and tell the time; guests who were in time
 * before wait for that and read "time unknown"; guests whose time is over stay out. The rules themselves are tested with
 * clocks of their own in `src/control/clock_test.ts` and `guests_test.ts`.
 */
import assert from "node:assert/strict";
import { adminRequest } from "../../src/control/admin_client.ts";
import { chromiumMissing, launchChromium } from "./browser.ts";
import { exists } from "./checkout.ts";
import { Home } from "./home.ts";
import { logged, type LogLine, untilLogged } from "./log_lines.ts";
import type { Shell } from "./shell.ts";
import { clockAt, wrongClockMissing } from "./wrong_clock.ts";

const SYNCHRONISED_FILE = "/run/systemd/timesync/synchronized";
/** Long enough to open a link on a loaded machine. */
const BRIEF_SECONDS = 20;

const lack = await chromiumMissing() ??
  (await exists(SYNCHRONISED_FILE)
    ? "systemd-timesyncd keeps this machine's clock right"
    : undefined);
const noWrongClock = await wrongClockMissing();
for (const reason of [lack, noWrongClock]) {
  if (reason) Deno.stderr.writeSync(new TextEncoder().encode(`clocks are skipped: ${reason}\n`));
}

// Playwright keeps handles of its own until the process ends: sanitizers would count them.
const OPTIONS = { ignore: lack !== undefined, sanitizeOps: false, sanitizeResources: false };

Deno.test(
  "a device that does not know the time lets owners in, and guests once one came",
  OPTIONS,
  async (t) => {
    await using home = await Home.start({ clock: "auto" });
    await using browser = await launchChromium();
    const clock = async () => (await home.ask("status")).clock;
    assert.equal(await clock(), "unknown");
    const owner = await home.person(browser, String((await home.ask("pair")).url));
    await owner.state("live");
    assert.equal(await clock(), "attested");

    const over = await Over.make(home, (link) => home.person(browser, link));
    const lend = async () => String((await home.ask("lend", "--scope", "ui", "--for", "1h")).url);
    const links = { "no word of the time": await lend(), "the year 2000": "", "the year 2099": "" };
    const cases = [
      { name: "no word of the time", env: {}, ignore: false },
      { name: "the year 2000", env: clockAt(2000), ignore: noWrongClock !== undefined },
      { name: "the year 2099", env: clockAt(2099), ignore: noWrongClock !== undefined },
    ] as const;
    for (const { name } of cases.slice(1)) links[name] = await lend();

    for (const { name, env, ignore } of cases) {
      await t.step({
        name: `after a restart with ${name}`,
        ignore,
        sanitizeOps: false,
        sanitizeResources: false,
        fn: async () => {
          await owner.page.goto("about:blank");
          await over.leave();
          await home.stopDevice();
          await home.startDevice(env);
          assert.equal(await clock(), "unknown");

          const guest = await home.person(browser, links[name]);
          await guest.waitForText(/does not know the time yet/);
          assert.doesNotMatch(await guest.text(), /expired|is over/);
          await over.staysOut();
          assert.equal(await clock(), "unknown", "guests told the time");

          await owner.page.goto(home.address());
          await owner.state("live");
          assert.equal(await clock(), "attested");
          await guest.state("live"); // it has tried again by itself
          await guest.openService("ui");
          await over.staysOut();
          const [first, last] = [(await home.audit()).at(0), (await home.audit()).at(-1)];
          const passed = Date.parse(String(last?.at)) - Date.parse(String(first?.at));
          assert.ok(passed >= 0 && passed < 3600_000, `the log spans ${passed} ms`);
          await guest.page.context().close();
        },
      });
    }
    assert.deepEqual(owner.problems, []);
  },
);

/** A guest whose time is over. */
class Over {
  readonly #home: Home;
  readonly #shell: Shell;

  private constructor(home: Home, shell: Shell) {
    this.#home = home;
    this.#shell = shell;
  }

  static async make(home: Home, open: (link: string) => Promise<Shell>): Promise<Over> {
    const { url } = await adminRequest(home.state, {
      method: "POST",
      path: "/lend",
      body: { services: ["ui"], cameras: [], operations: ["view"], for: BRIEF_SECONDS, uses: 1 },
    });
    const shell = await open(String(url));
    await shell.state("live");
    await shell.waitForText(/time for which this was lent is over/);
    return new Over(home, shell);
  }

  async leave(): Promise<void> {
    await this.#shell.page.goto("about:blank");
  }

  /** Comes again, and reads that its time is over, whatever the device knows of the time. */
  async staysOut(): Promise<void> {
    const isRefusal = ({ reason }: LogLine) => reason === "grant_expired";
    const before = logged(this.#home.device, "admission.refused").filter(isRefusal).length;
    await this.leave();
    await this.#shell.page.goto(this.#home.address());
    await untilLogged(this.#home.device, "admission.refused", (line) =>
      isRefusal(line) &&
      logged(this.#home.device, "admission.refused").filter(isRefusal).length > before);
    await this.#shell.waitForText(/time for which this was lent is over/);
  }
}
