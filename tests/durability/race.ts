/** Two racers over their many lives: who was told what. */
import { seededRandom } from "../vnet/link.ts";
import { type Acknowledgement, OPERATIONS, type Racer, RACERS } from "./operations.ts";
import { type Death, Victim } from "./victim.ts";

/** Operations of one life, before it waits for its end: many lives, and all but the last are killed. */
export const SHARE = 24;
/** One in so many lives ends before it said a word: in its start, or while it opens the store. */
const STILLBORN = 8;
const START_MS = 250;
/** A kill comes within this after the line that it waits for: in one of the next few operations. */
const AFTER_LINE_MS = 5;
/** One in so many times, the first to be killed takes the other with it. */
const BOTH = 3;

export interface Answer extends Acknowledgement {
  readonly by: Racer;
}

export interface Race {
  readonly answers: readonly Answer[];
  readonly kills: number;
}

/** Runs a race to its end: both have had an answer to each operation. */
export async function race(path: string, seed: number): Promise<Race> {
  const random = seededRandom(seed);
  const answers: Answer[] = [];
  let kills = 0;
  for (;;) {
    // Both from the same place, so that they meet at the same invites: one of them repeats what it knows.
    const first = Math.min(...RACERS.map((by) => nextOf(answers, by)));
    if (first === OPERATIONS.length) return { answers, kills };
    const ends = await runBoth(path, { first, random });
    kills += ends.filter(({ killed }) => killed).length;
    answers.push(...ends.flatMap(({ heard }) => heard));
  }
}

interface End {
  readonly killed: boolean;
  readonly heard: readonly Answer[];
}

async function runBoth(
  path: string,
  { first, random }: { readonly first: number; readonly random: () => number },
): Promise<End[]> {
  const victims = RACERS.map((by) =>
    new Victim([path, by, `${first}`, `${SHARE}`], chooseDeath(random))
  );
  const takesOther = random() < 1 / BOTH;
  const lives = victims.map(async ({ life }, index): Promise<End> => {
    const { lines, killed } = await life;
    if (killed && takesOther) victims.forEach((victim) => victim.kill());
    const heard = lines.slice(1).map((line) => ({
      ...line as Acknowledgement,
      by: RACERS[index]!,
    }));
    return { killed, heard };
  });
  const started = Promise.all(victims.map(({ ready }) => ready))
    .then(() => Promise.all(victims.map((victim) => victim.go())));
  const [ends] = await Promise.all([Promise.all(lives), started]);
  return ends;
}

function chooseDeath(random: () => number): Death {
  if (random() < 1 / STILLBORN) return { afterLines: 0, afterMs: random() * START_MS };
  const afterLines = 1 + Math.ceil(random() * SHARE); // the first line says that it is open
  return { afterLines, afterMs: random() * AFTER_LINE_MS };
}

function nextOf(answers: readonly Answer[], by: Racer): number {
  return (answers.findLast((answer) => answer.by === by)?.operation ?? -1) + 1;
}
