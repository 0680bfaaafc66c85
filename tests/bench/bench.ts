/**
 * `make bench`: speed and memory of the bundle as a browser meets it, as a table on stdout and a JSON file. Not a test: no
 * figure decides anything here (docs/benchmarks.md says what each means). The measures are the other files, one each.
 *
 *   bench.ts [--quick] [--links] [--pages] [--only PART] [--json FILE]
 *   bench.ts --transport ...: the transport beside pion's instead (transport.ts)
 *   bench.ts --cameras ...: how old pictures are, beside go2rtc's, instead (cameras.ts)
 */
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { chromiumMissing } from "../e2e/browser.ts";
import { bundleProgram } from "../../cross/bundle_program.ts";
import { inCheckout } from "../e2e/checkout.ts";
import { measureChannel } from "./channel.ts";
import { measureFirstByte } from "./first_byte.ts";
import { measureRtspPicture, measureTestPicture, rtspMissing } from "./first_picture.ts";
import { measureLatency } from "./latency.ts";
import { linksMissing, measureLinks } from "./links.ts";
import { benchCameras } from "./cameras.ts";
import { machineFacts } from "./machine.ts";
import { measureMemory } from "./memory.ts";
import { measurePages } from "./pages.ts";
import { documentOf, type Findings, tableOf } from "./report.ts";
import { sshMissing } from "./ssh_tunnel.ts";
import { Stage } from "./stage.ts";
import { measureThroughput } from "./throughput.ts";
import { benchTransport } from "./transport.ts";

/** How often things are measured: a median of five has a spread to show; two only show that all runs. */
const FULL = { repeats: 5, lives: 5, blocks: 5, count: 40 };
const QUICK = { repeats: 2, lives: 1, blocks: 2, count: 20 };

const PARTS = ["throughput", "latency", "first-byte", "picture", "memory", "channel"] as const;

interface Options {
  readonly quick: boolean;
  readonly links: boolean;
  readonly pages: boolean;
  readonly only: string | undefined;
  readonly json: string;
}

/** What ends with the run, however it ends. */
const everything = new AsyncDisposableStack();
const interrupted = new AbortController();

/** Gives whether all could be measured. One part that fails takes no other with it. */
async function bench(options: Options): Promise<boolean> {
  const start = performance.now();
  const times = options.quick ? QUICK : FULL;
  const findings: Findings[] = [];
  const skipped: string[] = [];
  const failed: string[] = [];
  const found = (one: Findings) => void findings.push(one);
  await bundleProgram(); // an older bundle would be measured without anybody's noticing
  const stage = everything.use(await Stage.open());
  const machine = await machineFacts(stage.browser.version());
  for (const { part, missing, measure } of measures(stage, times)) {
    if (options.only !== undefined && options.only !== part) continue;
    if (missing !== undefined) skipped.push(missing);
    else await attempt(part, { failed, work: async () => found(await measure()) });
  }
  const opened = (part: AsyncDisposable) => void everything.use(part);
  for (const { part, wanted, missing, measure } of overLinks(options)) {
    const lack = wanted ? await missing() : undefined;
    if (lack !== undefined) skipped.push(`${part}: ${lack}`);
    else if (wanted) await attempt(part, { failed, work: () => measure(times, { found, opened }) });
  }
  interrupted.signal.throwIfAborted(); // half a run is none, and must not take the place of a whole one
  const seconds = (performance.now() - start) / 1000;
  const run = { machine, quick: options.quick, seconds, findings, skipped, failed };
  await print(Deno.stdout, tableOf(run));
  await Deno.mkdir(dirname(options.json), { recursive: true });
  await Deno.writeTextFile(options.json, JSON.stringify(documentOf(run), undefined, 2) + "\n");
  return failed.length === 0;
}

interface Measure {
  readonly part: typeof PARTS[number];
  /** Why it cannot be done here. */
  readonly missing?: string | undefined;
  readonly measure: () => Promise<Findings>;
}

/** What needs two hosts, one after the other. */
function overLinks({ links, pages }: Options) {
  return [
    { part: "links", wanted: links, missing: linksMissing, measure: measureLinks },
    {
      part: "pages",
      wanted: pages,
      missing: async () => await linksMissing() ?? await sshMissing(),
      measure: measurePages,
    },
  ];
}

function measures(stage: Stage, { repeats, lives, blocks, count }: typeof FULL): Measure[] {
  return [
    { part: "throughput", measure: () => measureThroughput(stage, { repeats }) },
    { part: "latency", measure: () => measureLatency(stage, { blocks, count }) },
    { part: "first-byte", measure: () => measureFirstByte(stage, { repeats }) },
    { part: "picture", measure: () => measureTestPicture(stage, { repeats }) },
    {
      part: "picture",
      missing: rtspMissing(),
      measure: () => measureRtspPicture(stage, { repeats }),
    },
    { part: "memory", measure: () => measureMemory(stage, { repeats: lives }) },
    { part: "channel", measure: () => measureChannel({ repeats }) },
  ];
}

/** Says on stderr what was done: a run takes minutes. */
async function attempt(
  part: string,
  { failed, work }: { failed: string[]; work: () => Promise<void> },
): Promise<void> {
  interrupted.signal.throwIfAborted();
  const start = performance.now();
  try {
    await work();
    await print(Deno.stderr, `${part}: ${Math.round((performance.now() - start) / 1000)} s`);
  } catch (error) {
    failed.push(`${part}: ${firstLine(error)}`);
    await print(Deno.stderr, `${part}: ${stackOf(error)}`);
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0]!;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      links: { type: "boolean", default: false },
      pages: { type: "boolean", default: false },
      only: { type: "string" },
      json: { type: "string", default: inCheckout("tests/bench/out/bench.json") },
    },
  });
  const { quick, links, pages, only, json } = values;
  if (only !== undefined && !["links", "pages", ...PARTS].includes(only)) {
    throw new TypeError(`--only is "${only}"; expected one of links, pages, ${PARTS.join(", ")}`);
  }
  return { quick, links: links || only === "links", pages: pages || only === "pages", only, json };
}

async function print(to: typeof Deno.stdout, line: string): Promise<void> {
  await to.write(new TextEncoder().encode(`${line}\n`));
}

/** Other benches with the same browser, so that a run of any is `make bench`. */
const OTHERS = new Map([["--transport", benchTransport], ["--cameras", benchCameras]]);

async function run(args: readonly string[]): Promise<boolean> {
  const [flag, other] = [...OTHERS].find(([flag]) => args.includes(flag)) ?? [];
  if (other === undefined) return await bench(readOptions(args));
  return await other(args.filter((arg) => arg !== flag), {
    say: (line) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`)),
    opened: (part) => void everything.use(part),
  });
}

async function main(): Promise<number> {
  const missing = await chromiumMissing();
  try {
    if (missing !== undefined) throw new Error(`Cannot measure: ${missing}`);
    return await run(Deno.args) ? 0 : 1;
  } catch (error) {
    await print(Deno.stderr, stackOf(error));
    return 1;
  } finally {
    await everything.disposeAsync();
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => {
    interrupted.abort(new Error(`Cannot finish the run: ${signal}`));
    everything.disposeAsync().finally(() => Deno.exit(130));
  });
}
Deno.exit(await main()); // playwright keeps handles of its own
