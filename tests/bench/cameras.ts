/**
 * `make bench ARGS=--cameras`: how old a camera's picture is when it is on the screen, beside go2rtc
 * with the same camera and the same browser, in turn. The camera writes the time into its pictures
 * before it encodes them (clock_camera.py), and it is read from the shown picture: nobody's own
 * timestamps are asked.
 *
 *   bench.ts --cameras [--quick] [--seconds N] [--rounds N] [--size 640x360] [--json FILE]
 */
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { bundleProgram } from "../../cross/bundle_program.ts";
import { inCheckout } from "../e2e/checkout.ts";
import { startClockCamera } from "./cameras/clock_camera.ts";
import { type ClockReading, readClock } from "./cameras/clock_reader.ts";
import { buildGo2rtc, showGo2rtc, startGo2rtc } from "./cameras/go2rtc.ts";
import { cpuSeconds } from "./cameras/cpu.ts";
import { rtspMissing } from "./first_picture.ts";
import { machineFacts } from "./machine.ts";
import { quantile, shortNumber } from "./measure.ts";
import { Stage } from "./stage.ts";
import { newProfile, pair } from "./visit.ts";

const SIZES = [
  { size: "640x360", bitrate: 1000 },
  { size: "1920x1080", bitrate: 4000 },
] as const;
/** The first pictures are the browser's getting going. */
const SETTLE_MS = 3000;
const FULL = { seconds: 20, rounds: 3 };
const QUICK = { seconds: 5, rounds: 1 };

type Way = "porthole" | "go2rtc";

/** One look of `seconds` at one camera by one way. */
interface Sample {
  readonly size: string;
  readonly way: Way;
  readonly median: number;
  readonly p95: number;
  readonly longestGapMs: number;
  readonly pictures: number;
  readonly unreadable: number;
  /** Median of the browser's own share: from a picture's arrival to its showing. */
  readonly inside: number | undefined;
  /** Of the serving program, in per cent of a core. */
  readonly cpuPercent: number;
}

export interface CameraBenchHandlers {
  readonly say: (line: string) => void;
  /** Told of everything that must end when the run is broken off. */
  readonly opened: (part: AsyncDisposable) => void;
}

/** Gives whether all could be measured. */
export async function benchCameras(
  args: readonly string[],
  { say, opened }: CameraBenchHandlers,
): Promise<boolean> {
  const options = readOptions(args);
  const missing = rtspMissing();
  if (missing !== undefined) throw new Error(`Cannot measure: ${missing}`);
  await bundleProgram();
  const noPeer = await buildGo2rtc();
  if (noPeer !== undefined) say(`skipped: ${noPeer}`);
  const stage = await Stage.open();
  opened(stage);
  const machine = await machineFacts(stage.browser.version());
  const samples: Sample[] = [];
  const failed: string[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const ways: Way[] = noPeer === undefined ? ["porthole", "go2rtc"] : ["porthole"];
    for (const { size, bitrate } of options.sizes) {
      for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
        await using camera = await startClockCamera({ size, bitrate });
        const look = way === "porthole" ? lookAtOurs : lookAtGo2rtc;
        try {
          const seen = await look(stage, { url: camera.url, seconds: options.seconds });
          samples.push({ size, way, ...seen });
          say(rowOf(samples.at(-1)!));
        } catch (error) {
          failed.push(`${size}, ${way}: ${error instanceof Error ? error.message : error}`);
        }
      }
    }
  }
  say(`\n${tableOf(samples)}\n`);
  for (const reason of failed) say(`failed: ${reason}`);
  await Deno.mkdir(dirname(options.json), { recursive: true });
  const document = { machine, peer: noPeer ?? "go2rtc", samples, failed };
  await Deno.writeTextFile(options.json, JSON.stringify(document, undefined, 2) + "\n");
  return failed.length === 0;
}

type Seen = Omit<Sample, "size" | "way">;
type Look = (stage: Stage, options: { url: string; seconds: number }) => Promise<Seen>;

const lookAtOurs: Look = async (stage, { url, seconds }) => {
  await using agent = await stage.agent({ cameras: [`clock=${url}`] });
  await using context = await newProfile(stage.browser);
  const visit = await pair(context, agent);
  await visit.picture("clock");
  const selector = "video[data-testid=camera-clock]";
  return await measured(
    agent.pid,
    seconds,
    (forMs) => visit.shell.page.evaluate(readClock, { selector, forMs }),
  );
};

const lookAtGo2rtc: Look = async (stage, { url, seconds }) => {
  await using peer = await startGo2rtc(url);
  await using context = await newProfile(stage.browser);
  const page = await context.newPage();
  await showGo2rtc(page, peer.origin);
  return await measured(
    peer.pid,
    seconds,
    (forMs) => page.evaluate(readClock, { selector: "#clock", forMs }),
  );
};

async function measured(
  pid: number,
  seconds: number,
  read: (forMs: number) => Promise<ClockReading>,
): Promise<Seen> {
  await read(SETTLE_MS);
  const [start, cpu] = [performance.now(), cpuSeconds(pid)];
  const { ages, inside, longestGapMs, unreadable } = await read(seconds * 1000);
  const passed = (performance.now() - start) / 1000;
  if (ages.length === 0) throw new Error(`no picture could be read, ${unreadable} were shown`);
  return {
    median: quantile(ages, 0.5),
    p95: quantile(ages, 0.95),
    longestGapMs,
    pictures: ages.length,
    unreadable,
    inside: inside.length === 0 ? undefined : quantile(inside, 0.5),
    cpuPercent: (cpuSeconds(pid) - cpu) / passed * 100,
  };
}

function readOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      seconds: { type: "string" },
      rounds: { type: "string" },
      size: { type: "string" },
      json: { type: "string", default: inCheckout("tests/bench/out/cameras.json") },
    },
  });
  const usual = values.quick ? QUICK : FULL;
  const seconds = Number(values.seconds ?? usual.seconds);
  const rounds = Number(values.rounds ?? usual.rounds);
  if (!(seconds > 0) || !Number.isInteger(rounds) || rounds < 1) {
    throw new TypeError("--seconds and --rounds are numbers from 1");
  }
  const sizes = SIZES.filter(({ size }) => (values.size ?? size) === size);
  if (sizes.length === 0) throw new TypeError(`--size is one of ${SIZES.map(({ size }) => size)}`);
  return { seconds, rounds, sizes, json: values.json };
}

function rowOf({ size, way, median, p95, inside, longestGapMs, cpuPercent }: Sample): string {
  const share = inside === undefined ? "-" : shortNumber(inside);
  const figures = [median, p95].map(shortNumber).join(" | ");
  return `| ${size} | ${way} | ${figures} | ${share} | ${shortNumber(longestGapMs)} | ${
    shortNumber(cpuPercent)
  } |`;
}

/** Of several rounds the one in the middle, by its median. */
function tableOf(samples: readonly Sample[]): string {
  const rows = SIZES.flatMap(({ size }) =>
    (["porthole", "go2rtc"] as const).flatMap((way) => {
      const rounds = samples.filter((one) => one.size === size && one.way === way)
        .toSorted((a, b) => a.median - b.median);
      return rounds.length === 0 ? [] : [rowOf(rounds[rounds.length >> 1]!)];
    })
  );
  return [
    "| size | by | median ms | p95 ms | in the browser ms | longest gap ms | CPU % of a core |",
    "|---|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}
