/** How fast a page's own `fetch` moves a file of 20 MB down and up, through the tunnel and directly, in turn. */
import { figure, ratio } from "./measure.ts";
import { downloadRate, type Probed, uploadRate } from "./probes.ts";
import type { Findings } from "./report.ts";
import type { Stage } from "./stage.ts";
import { bothWays, newProfile } from "./visit.ts";

/** Measures both directions; one round more than `repeats` warms both ways up and is not counted. */
export async function measureThroughput(
  stage: Stage,
  { repeats }: { repeats: number },
): Promise<Findings> {
  await using agent = await stage.agent();
  await using context = await newProfile(stage.browser);
  const ways = await bothWays(stage, { context, agent });
  const download = await inTurn("download", { ways, repeats, probe: (page) => downloadRate(page) });
  const upload = await inTurn("upload", { ways, repeats, probe: uploadRate });
  return {
    figures: [...download.figures, ...upload.figures],
    ratios: [...download.ratios ?? [], ...upload.ratios ?? []],
  };
}

/** One measure, A and B in turn: what else the machine does then hits both. */
export async function inTurn(
  measure: string,
  { ways, repeats, probe }: {
    ways: { tunnel: Probed; direct: Probed };
    repeats: number;
    probe: (page: Probed) => Promise<number>;
  },
): Promise<Findings> {
  const rates = { tunnel: [] as number[], direct: [] as number[] };
  for (let round = 0; round <= repeats; round++) {
    const [tunnel, direct] = [await probe(ways.tunnel), await probe(ways.direct)];
    if (round === 0) continue;
    rates.tunnel.push(tunnel);
    rates.direct.push(direct);
  }
  const figureOf = (variant: "tunnel" | "direct") =>
    figure(measure, { variant, unit: "Mbit/s", samples: rates[variant] });
  const figures = [figureOf("tunnel"), figureOf("direct")] as const;
  return { figures, ratios: [ratio(...figures)] };
}
