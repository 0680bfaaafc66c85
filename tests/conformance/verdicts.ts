/** Whether two runs of a case agree, and the table of all. */
import type { BrowserName } from "../e2e/either_browser.ts";
import { type Case, label } from "./case.ts";
import type { Outcome } from "./runner.ts";

const OUT = new URL("out/", import.meta.url);
const UNFINISHED = /^(?:TIMEOUT|FAILED)/;
/** Characters of one observation that a person is shown. */
const SHOWN_CHARACTERS = 300;

/** One check that is not the same. */
export interface Difference {
  readonly check: string;
  readonly direct: unknown;
  readonly tunnel: unknown;
  /** Why it cannot be the same; undefined where that was not expected. */
  readonly reason: string | undefined;
}

/** What there is to say about a case. */
export interface Judgement {
  readonly outcome: Outcome;
  readonly checks: number;
  readonly differences: readonly Difference[];
  /** Why the case failed; empty if it passed. */
  readonly problems: readonly string[];
}

export function judge(testCase: Case, outcome: Outcome, browser: BrowserName): Judgement {
  const { direct, tunnel } = outcome;
  const names = [...new Set([...Object.keys(direct), ...Object.keys(tunnel)])];
  const reasons = Object.entries({
    ...testCase.exceptions,
    ...testCase.exceptionsIn?.[browser],
  });
  const differences = names.filter((name) => !same(direct[name], tunnel[name])).map((name) => ({
    check: name,
    direct: direct[name],
    tunnel: tunnel[name],
    reason: reasons.find(([pattern]) => fits(pattern, name))?.[1],
  }));
  const problems = [
    ...differences.filter(({ reason }) => reason === undefined).map(toldDifference),
    ...names.filter((name) => UNFINISHED.test(String(direct[name]))).map((name) =>
      `${name}: ${direct[name]}`
    ),
    ...Object.entries(testCase.expected)
      .filter(([name, value]) => name in direct && !same(direct[name], value))
      .map(([name, value]) => `${name}: direct is ${shown(direct[name])}, not ${shown(value)}`),
    ...reasons
      .filter(([pattern]) => !differences.some(({ check }) => fits(pattern, check)))
      .map(([pattern]) => `${pattern}: listed as one that cannot agree, but it does`),
  ];
  if (names.length === 0) problems.push("nothing was observed");
  return { outcome, checks: names.length, differences, problems };
}

/** The table, as it is printed. */
export function table(judgements: readonly Judgement[]): string {
  const rows = judgements.map(({ outcome, checks, differences, problems }) => {
    const { direct, tunnel } = outcome.ms;
    const agree = problems.length > 0 ? "NO" : differences.length === 0 ? "yes" : "but listed";
    return [
      label(outcome),
      `${checks - differences.length}/${checks}`,
      agree,
      seconds(direct),
      seconds(tunnel),
      outcome.title,
    ];
  });
  const lines = [["case", "same", "agree", "direct", "tunnel", "what"], ...rows];
  const widths = [4, 7, 10, 8, 8, 0];
  return lines.map((line) => line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  "))
    .join("\n");
}

/** Keeps everything that was observed. */
export async function keep(
  name: BrowserName,
  judgements: readonly Judgement[],
  more: object,
): Promise<void> {
  await Deno.mkdir(OUT, { recursive: true });
  const cases = judgements.map(({ outcome, differences, problems }) => ({
    ...outcome,
    differences,
    problems,
  }));
  const text = JSON.stringify({ browser: name, ...more, cases }, undefined, 2);
  await Deno.writeTextFile(new URL(`${name}.json`, OUT), text + "\n");
}

function toldDifference({ check, direct, tunnel }: Difference): string {
  return `${check}: direct ${shown(direct)}, tunnel ${shown(tunnel)}`;
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, SHOWN_CHARACTERS);
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** "a", or "a*" for all that begin so, or "*a" for all that end so. */
function fits(pattern: string, name: string): boolean {
  if (pattern.startsWith("*")) return name.endsWith(pattern.slice(1));
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
