/**
 * A device at somebody's home, as its people have it: rendezvous, the device's page and `porthole run` are processes of
 * their own, the command line is the real one, and each person has a browser profile.
 */
import assert from "node:assert/strict";
import type { Browser, BrowserContext } from "playwright-core";
import { Child } from "./child.ts";
import { inCheckout } from "./checkout.ts";
import { untilLogged } from "./log_lines.ts";
import { type Porthole, runPorthole, startPorthole } from "./processes.ts";
import { Shell } from "./shell.ts";
import { freePort } from "./free_port.ts";

const HOST = "127.0.0.1";
const READY_LIMIT_MS = 60_000;

/** What guests must not learn of unless it is lent: the id and the title of a page and of a camera. */
export const SECRET_NAMES = ["vault", "Strongroom ledger", "yard", "Back garden"] as const;

export interface HomeOptions {
  /** `clock` of the configuration; "system" where nothing else is said, for containers know the time. */
  readonly clock?: "auto" | "system";
  /** More for the command line of the rendezvous. */
  readonly rendezvousArgs?: readonly string[];
  /** Lines for the top of the configuration. */
  readonly lines?: string;
}

/** Answer of a command that was asked for JSON. */
export type Answer = Readonly<Record<string, unknown>>;

export class Home implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #config: string;
  readonly #rendezvousArgs: readonly string[];
  #rendezvous: Porthole;
  /** Where the shell is, with a slash at the end. */
  readonly shell: string;
  readonly state: string;
  #device: Porthole | undefined;

  private constructor(
    stack: AsyncDisposableStack,
    parts: { rendezvous: Porthole; rendezvousArgs: string[]; folder: string },
  ) {
    this.#stack = stack;
    this.#config = `${parts.folder}/porthole.toml`;
    this.#rendezvous = parts.rendezvous;
    this.#rendezvousArgs = parts.rendezvousArgs;
    this.shell = `${parts.rendezvous.ready.origin}/`;
    this.state = `${parts.folder}/state`;
  }

  static async start(options: HomeOptions = {}): Promise<Home> {
    await using stack = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "porthole-home-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const page = stack.use(Child.start({
      command: Deno.execPath(),
      args: ["run", "-A", inCheckout("tests/e2e/sample_device_process.ts")],
    }));
    const { port } = await page.firstJson(READY_LIMIT_MS);
    const address = `${HOST}:${freePort()}`;
    const { rendezvousArgs: more = [] } = options;
    const rendezvousArgs = ["rendezvous", "--listen", address, "--json", ...more];
    const rendezvous = stack.use(await startPorthole({ args: rendezvousArgs }));
    await Deno.writeTextFile(
      `${folder}/porthole.toml`,
      configuration({ address, port: Number(port), folder, options }),
    );
    const home = new Home(stack.move(), { rendezvous, rendezvousArgs, folder });
    await home.startDevice();
    return home;
  }

  /** The rendezvous that runs now. */
  get rendezvous(): Porthole {
    return this.#rendezvous;
  }

  /** The agent that runs now. */
  get device(): Porthole {
    assert.ok(this.#device, "the device is stopped");
    return this.#device;
  }

  /** Id of the device. */
  get id(): string {
    return String(this.device.ready.device);
  }

  /** Starts the agent, again after `stopDevice`, and waits until it can be reached. `env` is added to its environment. */
  async startDevice(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const args = ["run", "--config", this.#config, "--json"];
    this.#device = this.#stack.use(await startPorthole({ args, env }));
    await untilLogged(this.#device, "rendezvous.connected");
  }

  /** A rendezvous keeps nothing: the new one knows the device as soon as that has come back. */
  async restartRendezvous(): Promise<void> {
    assert.equal((await this.#rendezvous.stop()).code, 0);
    this.#rendezvous = this.#stack.use(await startPorthole({ args: this.#rendezvousArgs }));
    await untilLogged(this.#rendezvous, "device.registered");
  }

  async stopDevice(): Promise<void> {
    const { code } = await this.device.stop();
    this.#device = undefined;
    assert.equal(code, 0);
  }

  /** Runs a command as somebody at the device does. */
  async run(...args: string[]): ReturnType<typeof runPorthole> {
    return await runPorthole({ args: [...args, "--state", this.state] });
  }

  /** The same with `--json`, of a command that must succeed. */
  async ask(...args: string[]): Promise<Answer> {
    const { code, stdout, stderr } = await this.run(...args, "--json");
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" }, args.join(" "));
    return JSON.parse(stdout);
  }

  /** One of the lists: `owners`, `grants`, `sessions`. */
  async list(what: "owners" | "grants" | "sessions"): Promise<readonly Answer[]> {
    return (await this.ask(what))[what] as Answer[];
  }

  /** The log as `porthole audit --json` prints it, the oldest line first. */
  async audit(): Promise<readonly Answer[]> {
    const { code, stdout } = await this.run("audit", "--json");
    assert.equal(code, 0);
    return stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  }

  /** Opens a link, or any address of the shell, in a profile of its own: another person's browser. */
  async person(browser: Browser | BrowserContext, link = this.shell): Promise<Shell> {
    const context = "newContext" in browser
      ? await browser.newContext({ viewport: { width: 1280, height: 900 } })
      : browser;
    await context.addInitScript(hearControlMessages);
    const shell = await Shell.open(context, link);
    shell.page.on("dialog", (dialog) => void dialog.accept().catch(() => {}));
    return shell;
  }

  /** Address of a view of the device, such as `people`, `s/ui/`. */
  address(view = ""): string {
    return `${this.shell}#/d/${this.id}${view === "" ? "" : `/${view}`}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** All that the device has told a page on the control channel, as text in which names stand as they are. */
export async function heardBy(shell: Shell): Promise<string> {
  return await shell.page.evaluate(() =>
    (globalThis as unknown as { controlMessages: string[] }).controlMessages.join("\n")
  );
}

/** Runs in the page before anything of it: keeps what arrives on channel 0. */
function hearControlMessages(): void {
  // deno-lint-ignore no-explicit-any -- browser types do not exist on this side
  const scope = globalThis as any;
  const messages: string[] = scope.controlMessages = [];
  const Native = scope.RTCPeerConnection;
  const create = Native.prototype.createDataChannel;
  Native.prototype.createDataChannel = function (label: string, options: { id?: number }) {
    const channel = create.call(this, label, options);
    if (options?.id !== 0) return channel;
    channel.addEventListener("message", ({ data }: { data: string | ArrayBuffer }) => {
      messages.push(typeof data === "string" ? data : new TextDecoder("latin1").decode(data));
    });
    return channel;
  };
}

function configuration(
  { address, port, folder, options }: {
    address: string;
    port: number;
    folder: string;
    options: HomeOptions;
  },
): string {
  const [page, pageTitle, camera, cameraTitle] = SECRET_NAMES;
  return `
name = "Workshop"
rendezvous = "ws://${address}"
state = "${folder}/state"
clock = "${options.clock ?? "system"}"
${options.lines ?? ""}

[[service]]
id = "ui"
title = "Workshop controller"
target = "http://${HOST}:${port}"

[[service]]
id = "${page}"
title = "${pageTitle}"
target = "http://${HOST}:${port}"

[[camera]]
id = "front"
title = "Front door"
source = "test:"

[[camera]]
id = "${camera}"
title = "${cameraTitle}"
source = "test:"
`;
}
