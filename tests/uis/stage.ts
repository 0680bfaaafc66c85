/**
 * The whole road to a device's UI, as a person travels it: a rendezvous, an agent that has the UI as its service, a paired
 * browser, the shell, and the UI in its frame. In front of the rendezvous stands an edge that writes down what it should
 * not see; `finish` says so, and what the browser's console had to complain about goes to stderr.
 */
import assert from "node:assert/strict";
import type { Browser, Frame, Locator, Page } from "playwright-core";
import { launchChromium } from "../e2e/browser.ts";
import { inCheckout } from "../e2e/checkout.ts";
import { logged, untilLogged } from "../e2e/log_lines.ts";
import { CountingEdge } from "../e2e/pages_edge.ts";
import { type Porthole, runPorthole, startPorthole } from "../e2e/processes.ts";
import { Shell } from "../e2e/shell.ts";
import { freePort } from "../e2e/free_port.ts";

const HOST = "127.0.0.1";
const OUT = inCheckout("tests/uis/out");
/** How long anything in a UI may take on a loaded machine: some are large. */
const LIMIT_MS = 120_000;
/** Lines of a console that are shown; some UIs write one a second. */
const SHOWN_LINES = 20;

/** See the head of this file. Dispose of it. */
export class Stage implements AsyncDisposable {
  readonly #own = new AsyncDisposableStack();
  readonly #name: string;
  readonly #complaints: string[] = [];
  #rendezvous!: Porthole; // these are set by `start`
  edge!: CountingEdge;
  /** Opens the shell and makes the browser an owner. Once. */
  pairUrl!: string;
  shell!: Shell;

  private constructor(name: string) {
    this.#name = name;
  }

  /** `name` is the service's id and that of the screenshots; `url` is where the UI is. */
  static async start(name: string, url: string): Promise<Stage> {
    const stage = await Stage.startRoad(name, url);
    try {
      const browser: Browser = stage.#own.use(await launchChromium());
      stage.shell = await Shell.open(browser, stage.pairUrl);
      stage.shell.page.setDefaultTimeout(LIMIT_MS);
      stage.#listen(stage.shell.page);
      await stage.shell.state("live");
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Without a browser. */
  static async startRoad(name: string, url: string): Promise<Stage> {
    const stage = new Stage(name);
    try {
      await stage.#startRoad(url);
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Opens the UI from its card; `path` is where in it. */
  async open(path = "/"): Promise<Frame> {
    const { page } = this.shell;
    const [device, service] = /#\/d\/[^/]+(\/s\/)?/.exec(page.url()) ?? [];
    if (service === undefined && path === "/") return await this.shell.openService(this.#name);
    if (service === undefined) await page.getByTestId(`service-card-${this.#name}`).waitFor();
    const place = `${device?.replace("/s/", "")}/s/${this.#name}${path}`;
    await page.goto(`${new URL(page.url()).origin}/${place}`);
    return await this.shell.serviceFrame();
  }

  /** A tab of its own for the UI, by the button beside "reload" or by another. */
  async openOwnTab(button?: Locator): Promise<Page> {
    const { page } = this.shell;
    const [tab] = await Promise.all([
      page.waitForEvent("popup"),
      (button ?? page.getByTestId("own-tab")).click(),
    ]);
    tab.setDefaultTimeout(LIMIT_MS);
    this.#listen(tab);
    await tab.waitForURL((url) => !url.pathname.startsWith("/.porthole/"));
    return tab;
  }

  /** What F5 does: the shell starts anew and shows the page that was in its frame. */
  async reload(): Promise<Frame> {
    await this.shell.page.reload();
    await this.shell.state("live");
    return await this.shell.serviceFrame();
  }

  /** For a person's eyes: into `tests/uis/out/`. */
  async picture(what: string, page = this.shell.page): Promise<void> {
    await Deno.mkdir(OUT, { recursive: true });
    await page.screenshot({ path: `${OUT}/${this.#name}_${what}.png` });
  }

  /** One connection carried it all, and neither edge nor rendezvous was asked for anything of the device's. */
  async finish(): Promise<void> {
    if (this.shell !== undefined) {
      assert.equal(await this.shell.peerConnections(), 1);
      await this.shell.page.close();
    }
    assert.deepEqual(this.edge.strays, []);
    await this.#rendezvous.stop();
    const [closed] = logged(this.#rendezvous, "rendezvous.closed");
    assert.equal(closed?.strayed, 0, "the rendezvous was asked for something of the device's");
    this.#tell();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tell();
    await this.#own.disposeAsync();
  }

  #tell(): void {
    for (const line of this.#complaints.splice(0).slice(0, SHOWN_LINES)) {
      Deno.stderr.writeSync(new TextEncoder().encode(`  ${this.#name}: ${line}\n`));
    }
  }

  #listen(page: Page): void {
    page.on("pageerror", (error) => this.#complaints.push(`uncaught ${error}`));
    page.on("console", (message) => {
      if (message.type() === "error") {
        this.#complaints.push(`${message.text()} (${message.location().url})`);
      }
    });
  }

  async #startRoad(url: string): Promise<void> {
    const own = this.#own;
    const port = freePort();
    const state = await Deno.makeTempDir({ prefix: "porthole-ui-state-" });
    own.defer(() => Deno.remove(state, { recursive: true }));
    this.edge = own.use(await CountingEdge.start(() => port));
    const shell = `http://porthole.localhost:${this.edge.port}`;
    const content = `http://*.porthole.localhost:${this.edge.port}`;
    this.#rendezvous = own.use(
      await startPorthole({
        args: [
          ...["rendezvous", "--listen", `${HOST}:${port}`, "--log", "debug", "--json"],
          ...["--origin", shell, "--content-origin", content],
        ],
      }),
    );
    own.use(
      await startPorthole({
        args: [
          ...["run", "--state", state, "--rendezvous", `ws://${HOST}:${port}`, "--json"],
          ...["--service", `${this.#name}=${url}`],
        ],
      }),
    );
    await untilLogged(this.#rendezvous, "device.registered");
    const { stdout } = await runPorthole({ args: ["pair", "--state", state, "--json"] });
    this.pairUrl = JSON.parse(stdout).url;
  }
}
