/**
 * A page of 60 files over a link of 50 ms, through porthole and through `ssh -L`, both tunnels up before: for the first time in
 * a profile, and again. And a keystroke's echo over a WebSocket while a download runs, on both ways. In turn, so that what
 * else the machine does hits both.
 */
import type { Frame, Page } from "playwright-core";
import { inCheckout } from "../e2e/checkout.ts";
import { Child } from "../e2e/child.ts";
import { DEVICE_HOST, twoHosts } from "../e2e/two_hosts.ts";
import { type Figure, figure, quantile, ratio } from "./measure.ts";
import { echoTimes } from "./probes.ts";
import type { Findings } from "./report.ts";
import { sshTunnel } from "./ssh_tunnel.ts";
import { type Agent, Stage } from "./stage.ts";
import { newProfile, pair } from "./visit.ts";

const ROUND_TRIP_MS = 50;
const READY_LIMIT_MS = 60_000;
const LOAD_LIMIT_MS = 60_000;
const LOOK_MS = 20;
/** Ports of the viewer's own host; nothing else is in it. */
const LOCAL = { pages: 8081, sample: 8082 } as const;

/** How the files may be kept: as lighttpd sends them, and asked for each time. */
const KINDS = { fresh: "ETag, Last-Modified", asked: "no-cache" } as const;
type Kind = keyof typeof KINDS;
type Way = "porthole" | "ssh -L";
const WAYS: readonly Way[] = ["porthole", "ssh -L"];

export interface PagesOptions {
  readonly repeats: number;
  /** Echoes in a block. */
  readonly count: number;
}

/** `opened` is told of everything that must end when the run is broken off. */
export async function measurePages(
  { repeats, count }: PagesOptions,
  { found, opened }: {
    found: (findings: Findings) => void;
    opened: (part: AsyncDisposable) => void;
  },
): Promise<void> {
  await using parts = new AsyncDisposableStack();
  opened(parts);
  const hosts = await twoHosts({ delayMs: ROUND_TRIP_MS / 2 });
  if (hosts === undefined) return;
  parts.use(hosts);
  const stage = parts.use(await Stage.open({ hosts: true }));
  const pages = await startPages(parts);
  const services = [`pages=http://${DEVICE_HOST.address}:${pages}`];
  const agent = parts.use(await stage.agent({ services }));
  const sample = Number(new URL(stage.direct).port);
  parts.use(
    await sshTunnel([
      { local: LOCAL.pages, remote: pages },
      { local: LOCAL.sample, remote: sample },
    ]),
  );
  for (const kind of ["fresh", "asked"] as const) {
    found(await measureLoads({ stage, agent, kind, repeats }));
  }
  found(await measureEchoes({ stage, agent, repeats, count }));
}

async function startPages(parts: AsyncDisposableStack): Promise<number> {
  const child = parts.use(Child.start({
    command: Deno.execPath(),
    args: ["run", "-A", "--no-check", inCheckout("tests/bench/pages_process.ts")]
      .concat(DEVICE_HOST.address),
    netns: DEVICE_HOST.netns,
  }));
  return Number((await child.firstJson(READY_LIMIT_MS)).port);
}

interface Loads {
  readonly first: number;
  readonly again: number;
}

interface Setting {
  readonly stage: Stage;
  readonly agent: Agent;
}

async function measureLoads(
  { stage, agent, kind, repeats }: Setting & { kind: Kind; repeats: number },
): Promise<Findings> {
  const taken: Record<Way, Loads[]> = { "porthole": [], "ssh -L": [] };
  for (let round = 0; round <= repeats; round++) { // the first warms up
    const loads = {
      "porthole": await throughPorthole({ stage, agent }, kind),
      "ssh -L": await throughSsh(stage, kind),
    };
    if (round > 0) WAYS.forEach((way) => taken[way].push(loads[way]));
  }
  const findings = (["first", "again"] as const).map((time) => {
    const name = `60 files, ${KINDS[kind]}, ${time === "first" ? "cold" : "reload"}`;
    const [porthole, ssh] = WAYS.map((variant) =>
      figure(name, {
        variant,
        unit: "ms",
        samples: taken[variant].map((loads) => loads[time]),
      })
    ) as [Figure, Figure];
    return { figures: [porthole, ssh], ratios: [ratio(porthole, ssh)] };
  });
  return {
    figures: findings.flatMap(({ figures }) => figures),
    ratios: findings.flatMap(({ ratios }) => ratios),
  };
}

