/**
 * What is measured, as people run it: the bundle's rendezvous and agents, the sample device and Chromium, each a process of
 * its own. Either all on this host's loopback, or the browser on another host behind a link (`two_hosts.ts`).
 */
import type { Browser } from "playwright-core";
import { adminRequest } from "../../src/control/admin_client.ts";
import { launchChromium } from "../e2e/browser.ts";
import { inCheckout } from "../e2e/checkout.ts";
import { Child } from "../e2e/child.ts";
import { startPorthole } from "../e2e/processes.ts";
import { DEVICE_HOST, VIEWER_HOST } from "../e2e/two_hosts.ts";
import { freePort } from "../e2e/free_port.ts";

const FROM = "bundle on Deno";
const LOOPBACK = "127.0.0.1";
const READY_LIMIT_MS = 60_000;
/** In a namespace of its own no port is taken. */
const LINK_PORT = 8080;
const REGISTERED_LOOK_MS = 20;
const PAIR_SECONDS = 600;

/** An agent with a state folder of its own, registered at the stage's rendezvous. */
export interface Agent extends AsyncDisposable {
  readonly id: string;
  /** Process id. */
  readonly pid: number;
  /** A link for one more browser. */
  pairLink(): Promise<string>;
}

export interface AgentOptions {
  /** As in `--camera`: "test=test:". */
  readonly cameras?: readonly string[];
  /** More than the sample device, as in `--service`: "pages=http://10.77.0.1:8000". */
  readonly services?: readonly string[];
}

interface Place {
  readonly address: string;
  readonly device?: string;
  readonly viewer?: string;
}

export class Stage implements AsyncDisposable {
  readonly browser: Browser;
  /** Origin of the shell, without a slash at its end. */
  readonly shell: string;
  /** Origin of the sample device: what the tunnel is compared with. */
  readonly direct: string;
  readonly #place: Place;
  readonly #port: number;
  readonly #parts: AsyncDisposableStack;

  private constructor(
    parts: AsyncDisposableStack,
    options: { browser: Browser; place: Place; port: number; samplePort: number },
  ) {
    const { browser, place, port, samplePort } = options;
    this.#parts = parts;
    this.#place = place;
    this.#port = port;
    this.browser = browser;
    this.shell = `http://porthole.localhost:${port}`;
    this.direct = `http://${place.address}:${samplePort}`;
  }

  /** Starts all but the agents. With `hosts` the two hosts must be up. */
  static async open({ hosts = false }: { hosts?: boolean } = {}): Promise<Stage> {
    const place = hosts
      ? { address: DEVICE_HOST.address, device: DEVICE_HOST.netns, viewer: VIEWER_HOST.netns }
      : { address: LOOPBACK };
    const port = hosts ? LINK_PORT : freePort();
    await using parts = new AsyncDisposableStack();
    const samplePort = await startSample(parts, place);
    await startRendezvous(parts, { place, port });
    const browser = await launchChromium({
      netns: place.viewer,
      args: [
        `--host-resolver-rules=MAP *.localhost ${place.address}`,
        "--autoplay-policy=no-user-gesture-required",
      ],
    });
    parts.defer(() => browser.close());
    return new Stage(parts.move(), { browser, place, port, samplePort });
  }

  /** Starts an agent and waits until it can be found. Dispose of it, or it ends with the stage. */
  async agent({ cameras = [], services = [] }: AgentOptions = {}): Promise<Agent> {
    const parts = this.#parts.use(new AsyncDisposableStack());
    const state = await Deno.makeTempDir({ prefix: "porthole-bench-" });
    parts.defer(() => Deno.remove(state, { recursive: true }));
    const config = `${state}/none.toml`; // one of this machine's own must not be read
    await Deno.writeTextFile(config, "");
    const porthole = parts.use(
      await startPorthole({
        from: FROM,
        netns: this.#place.device,
        args: ["run", "--json", "--log", "error", "--config", config, "--state", state]
          .concat("--rendezvous", `ws://${this.#place.address}:${this.#port}`)
          .concat("--service", `ui=${this.direct}`)
          .concat(services.flatMap((service) => ["--service", service]))
          .concat(cameras.flatMap((camera) => ["--camera", camera])),
      }),
    );
    await registered(state);
    return {
      id: String(porthole.ready.device),
      pid: porthole.child.pid,
      pairLink: async () => {
        const body = { for: PAIR_SECONDS };
        return String((await adminRequest(state, { method: "POST", path: "/pair", body })).url);
      },
      [Symbol.asyncDispose]: () => parts.disposeAsync(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}

async function startSample(
  parts: AsyncDisposableStack,
  { device, address }: Place,
): Promise<number> {
  const script = inCheckout("tests/bench/sample_process.ts");
  const child = parts.use(Child.start({
    command: Deno.execPath(),
    args: ["run", "-A", "--no-check", script, address],
    netns: device,
  }));
  return Number((await child.firstJson(READY_LIMIT_MS)).port);
}

async function startRendezvous(
  parts: AsyncDisposableStack,
  { place, port }: { place: Place; port: number },
): Promise<void> {
  parts.use(
    await startPorthole({
      from: FROM,
      netns: place.device,
      args: ["rendezvous", "--json", "--log", "error", "--listen", `${place.address}:${port}`]
        .concat("--origin", `http://porthole.localhost:${port}`)
        .concat("--content-origin", `http://*.porthole.localhost:${port}`),
    }),
  );
}

async function registered(state: string): Promise<void> {
  const end = performance.now() + READY_LIMIT_MS;
  for (;;) {
    const status = await adminRequest(state, { method: "GET", path: "/status" });
    const { state: now } = status.rendezvous as { state: string };
    if (now === "registered") return;
    if (performance.now() > end) throw new Error(`The agent is "${now}", not "registered"`);
    await new Promise((resolve) => setTimeout(resolve, REGISTERED_LOOK_MS));
  }
}
