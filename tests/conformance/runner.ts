/** Runs each case beside the device and through the tunnel, and compares what the page observed. */
import type { Scene, Tab } from "../e2e/either_browser.ts";
import { type Case, type Checks, type How, label, type Visit } from "./case.ts";
import type { Device, DeviceServer } from "./device_server.ts";
import type { Stage } from "./stage.ts";
import { TabVisit } from "./visit.ts";

const PAGES = new URL("pages/", import.meta.url);
/** How long a page may take for all of its checks, on a loaded machine. */
const CASE_LIMIT_MS = 300_000;
const LOOK_EVERY_MS = 100;

/** What came of one case. */
export interface Outcome {
  readonly number: number;
  readonly title: string;
  readonly direct: Checks;
  readonly tunnel: Checks;
  /** What is of interest and never decides. */
  readonly measured: { readonly direct: Checks; readonly tunnel: Checks };
  readonly ms: { readonly direct: number; readonly tunnel: number };
}

interface Observed {
  readonly checks: Checks;
  readonly measured: Checks;
}

/** Two tabs that take one case after the other. */
export class Runner {
  readonly #stage: Stage;
  readonly #drives: boolean;
  #directTab: Tab | undefined;
  #tunnelTab: Tab | undefined;

  /** `drives`: whether the browser is one whose tabs are playwright's. */
  constructor(stage: Stage, { drives }: { readonly drives: boolean }) {
    this.#stage = stage;
    this.#drives = drives;
  }

  async run(testCase: Case): Promise<Outcome> {
    const { number, title } = testCase;
    const direct = await this.#timed(testCase, "direct");
    await this.#directTab?.goto("about:blank"); // a page that waits on would be taken for one past the tunnel
    const tunnel = await this.#timed(testCase, "tunnel");
    return {
      number,
      title,
      direct: direct.checks,
      tunnel: tunnel.checks,
      measured: { direct: direct.measured, tunnel: tunnel.measured },
      ms: { direct: direct.ms, tunnel: tunnel.ms },
    };
  }

  async close(): Promise<void> {
    await this.#directTab?.close();
    await this.#tunnelTab?.close();
  }

  async #timed(testCase: Case, how: How): Promise<Observed & { ms: number }> {
    const begun = performance.now();
    const observed = await this.#observe(testCase, how).catch((error) => ({
      checks: { "the run itself": `FAILED ${how}: ${error}` },
      measured: {},
    }));
    return { ...observed, ms: Math.round(performance.now() - begun) };
  }

  async #observe(testCase: Case, how: How): Promise<Observed> {
    const server = this.#stage.devices.get(testCase)!; // the stage made one for each case
    const address = { own: server.url, other: this.#stage.other.url };
    const tunnelOnly = how === "tunnel";
    server.become(await withPage(testCase, testCase.device(address)), { tunnelOnly });
    if (testCase.other !== undefined) {
      this.#stage.other.become(testCase.other(address), { tunnelOnly });
    }
    const visit = new TabVisit(this.#stage, {
      testCase,
      how,
      tab: how === "direct"
        ? this.#directTab ??= await this.#stage.newTab()
        : this.#tunnelTab ??= await this.#stage.newTab(),
    });
    if (testCase.asksForLogin && how === "direct") await visit.answerDialogs();
    await visit.go("/");
    const { checks, measured } = await settled(visit, testCase);
    if (this.#drives) await this.#drive(testCase, visit, checks);
    return { checks: { ...checks, ...(tunnelOnly ? bypassed(server) : {}) }, measured };
  }

  async #drive(testCase: Case, visit: Visit, checks: Checks): Promise<void> {
    await testCase.drive?.(visit, async (name, observe) => {
      const limit = Promise.withResolvers<string>();
      const timer = setTimeout(() => limit.resolve("TIMEOUT"), CASE_LIMIT_MS);
      const seen = Promise.resolve().then(observe).catch((error) => `threw ${error}`);
      checks[name] = await Promise.race([seen, limit.promise]).finally(() => clearTimeout(timer)) ??
        null;
    });
  }
}

function bypassed({ bypasses }: DeviceServer): Checks {
  return bypasses.length === 0 ? {} : { "past the tunnel": bypasses.join() };
}

/** The device with the case's page on it. */
async function withPage(testCase: Case, device: Device): Promise<Device> {
  const number = label(testCase);
  const [page, harness, flow] = await Promise.all(
    [`${number}.js`, "harness.js", "flow.js"].map((name) =>
      Deno.readTextFile(new URL(name, PAGES))
    ),
  );
  const html = `<!doctype html><html lang="en" data-case="${number}"><meta charset="utf-8">
<title>Case ${number}</title><link rel="icon" href="data:,"><body><h1>${testCase.title}</h1>
<script type="module" src="/harness.js"></script>`;
  const script = (body = "") => ({ headers: [["Content-Type", "text/javascript"]] as const, body });
  return {
    ...device,
    paths: {
      "/": (exchange) => exchange.html(html),
      "/page.js": (exchange) => exchange.reply(script(page)),
      "/harness.js": (exchange) => exchange.reply(script(harness)),
      "/flow.js": (exchange) => exchange.reply(script(flow)),
      ...device.paths,
    },
  };
}

/** The page's own checks, once it is done; what there is of them when it never is. */
async function settled(visit: TabVisit, testCase: Case): Promise<Observed> {
  const end = performance.now() + CASE_LIMIT_MS;
  const wanted = `document.documentElement.dataset.case === "${label(testCase)}"`;
  let last: Observed = { checks: {}, measured: {} };
  while (performance.now() < end) {
    const seen = await look(visit.sceneOrNone(), wanted);
    if (seen !== undefined) last = seen;
    if (seen?.done) return seen;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return { ...last, checks: { ...last.checks, "the page itself": "TIMEOUT" } };
}

async function look(
  scene: Scene | undefined,
  wanted: string,
): Promise<Observed & { readonly done: boolean } | undefined> {
  try {
    const text = await scene?.evaluate(
      `${wanted} ? JSON.stringify(globalThis.conformance ?? null) : "null"`,
    );
    return JSON.parse(String(text ?? "null")) ?? undefined;
  } catch {
    return undefined; // a document on its way out
  }
}
