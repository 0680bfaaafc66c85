/** What was measured, and the table that is made of it. Pure. */
import { quantile, shortNumber, summarize } from "../measure.ts";
import type { StackName } from "./stacks.ts";

/** One transfer. */
export interface Sample {
  readonly link: string;
  readonly stack: StackName;
  /** Counted from 0. Both stacks of a pair were measured one right after the other. */
  readonly pair: number;
  /** `down` is from the device to the browser. */
  readonly direction: "down" | "up";
  readonly messageBytes: number;
  readonly mbitPerSecond: number;
  /** CPU of the device's process, in seconds for each 100 MB. */
  readonly cpuSecondsPer100Mb: number;
  /** Highest resident memory of the device's process, in MB. */
  readonly peakMb: number;
  /** From the answer to an open channel, in the browser, in ms. */
  readonly openMs: number;
  /** Round trip of 1 KiB on another channel meanwhile, in ms: 19 of 20 were faster. */
  readonly echoP95Ms: number;
  readonly echoes: number;
}

/** A gigabyte from the device over loopback, by a new process. */
export interface Push {
  readonly stack: StackName;
  readonly bytes: number;
  readonly seconds: number;
  readonly peakMb: number;
}

/** Which sample it is: what a run that goes on need not measure again. */
export type Place = Pick<Sample, "link" | "stack" | "pair" | "direction" | "messageBytes">;

export function isSame(one: Place, other: Place): boolean {
  return one.link === other.link && one.stack === other.stack && one.pair === other.pair &&
    one.direction === other.direction && one.messageBytes === other.messageBytes;
}

type FigureName = "mbitPerSecond" | "cpuSecondsPer100Mb" | "peakMb" | "openMs" | "echoP95Ms";

const COLUMNS: readonly (readonly [title: string, figure: FigureName])[] = [
  ["Mbit/s", "mbitPerSecond"],
  ["CPU s per 100 MB", "cpuSecondsPer100Mb"],
  ["peak MB", "peakMb"],
  ["open ms", "openMs"],
  ["echo p95 ms", "echoP95Ms"],
];

/** Markdown: for each point both stacks and their ratio pair by pair, each as median (least..largest). */
export function table(samples: readonly Sample[], pushes: readonly Push[]): string {
  const titles = COLUMNS.map(([title]) => title).join(" | ");
  return [
    `| link | way | message | stack | n | ${titles} |`,
    `| --- | --- | --- | --- | --: |${" --- |".repeat(COLUMNS.length)}`,
    ...[...grouped(samples).values()].flatMap(rows),
    ...pushes.map(pushRow),
  ].join("\n");
}

function grouped(samples: readonly Sample[]): Map<string, Sample[]> {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const key = [sample.link, sample.direction, sample.messageBytes].join();
    groups.set(key, [...groups.get(key) ?? [], sample]);
  }
  return groups;
}

function rows(group: readonly Sample[]): string[] {
  const [{ link, direction, messageBytes }] = group as [Sample];
  const [ours, pion] = [of(group, "ours"), of(group, "pion")];
  const point = `${link} | ${direction} | ${messageBytes / 1024} KiB`;
  return [
    row(`| ${point} | ours`, ours.length, (name) => ours.map((one) => one[name])),
    row("| | | | pion", pion.length, (name) => pion.map((one) => one[name])),
    row(
      "| | | | ours / pion",
      pairsOf(ours, pion).length,
      (name) => pairsOf(ours, pion).map(([left, right]) => left[name] / right[name]),
    ),
  ];
}

function of(group: readonly Sample[], name: StackName): Sample[] {
  return group.filter(({ stack }) => stack === name);
}

function pairsOf(ours: readonly Sample[], pion: readonly Sample[]): [Sample, Sample][] {
  return ours.flatMap((left): [Sample, Sample][] => {
    const right = pion.find(({ pair }) => pair === left.pair);
    return right === undefined ? [] : [[left, right]];
  });
}

function row(head: string, count: number, values: (name: FigureName) => readonly number[]): string {
  const cells = COLUMNS.map(([, name]) => cell(values(name)));
  return `${head} | ${count} | ${cells.join(" | ")} |`;
}

function cell(values: readonly number[]): string {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return "-";
  const { median, min, max } = summarize(finite);
  return `${shortNumber(median)} (${shortNumber(min)}..${shortNumber(max)})`;
}

function pushRow({ stack, bytes, seconds, peakMb }: Push): string {
  const rate = shortNumber(bytes * 8 / 1e6 / seconds);
  const size = shortNumber(bytes / 1e9);
  return `| loopback | down, ${size} GB | 16 KiB | ${stack} | 1 | ${rate} | | ${
    shortNumber(peakMb)
  } | | |`;
}

/** NaN when nothing came back at all. */
export function p95(values: readonly number[]): number {
  return values.length === 0 ? NaN : quantile(values, 0.95);
}
