/** What was measured, and the table that is made of it. Pure. */
import type { StackName } from "./stacks.ts";

/** One transfer. */
export interface Sample {
  readonly link: string;
  /** Round trip of the empty link, in ms. */
  readonly rttMs: number;
  readonly stack: StackName;
  readonly pair: number;
  /** `down` is from the device to the browser. */
  readonly direction: "down" | "up";
  readonly messageBytes: number;
  /** Whether everything came before the limit. */
  readonly complete: boolean;
  readonly mbitPerSecond: number;
  /** CPU of the device's process, in seconds for each 100 MB. */
  readonly cpuSecondsPer100Mb: number;
  /** Highest resident memory of the device's process, in MiB. */
  readonly peakMib: number;
  /** From the answer to an open channel, in the browser, in ms. */
  readonly openMs: number;
  /** Round trip of 1 KiB on another channel meanwhile, in ms: 19 of 20 were faster. */
  readonly echoP95Ms: number;
  readonly echoes: number;
}

type Figure = "mbitPerSecond" | "cpuSecondsPer100Mb" | "peakMib" | "openMs" | "echoP95Ms";

const COLUMNS: readonly (readonly [title: string, figure: Figure, digits: number])[] = [
  ["Mbit/s", "mbitPerSecond", 1],
  ["CPU s per 100 MB", "cpuSecondsPer100Mb", 2],
  ["peak MiB", "peakMib", 0],
  ["open ms", "openMs", 0],
  ["echo p95 ms", "echoP95Ms", 0],
];

/** Medians of all pairs, ours / pion, in Markdown. */
export function table(samples: readonly Sample[]): string {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const { link, direction, messageBytes } = sample;
    const key = `${link} | ${direction} | ${messageBytes / 1024} KiB`;
    groups.set(key, [...groups.get(key) ?? [], sample]);
  }
  const titles = COLUMNS.map(([title]) => title).join(" | ");
  const lines = [...groups].map(([key, group]) => `| ${key} | ${cells(group).join(" | ")} |`);
  return [
    "Medians, ours / pion; `down` is device to browser; * some were cut off at the limit.",
    "",
    `| link | direction | message | pairs | ${titles} |`,
    `|${" --- |".repeat(4 + COLUMNS.length)}`,
    ...lines,
  ].join("\n");
}

function cells(group: readonly Sample[]): string[] {
  const [ours, pion] = (["ours", "pion"] as const).map((name) =>
    group.filter(({ stack }) => stack === name)
  );
  const figures = COLUMNS.map(([, figure, digits]) => {
    const [left, right] = [ours!, pion!].map((part) => {
      const value = median(part.map((sample) => sample[figure]));
      return Number.isNaN(value) ? "-" : value.toFixed(digits);
    });
    const cut = figure === "mbitPerSecond" && group.some(({ complete }) => !complete);
    return `${left} / ${right}${cut ? " *" : ""}`;
  });
  return [`${ours!.length} / ${pion!.length}`, ...figures];
}

/** NaN for nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)]!;
  return sorted.length === 0 ? NaN : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
