/**
 * Runs, many of them. A batch has one stage and one seed: `run.ts` repeats it, with all that the attackers chose. Keys and
 * nonces are new each time.
 */
import { BridgeRun } from "./bridge_run.ts";
import { CarriedRun, type Outcome } from "./carried.ts";
import { Dice } from "./dice.ts";
import { GuestRun, HONEST, wickednessOf } from "./guest_run.ts";
import { calm, EvilRendezvous, Memory, moodOf } from "./rendezvous.ts";
import { Stage } from "./stage.ts";
import { Violation } from "./visit.ts";

export const RUNS_PER_BATCH = 100;

/** What came of many runs. */
export interface Tally {
  runs: number;
  /** Runs of the attackers that should give no session and gave none. */
  refused: number;
  sessions: number;
  halves: number;
  wanted: number;
  /** How often each thing was done. */
  deeds: Record<string, number>;
  /** What must not be, with the seed that shows it again. */
  violations: string[];
}

export interface CampaignOptions {
  /** Seeds of the batches. */
  readonly seeds: readonly number[];
  /** "calm": nobody does anything evil, which shows that the harness can have sessions. */
  readonly mood: "evil" | "calm";
  readonly runs?: number;
}

export function emptyTally(): Tally {
  return { runs: 0, refused: 0, sessions: 0, halves: 0, wanted: 0, deeds: {}, violations: [] };
}

/** Adds what another part found. */
export function addTally(sum: Tally, part: Tally): void {
  for (const key of ["runs", "refused", "sessions", "halves", "wanted"] as const) {
    sum[key] += part[key];
  }
  for (const [deed, count] of Object.entries(part.deeds)) count_(sum, deed, count);
  sum.violations.push(...part.violations);
}

/** Runs batches one after the other. Stops at the first violation of a batch. */
export async function runCampaign(
  { seeds, mood, runs = RUNS_PER_BATCH }: CampaignOptions,
): Promise<Tally> {
  const tally = emptyTally();
  for (const seed of seeds) {
    const stage = await Stage.make();
    const memory = new Memory();
    try {
      for (let run = 0; run < runs; run++) {
        try {
          await oneRun(tally, { stage, memory, mood, dice: new Dice(seed * 1000 + run), run });
        } catch (error) {
          tally.violations.push(`seed ${seed}, run ${run}: ${told(error)}`);
          break;
        }
      }
    } finally {
      await stage.close();
    }
  }
  return tally;
}

interface OneRun {
  readonly stage: Stage;
  readonly memory: Memory;
  readonly mood: CampaignOptions["mood"];
  readonly dice: Dice;
  readonly run: number;
}

/** Every other run has the keys of a guest. */
async function oneRun(tally: Tally, { stage, memory, mood, dice, run }: OneRun): Promise<void> {
  const isEvil = mood === "evil";
  const deeds: string[] = [];
  const outcome =
    await (run % 2 === 0 ? carried() : isEvil && dice.chance(0.1) ? bridged() : guest());
  checkLogs(stage);
  stage.pause();
  tally.runs++;
  for (const deed of deeds) count_(tally, deed, 1);
  tally.sessions += outcome.sessions;
  tally.halves += outcome.halves;
  tally.wanted += outcome.wanted;
  if (outcome.sessions === 0 && outcome.halves === 0) tally.refused++;

  async function carried(): Promise<Outcome> {
    const signer = stage.lair.identity.signer;
    const options = { dice, mood: isEvil ? moodOf(dice) : calm(), memory, signer };
    const evil = new EvilRendezvous(options);
    try {
      return await new CarriedRun(stage, evil).run();
    } finally {
      for (const [deed, count] of evil.deeds) count_(tally, `carried: ${deed}`, count);
    }
  }

  async function guest(): Promise<Outcome> {
    const run = new GuestRun(stage, dice, isEvil ? wickednessOf(dice) : HONEST);
    const result = await run.run();
    deeds.push(...run.deeds.map((deed) => `guest: ${deed}`));
    return result;
  }

  async function bridged(): Promise<Outcome> {
    const run = new BridgeRun(stage, dice);
    const result = await run.run();
    deeds.push(...run.deeds);
    return result;
  }
}

/** Whatever comes, nothing fails inside a device. */
function checkLogs({ devices }: Stage): void {
  const errors = devices.flatMap(({ log }) => log.lines).filter(({ event }) =>
    /failed/.test(event)
  );
  if (errors.length > 0) throw new Violation(`a device failed: ${JSON.stringify(errors[0])}`);
}

function count_({ deeds }: Tally, deed: string, count: number): void {
  deeds[deed] = (deeds[deed] ?? 0) + count;
}

function told(error: unknown): string {
  const { message, cause, stack } = error as Error;
  return error instanceof Violation
    ? `${message}${cause ? ` (${(cause as Error).stack})` : ""}`
    : `the harness failed: ${stack}`;
}