/** The session is up; the clock runs from the choice of the page, so the service worker's installation counts. */
async function throughPorthole({ stage, agent }: Setting, kind: Kind): Promise<Loads> {
  await using context = await newProfile(stage.browser);
  const { shell } = await pair(context, agent);
  const chosen = await shell.page.evaluate((hash) => {
    const now = performance.timeOrigin + performance.now();
    // deno-lint-ignore no-explicit-any -- browser types do not exist on this side
    (globalThis as any).location.hash = hash;
    return now;
  }, `#/d/${agent.id}/s/pages/${kind}/`);
  const frame = await shell.serviceFrame();
  const first = await loaded(frame, "navigate");
  await frame.evaluate("location.reload()");
  const again = await loaded(frame, "reload");
  return { first: first.at - chosen, again: again.took };
}

async function throughSsh(stage: Stage, kind: Kind): Promise<Loads> {
  await using context = await newProfile(stage.browser);
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${LOCAL.pages}/${kind}/`);
  const first = await loaded(page, "navigate");
  await page.reload();
  const again = await loaded(page, "reload");
  return { first: first.took, again: again.took };
}

/** When a navigation's `load` was over, on the machine's clock, and how long it took. */
async function loaded(
  page: Page | Frame,
  type: "navigate" | "reload",
): Promise<{ at: number; took: number }> {
  const end = performance.now() + LOAD_LIMIT_MS;
  const look = () =>
    page.evaluate(() => {
      const [entry] = performance.getEntriesByType("navigation");
      const { type, loadEventEnd } = entry!.toJSON();
      // deno-lint-ignore no-explicit-any -- browser types do not exist on this side
      const images: { naturalWidth: number }[] = [...(globalThis as any).document.images];
      const pictures = images.every(({ naturalWidth }) => naturalWidth > 0);
      return {
        type,
        took: Number(loadEventEnd),
        at: performance.timeOrigin + loadEventEnd,
        pictures,
      };
    }).catch(() => undefined); // between two documents
  for (;;) {
    const found = await look();
    if (found !== undefined && found.type === type && found.took > 0) {
      if (!found.pictures) {
        const why = await page.evaluate(async () => {
          // deno-lint-ignore no-explicit-any -- browser types do not exist on this side
          const broken = [...(globalThis as any).document.images].filter((one) =>
            !one.naturalWidth
          );
          const answer = await fetch(broken[0].src);
          return `${broken.length} pictures, the first ${answer.status} ${await answer.text()}`;
        });
        throw new Error(`A file of the page is missing: ${why.slice(0, 400)}`);
      }
      return found;
    }
    if (performance.now() > end) throw new Error(`The page did not load: ${JSON.stringify(found)}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function measureEchoes(
  { stage, agent, repeats, count }: Setting & PagesOptions,
): Promise<Findings> {
  await using context = await newProfile(stage.browser);
  const { frame } = await (await pair(context, agent)).click();
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${LOCAL.sample}/`);
  const probed = { "porthole": frame, "ssh -L": page };
  const samples: Record<Way, number[]> = { "porthole": [], "ssh -L": [] };
  for (let round = 0; round <= repeats; round++) { // the first warms up
    for (const way of WAYS) {
      const times = await echoTimes(probed[way], { count, load: true });
      if (round > 0) samples[way].push(quantile(times, 0.95));
    }
  }
  return {
    figures: WAYS.map((way) =>
      figure("WebSocket echo beside a download, 50 ms", {
        variant: `${way} p95`,
        unit: "ms",
        samples: samples[way],
      })
    ),
  };
}
