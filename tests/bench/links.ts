/** Download and small requests over a link between two hosts: the device behind it, the browser in front of it. */
import { twoHosts, twoHostsMissing } from "../e2e/two_hosts.ts";
import { measureRequests } from "./latency.ts";
import { downloadRate } from "./probes.ts";
import type { Findings } from "./report.ts";
import { Stage } from "./stage.ts";
import { inTurn } from "./throughput.ts";
import { bothWays, newProfile } from "./visit.ts";

/** A slow link says in this time what it says in a minute, in ms. */
const DOWNLOAD_LIMIT_MS = 5000;

const LINKS = [
  { name: "20 ms", delayMs: 10, lossPercent: 0 },
  { name: "50 ms", delayMs: 25, lossPercent: 0 },
  { name: "20 ms, 0.5 % lost", delayMs: 10, lossPercent: 0.5 },
] as const;

/** Why there can be no links here; undefined if there can. Hosts of somebody else's test are left alone. */
export async function linksMissing(): Promise<string | undefined> {
  const missing = await twoHostsMissing();
  if (missing !== undefined) return missing;
  const { stdout } = await new Deno.Command("ip", { args: ["netns", "list"] }).output();
  return /^phdev\b/m.test(new TextDecoder().decode(stdout))
    ? "two hosts are up already: another test uses them"
    : undefined;
}

export interface LinkOptions {
  readonly repeats: number;
  /** Requests in a block. */
  readonly count: number;
}

/** One link after the other. `found` hears of each as soon as it is done. */
export async function measureLinks(
  options: LinkOptions,
  { found, opened }: {
    found: (findings: Findings) => void;
    /** Told of everything that must end when the run is broken off. */
    opened: (part: AsyncDisposable) => void;
  },
): Promise<void> {
  for (const { name, ...link } of LINKS) {
    await using parts = new AsyncDisposableStack();
    opened(parts);
    const hosts = await twoHosts(link);
    if (hosts === undefined) return;
    parts.use(hosts);
    const stage = parts.use(await Stage.open({ hosts: true }));
    const agent = parts.use(await stage.agent());
    const context = parts.use(await newProfile(stage.browser));
    const ways = await bothWays(stage, { context, agent });
    found(
      await inTurn(`download, ${name}`, {
        ways,
        repeats: options.repeats,
        probe: (page) => downloadRate(page, DOWNLOAD_LIMIT_MS),
      }),
    );
    const { repeats, count } = options;
    found(await measureRequests(`small GET, ${name}`, { ways, blocks: repeats, count }));
  }
}
