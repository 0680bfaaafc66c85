/**
 * What the agent's process holds: the whole resident set (RSS) and what of it is its own and no file's (RssAnon). Each
 * sample is an agent of its own, which is idle, then shows one camera, then carries downloads as well.
 */
import { type Figure, figure } from "./measure.ts";
import { downloadRate } from "./probes.ts";
import type { Findings } from "./report.ts";
import type { Agent, Stage } from "./stage.ts";
import { newProfile, pair } from "./visit.ts";

const DOWNLOADS = 5;
/** Until start-up or what was asked last has been tidied up, in ms. Not for good: V8 collects when it wants. */
const SETTLE_MS = 2000;
const SECTIONS = ["RSS", "RssAnon"] as const;
/** As `/proc/PID/status` names them. */
const FIELDS = { RSS: "VmRSS", RssAnon: "RssAnon", peak: "VmHWM" } as const;

type Memory = Record<keyof typeof FIELDS, number>;
const STATES = ["idle", "one viewer", `${DOWNLOADS} x 20 MB downloaded`] as const;

export async function measureMemory(
  stage: Stage,
  { repeats }: { repeats: number },
): Promise<Findings> {
  const samples = STATES.map((): Memory[] => []);
  for (let round = 0; round < repeats; round++) {
    const found = await oneLife(stage);
    found.forEach((memory, index) => samples[index]!.push(memory));
  }
  const figures = SECTIONS.flatMap((section) =>
    STATES.map((state, index) => figureOf(section, { state, samples: samples[index]! }))
  );
  const peak = figureOf("peak", { state: "of RSS, all of it", samples: samples.at(-1)! });
  return { figures: [...figures, peak] };
}

async function oneLife(stage: Stage): Promise<Memory[]> {
  await using agent = await stage.agent({ cameras: ["camera=test:"] });
  const idle = await settled(agent);
  await using context = await newProfile(stage.browser);
  const visit = await pair(context, agent);
  await visit.picture("camera");
  const viewed = await settled(agent);
  const { frame } = await visit.click(); // the picture goes on beside the page
  for (let count = 0; count < DOWNLOADS; count++) await downloadRate(frame);
  return [idle, viewed, await settled(agent)];
}

async function settled({ pid }: Agent): Promise<Memory> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const read = (field: string) => {
    const [, kibibytes] = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status) ?? [];
    if (kibibytes === undefined) throw new Error(`/proc/${pid}/status has no ${field}`);
    return Number(kibibytes) * 1024 / 1e6;
  };
  return { RSS: read(FIELDS.RSS), RssAnon: read(FIELDS.RssAnon), peak: read(FIELDS.peak) };
}

function figureOf(
  section: keyof Memory,
  { state, samples }: { state: string; samples: readonly Memory[] },
): Figure {
  return figure(`agent's ${section}`, {
    variant: state,
    unit: "MB",
    samples: samples.map((memory) => memory[section]),
  });
}
