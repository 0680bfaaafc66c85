/** The table that `make bench` prints and the document that it writes. Pure: figures in, text out. */
import type { Machine } from "./machine.ts";
import { type Figure, type Ratio, shortNumber, summarize } from "./measure.ts";

/** What one measure found. */
export interface Findings {
  readonly figures: readonly Figure[];
  readonly ratios?: readonly Ratio[];
}

/** All of a run. */
export interface Run {
  readonly machine: Machine;
  readonly quick: boolean;
  /** How long it took, in s. */
  readonly seconds: number;
  readonly findings: readonly Findings[];
  /** What was left out, and why. */
  readonly skipped: readonly string[];
  /** What went wrong while it was measured. */
  readonly failed: readonly string[];
}

const HEADINGS = ["what", "how", "n", "median", "min .. max", "unit"];
/** Columns of numbers, which end at the right. */
const RIGHT_ALIGNED = new Set([2, 3]);

/** The aligned table, with the machine above and what was skipped below. */
export function tableOf({ machine, findings, skipped, failed, seconds, quick }: Run): string {
  const rows = findings.flatMap(({ figures, ratios = [] }) => [
    ...figures.map(figureRow),
    ...ratios.map(ratioRow),
  ]);
  return [
    `porthole ${machine.commit ?? "without a commit"} on ${machine.runtime}, ${machine.arch}`,
    `${machine.cores} cores, ${machine.memoryMB} MB, Linux ${machine.kernel}, ${machine.browser}`,
    "",
    ...aligned([HEADINGS, ...rows]),
    "",
    ...skipped.map((reason) => `skipped: ${reason}`),
    ...failed.map((reason) => `failed: ${reason}`),
    `${Math.round(seconds)} s${quick ? ", quick: few samples" : ""}`,
  ].join("\n");
}

/** The same for programs: every sample in the order in which it was taken. */
export function documentOf({ machine, findings, skipped, failed, seconds, quick }: Run): unknown {
  return {
    machine,
    quick,
    seconds: Math.round(seconds),
    figures: findings.flatMap(({ figures }) =>
      figures.map((one) => ({
        ...one,
        ...summarize(one.samples),
      }))
    ),
    ratios: findings.flatMap(({ ratios = [] }) => ratios),
    skipped,
    failed,
  };
}

function figureRow({ measure, variant, unit, samples }: Figure): string[] {
  const { count, median, min, max } = summarize(samples);
  return [measure, variant, String(count), shortNumber(median), spread(min, max), unit];
}

function ratioRow({ measure, variants, count, median, min, max }: Ratio): string[] {
  return [measure, variants, String(count), shortNumber(median), spread(min, max), "x"];
}

function spread(min: number, max: number): string {
  return `${shortNumber(min)} .. ${shortNumber(max)}`;
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = HEADINGS.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0))
  );
  return rows.map((row) =>
    row.map((cell, column) =>
      RIGHT_ALIGNED.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)
    ).join("  ").trimEnd()
  );
}
