/**
 * How long a person waits for a page: from a click on its card, and from a deep link in a new tab. Then how long the session
 * takes of that, phase by phase.
 */
import type { BrowserContext } from "playwright-core";
import { type Figure, figure } from "./measure.ts";
import type { Findings } from "./report.ts";
import type { Agent, Stage } from "./stage.ts";
import { newProfile, pair, type Phase, PHASES, Visit } from "./visit.ts";

type Phases = Awaited<ReturnType<Visit["phases"]>>;

export async function measureFirstByte(
  stage: Stage,
  { repeats }: { repeats: number },
): Promise<Findings> {
  await using agent = await stage.agent();
  const samples = {
    firstClick: [] as number[],
    click: [] as number[],
    deep: [] as number[],
    phases: [] as Phases[],
  };
  for (let round = 0; round < repeats; round++) {
    await using context = await newProfile(stage.browser);
    const visit = await pair(context, agent);
    samples.firstClick.push((await visit.click()).firstByteMs);
    await visit.close();
    samples.click.push(await clickInNewTab(context, { stage, agent }));
    const deep = await Visit.open(context, `${stage.shell}/#/d/${agent.id}/s/ui/`);
    samples.deep.push(await deep.deepFirstByte());
    samples.phases.push(await deep.phases());
    await deep.close();
  }
  return { figures: figuresOf(samples) };
}

async function clickInNewTab(
  context: BrowserContext,
  { stage, agent }: { stage: Stage; agent: Agent },
): Promise<number> {
  const visit = await Visit.open(context, `${stage.shell}/#/d/${agent.id}`);
  const { firstByteMs } = await visit.click();
  await visit.close();
  return firstByteMs;
}

function figuresOf(
  { firstClick, click, deep, phases }: {
    firstClick: number[];
    click: number[];
    deep: number[];
    phases: Phases[];
  },
): Figure[] {
  const times = (variant: string, samples: number[]) => ({ variant, unit: "ms", samples }) as const;
  return [
    figure("click to first byte", times("worker installed", click)),
    figure("click to first byte", times("first visit of a profile", firstClick)),
    figure("deep link to first byte", times("paired before", deep)),
    figure("navigation to live", times("in all", phases.map(({ live }) => live))),
    ...["page", ...PHASES.slice(0, -1)].map((phase) =>
      figure("navigation to live", times(phase, phases.map((one) => lengthOf(phase, one))))
    ),
  ];
}

/** From the beginning of a phase to that of the next one that was seen; "page" begins with the navigation. */
function lengthOf(phase: string, begun: Phases): number {
  const index = PHASES.indexOf(phase as Phase); // -1 for the page
  const following = PHASES.slice(index + 1);
  const end = begun[following.find((next) => begun[next] !== undefined)!]!;
  const start = index < 0 ? 0 : begun[PHASES[index]!];
  return end - (start ?? end);
}
