/**
 * Everything that an isolation test needs, real and as processes of their own: a rendezvous, a device with a hostile and
 * a neighbouring service, another device, and a browser with a tab for each page.
 */
import type { Browser, Frame, Page } from "puppeteer-core";
import type { Engine } from "../engines.ts";
import { untilLogged } from "../log_lines.ts";
import { type Porthole, runPorthole, startPorthole } from "../processes.ts";
import { ProbedService } from "./service.ts";
import { freePort } from "../free_port.ts";

const HOST = "127.0.0.1";
/** How long anything may take on a loaded machine with two cores; a verdict never depends on less. */
const LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 50;

/** Where device pages live: below the shell's own name, or on a site of their own. */
export const SITES = ["porthole.localhost", "porthole-content.localhost"] as const;
export type SiteName = typeof SITES[number];

/** A tab with the shell, and in its frame a device's page. */
export interface Tab {
  readonly shell: Page;
  readonly frame: Frame;
  /** The origin of the device's page. */
  readonly origin: string;
}

interface Device {
  readonly id: string;
  readonly state: string;
  readonly process: Porthole;
}

/** See the head of this file. Dispose of it. */
export class Stage implements AsyncDisposable {
  readonly services: {
    readonly hostile: ProbedService;
    readonly neighbour: ProbedService;
    readonly stranger: ProbedService;
  };
  readonly shellOrigin: string;
  readonly browser: Browser;
  readonly #stack: AsyncDisposableStack;
  readonly #gate: Device;
  readonly #barn: Device;

  private constructor(
    stack: AsyncDisposableStack,
    parts: Pick<Stage, "services" | "shellOrigin" | "browser"> & { gate: Device; barn: Device },
  ) {
    this.#stack = stack;
    this.services = parts.services;
    this.shellOrigin = parts.shellOrigin;
    this.browser = parts.browser;
    this.#gate = parts.gate;
    this.#barn = parts.barn;
  }

  static async start(engine: Engine, site: SiteName): Promise<Stage> {
    await using stack = new AsyncDisposableStack();
    const hostile = stack.use(await ProbedService.start("hostile"));
    const neighbour = stack.use(await ProbedService.start("neighbour"));
    const stranger = stack.use(await ProbedService.start("stranger"));
    const port = freePort();
    const shellOrigin = `http://porthole.localhost:${port}`;
    const rendezvous = stack.use(
      await startPorthole({
        args: [
          ...["rendezvous", "--listen", `${HOST}:${port}`, "--log", "debug", "--json"],
          ...["--origin", shellOrigin, "--content-origin", `http://*.${site}:${port}`],
        ],
      }),
    );
    const device = async (...services: readonly string[]) => {
      const folder = await Deno.makeTempDir({ prefix: "porthole-isolation-" });
      stack.defer(() => Deno.remove(folder, { recursive: true }));
      return stack.use(await startDevice(`ws://${HOST}:${port}`, { folder, services }));
    };
    const gate = await device(`hostile=${hostile.url}`, `neighbour=${neighbour.url}`);
    const barn = await device(`stranger=${stranger.url}`);
    await untilLogged(rendezvous, "device.registered", (_line, index) => index === 1);
    const browser = stack.adopt(await engine.launch(), (browser) => browser.close());
    const services = { hostile, neighbour, stranger };
    return new Stage(stack.move(), { services, shellOrigin, browser, gate, barn });
  }

  /** The tabs of an owner of both devices, who looks at the hostile page in the last of them. */
  async openTabs(): Promise<{ hostile: Tab; neighbour: Tab; stranger: Tab }> {
    await this.#pair(this.#gate);
    await this.#pair(this.#barn);
    const stranger = await this.#open(this.#barn, "stranger");
    const neighbour = await this.#open(this.#gate, "neighbour");
    return { hostile: await this.#open(this.#gate, "hostile"), neighbour, stranger };
  }

  /** One more tab with the hostile page. */
  async openHostile(): Promise<Tab> {
    return await this.#open(this.#gate, "hostile");
  }

  /** A tab of the shell at an address of a service of the first device. */
  async openShell(service: string, path: string): Promise<Page> {
    const shell = await this.browser.newPage();
    await shell.goto(this.shellAddress(service, path));
    await live(shell);
    return shell;
  }

  /** Where the shell shows an address of a service of the first device. */
  shellAddress(service: string, path: string): string {
    return `${this.shellOrigin}/#/d/${this.#gate.id}/s/${service}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #pair({ state }: Device): Promise<void> {
    const { stdout } = await runPorthole({ args: ["pair", "--state", state, "--json"] });
    const page = await this.browser.newPage();
    await page.goto(JSON.parse(stdout).url);
    await live(page);
    await page.close();
  }

  async #open({ id }: Device, service: string): Promise<Tab> {
    const shell = await this.browser.newPage();
    await shell.goto(`${this.shellOrigin}/#/d/${id}/s/${service}/`);
    await live(shell);
    const frame = await devicePage(shell, service);
    const origin = await frame.evaluate("location.origin") as string; // `frame.url()` may lag behind
    return { shell, frame, origin };
  }
}

async function startDevice(
  rendezvous: string,
  { folder, services }: { folder: string; services: readonly string[] },
): Promise<Device & AsyncDisposable> {
  const process = await startPorthole({
    args: [
      ...["run", "--state", folder, "--rendezvous", rendezvous, "--log", "debug", "--json"],
      ...services.flatMap((service) => ["--service", service]),
    ],
  });
  const id = String(process.ready.device);
  return {
    id,
    state: folder,
    process,
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

/** Waits until the shell in this page has a session. */
export async function live(page: Page): Promise<void> {
  await until("the session is live", async () => await state(page) === "live");
}

/** What the shell in this page says of its session; "gone" where there is no shell. */
export async function state(page: Page): Promise<string> {
  return await page.evaluate(`globalThis.porthole?.state() ?? "gone"`) as string;
}

/** The frame with a service's page, once its script has run. */
async function devicePage(page: Page, title: string): Promise<Frame> {
  let found: Frame | undefined;
  await until(`the page "${title}" is there`, async () => {
    for (const frame of page.frames()) {
      if (frame === page.mainFrame()) continue;
      const question = `globalThis.attempts && document.title === ${JSON.stringify(title)}`;
      if (await frame.evaluate(question).catch(() => false)) found = frame;
    }
    return found !== undefined;
  });
  return found!;
}

/** Waits for something that must come; the limit is a failure, not a verdict. */
export async function until(what: string, reached: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!await reached()) {
    if (performance.now() > end) throw new Error(`Cannot go on: waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
