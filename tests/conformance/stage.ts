/**
 * Where the cases run: a device of its own for each case, one agent that has them all as services, a rendezvous behind an
 * edge that notes what should not reach it, and a browser that is paired.
 */
import { awaited, type BrowserName, launchEither, type Tab } from "../e2e/either_browser.ts";
import { untilLogged } from "../e2e/log_lines.ts";
import { CountingEdge } from "../e2e/pages_edge.ts";
import { type Porthole, runPorthole, startPorthole } from "../e2e/processes.ts";
import { type Case, label } from "./case.ts";
import { DeviceServer } from "./device_server.ts";
import { freePort } from "../e2e/free_port.ts";

const HOST = "127.0.0.1";
/** The second device has an address of its own: cookies belong to addresses, whatever the port. */
const OTHER_HOST = "127.0.0.2";
const OTHER = "other";

/** See the head of this file. Dispose of it. */
export class Stage implements AsyncDisposable {
  readonly devices = new Map<Case, DeviceServer>();
  readonly other = new DeviceServer(OTHER_HOST);
  edge!: CountingEdge; // this and what follows is set by `start`
  newTab!: () => Promise<Tab>;
  readonly #own = new AsyncDisposableStack();
  readonly #port = freePort();
  #state = "";
  #agent!: Porthole;
  #rendezvous!: Porthole;
  #device = "";

  static async start(name: BrowserName, cases: readonly Case[]): Promise<Stage> {
    const stage = new Stage();
    try {
      await stage.#start(name, cases);
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Address of a path of a case's device in the shell; of the second device without a case. */
  address(path: string, testCase?: Case): string {
    const service = testCase === undefined ? OTHER : `c${label(testCase)}`;
    return `${this.shell}/#/d/${this.#device}/s/${service}${path}`;
  }

  get shell(): string {
    return `http://porthole.localhost:${this.edge.port}`;
  }

  get agentPid(): number {
    return this.#agent.child.pid;
  }

  /** Starts the agent again: all its sessions are over. */
  async restartAgent(): Promise<void> {
    await this.#agent.stop();
    this.#agent = await this.#startAgent();
  }

  /** The most memory that the agent ever had, in bytes. */
  async agentPeakBytes(): Promise<number> {
    const status = await Deno.readTextFile(`/proc/${this.agentPid}/status`);
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent?.stop();
    await this.#own.disposeAsync();
  }

  async #start(name: BrowserName, cases: readonly Case[]): Promise<void> {
    const own = this.#own;
    for (const testCase of cases) {
      this.devices.set(testCase, own.use(await new DeviceServer(HOST).start()));
    }
    own.use(await this.other.start());
    this.#state = await Deno.makeTempDir({ prefix: "porthole-conformance-" });
    own.defer(() => Deno.remove(this.#state, { recursive: true }));
    this.edge = own.use(await CountingEdge.start(() => this.#port));
    const content = `http://*.porthole.localhost:${this.edge.port}`;
    this.#rendezvous = own.use(
      await startPorthole({
        args: [
          ...["rendezvous", "--listen", `${HOST}:${this.#port}`, "--log", "debug", "--json"],
          ...["--origin", this.shell, "--content-origin", content],
        ],
      }),
    );
    this.#agent = await this.#startAgent();
    const browser = own.use(await launchEither(name));
    this.newTab = () => browser.newTab();
    await this.#pair();
  }

  async #startAgent(): Promise<Porthole> {
    const services = [...this.devices].map(([testCase, { url }]) => `c${label(testCase)}=${url}`);
    services.push(`${OTHER}=${this.other.url}`);
    return await startPorthole({
      args: [
        ...["run", "--state", this.#state, "--rendezvous", `ws://${HOST}:${this.#port}`, "--json"],
        ...services.flatMap((service) => ["--service", service]),
      ],
    });
  }

  async #pair(): Promise<void> {
    await untilLogged(this.#rendezvous, "device.registered");
    const { stdout } = await runPorthole({ args: ["pair", "--state", this.#state, "--json"] });
    const tab = await this.newTab();
    await tab.goto(JSON.parse(stdout).url);
    const isLive = () => tab.evaluate("globalThis.porthole?.state() === 'live'");
    await awaited("the first session", async () => await isLive() === true);
    this.#device = /#\/d\/([^/]+)/.exec(tab.url())?.[1] ?? "";
    await tab.close();
  }
}
