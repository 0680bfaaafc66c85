/**
 * How long small things take, one after the other: GETs, and a WebSocket's echo alone and beside a download. Taken in
 * blocks, tunnel and direct in turn; a block gives its median and its 95th percentile, the figures hold those of all blocks.
 */
import { type Figure, figure, quantile } from "./measure.ts";
import { echoTimes, type Probed, requestTimes } from "./probes.ts";
import type { Findings } from "./report.ts";
import type { Stage } from "./stage.ts";
import { bothWays, newProfile } from "./visit.ts";

export interface LatencyOptions {
  readonly blocks: number;
  /** Times in one block. */
  readonly count: number;
}

type Probe = (page: Probed, count: number) => Promise<number[]>;
const PROBES: readonly { readonly measure: string; readonly probe: Probe }[] = [
  { measure: "small GET", probe: requestTimes },
  {
    measure: "WebSocket echo, idle",
    probe: (page, count) => echoTimes(page, { count, load: false }),
  },
  {
    measure: "WebSocket echo, downloading",
    probe: (page, count) => echoTimes(page, { count, load: true }),
  },
];

export async function measureLatency(stage: Stage, options: LatencyOptions): Promise<Findings> {
  await using agent = await stage.agent();
  await using context = await newProfile(stage.browser);
  const ways = await bothWays(stage, { context, agent });
  const figures: Figure[] = [];
  for (const { measure, probe } of PROBES) {
    figures.push(...await inBlocks(measure, { ways, probe, ...options }));
  }
  return { figures };
}

/** The figures of requests alone, for a link. */
export async function measureRequests(
  measure: string,
  options: LatencyOptions & { ways: { tunnel: Probed; direct: Probed } },
): Promise<Findings> {
  return { figures: await inBlocks(measure, { ...options, probe: requestTimes }) };
}

async function inBlocks(
  measure: string,
  { ways, probe, blocks, count }: LatencyOptions & {
    ways: { tunnel: Probed; direct: Probed };
    probe: Probe;
  },
): Promise<Figure[]> {
  const times = { tunnel: [] as number[][], direct: [] as number[][] };
  for (let block = 0; block <= blocks; block++) { // the first warms up
    for (const way of ["tunnel", "direct"] as const) {
      const found = await probe(ways[way], count);
      if (block > 0) times[way].push(found);
    }
  }
  return (["tunnel", "direct"] as const).flatMap((way) =>
    ([["p50", 0.5], ["p95", 0.95]] as const).map(([name, part]) =>
      figure(measure, {
        variant: `${way} ${name}`,
        unit: "ms",
        samples: times[way].map((block) => quantile(block, part)),
      })
    )
  );
}
