/** What cannot be the same through the tunnel, as the README has it: one row for each check of a case. */
import { BROWSERS, type Case } from "./case.ts";

const README = new URL("../../README.md", import.meta.url);

/** The rows, in the order of the cases. */
export function rows(cases: readonly Case[]): string[] {
  return cases.flatMap((testCase) => {
    const everywhere = Object.entries(testCase.exceptions ?? {});
    const here = BROWSERS.flatMap((name) =>
      Object.entries(testCase.exceptionsIn?.[name] ?? {}).map(([check, reason]) =>
        [check, reason, name] as const
      )
    );
    const byReason = Map.groupBy(
      [...everywhere.map(([check, reason]) => [check, reason, ""] as const), ...here],
      ([, reason, name]) => `${reason}|${name}`,
    );
    return [...byReason.values()].map((same) => {
      const [[, reason = "", name = ""] = []] = same;
      const checks = same.map(([check]) => check.replaceAll("*", "…")).join("; ");
      return `| ${testCase.number} | ${checks}${name === "" ? "" : ` (${name})`} | ${reason} |`;
    });
  });
}

/** The rows that the README lacks. */
export async function missingRows(cases: readonly Case[]): Promise<string[]> {
  const lines = new Set((await Deno.readTextFile(README)).split("\n"));
  return rows(cases).filter((row) => !lines.has(row));
}
