/**
 * Our transport against pion, each in turn as the device of the same Chromium on the same link:
 * speed both ways, CPU and memory of the device, time to open, and what a small message on another
 * channel waits meanwhile. Prints one table, writes one JSON (tests/bench/out/transport.json).
 *
 *   deno run -A tests/bench/transport.ts [--pairs N] [--quick] [--only TEXT]
 *
 * `--quick` is one pair with small transfers on loopback and at 50 ms; `--only` takes the links
 * whose name contains the text. All links but loopback need root and the shared folder.
 */
import { parseArgs } from "node:util";
import type { Browser, Page } from "playwright-core";
import { exists, inCheckout } from "../e2e/checkout.ts";
import { chromiumMissing, launchChromium } from "../e2e/browser.ts";
import { DEVICE_HOST, twoHosts, twoHostsMissing, VIEWER_HOST } from "../e2e/two_hosts.ts";
import { type Condition, CONDITIONS, MESSAGE_BYTES, TRANSFER_LIMIT_MS } from "./transport/links.ts";
import { type Sample, table } from "./transport/results.ts";
import { buildPion, DeviceProcess, type StackName } from "./transport/stacks.ts";

const PAIRS = 5;
const OUT = inCheckout("tests/bench/out/");
/** Beyond the limits inside the page, in ms: then the page or the device is stuck. */
const PAGE_LIMIT_MS = TRANSFER_LIMIT_MS + 15_000;
const CONNECT_LIMIT_MS = 20_000;
/** How long another run may keep the two hosts, in ms. */
const HOSTS_LIMIT_MS = 10 * 60_000;
const DIRECTIONS = ["down", "up"] as const;

/** What a transfer was, from the page. */
interface Transfer {
  readonly bytes: number;
  readonly timedBytes: number;
  readonly ms: number;
  readonly trips: readonly number[];
}

interface Setting {
  readonly condition: Condition;
  readonly stack: StackName;
  readonly pair: number;
  readonly quick: boolean;
  readonly pion: string;
}

const { values } = parseArgs({
  options: {
    pairs: { type: "string" },
    quick: { type: "boolean", default: false },
    only: { type: "string", default: "" },
  },
});
const quick = values.quick;
const pairs = Number(values.pairs ?? (quick ? 1 : PAIRS));

const noChromium = await chromiumMissing();
if (noChromium !== undefined) stop(`the transport bench is skipped: ${noChromium}`);
await Deno.mkdir(OUT, { recursive: true });
const pion = `${OUT}pion`;
const noPion = await buildPion(pion);
if (noPion !== undefined) say(`pion is skipped: ${noPion}`);
const noHosts = await twoHostsMissing();
if (noHosts !== undefined) say(`all links but loopback are skipped: ${noHosts}`);
const script = await Deno.readTextFile(inCheckout("tests/bench/transport/page.js"));

/** What has to be taken down when somebody stops the run: links, processes. */
const standing = new Set<AsyncDisposable>();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => {
    Promise.allSettled([...standing].map((part) => part[Symbol.asyncDispose]()))
      .then(() => Deno.exit(130));
  });
}

const samples: Sample[] = [];
for (const condition of CONDITIONS) {
  if (!condition.name.includes(values.only)) continue;
  if (quick && values.only === "" && condition.rttMs !== 0 && condition.name !== "50 ms") continue;
  if (condition.link !== undefined && noHosts !== undefined) continue;
  await measure(condition).catch((error) => say(`${condition.name}: ${error.message}`));
}
say(table(samples));
Deno.exit(0); // Chromium's driver keeps handles of its own

/** All pairs on one link. What fails is told and left out: the rest of the table is still wanted. */
async function measure(condition: Condition): Promise<void> {
  if (condition.link !== undefined) await hostsFree();
  await using hosts = condition.link === undefined ? undefined : await twoHosts(condition.link);
  if (hosts !== undefined) standing.add(hosts);
  const netns = condition.link === undefined ? undefined : VIEWER_HOST.netns;
  const browser = await launchChromium({
    netns,
    disabledFeatures: ["WebRtcHideLocalIpsWithMdns"],
  });
  const stacks: StackName[] = noPion === undefined ? ["ours", "pion"] : ["ours"];
  try {
    for (let pair = 0; pair < pairs; pair++) {
      // Who comes first changes, so that a machine that grows slower is fair to both.
      for (const stack of pair % 2 === 0 ? stacks : stacks.toReversed()) {
        const setting = { condition, stack, pair, quick, pion };
        await session(browser, setting).catch((error) => {
          say(`${condition.name}, ${stack}, pair ${pair + 1}: ${error.message}`);
        });
      }
    }
  } finally {
    await browser.close();
    if (hosts !== undefined) standing.delete(hosts);
  }
}

/** There is one pair of hosts on a machine, and putting ours up would take another run's down. */
async function hostsFree(): Promise<void> {
  const end = performance.now() + HOSTS_LIMIT_MS;
  while (await exists(`/run/netns/${DEVICE_HOST.netns}`)) {
    if (performance.now() > end) {
      throw new Error("the two hosts are in use; if by nobody: two_hosts.sh down");
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function save(): Promise<void> {
  const cpus = navigator.hardwareConcurrency;
  const result = JSON.stringify({ pairs, quick, cpus, samples }, undefined, 1);
  await Deno.writeTextFile(`${OUT}transport.json`, result);
}

/** One device process, and in it each direction with each size, each in a new connection. */
async function session(browser: Browser, setting: Setting): Promise<void> {
  const { condition, stack, pion } = setting;
  const host = condition.link === undefined ? undefined : DEVICE_HOST;
  await using device = await DeviceProcess.start(stack, {
    pion,
    address: host?.address ?? "127.0.0.1",
    netns: host?.netns,
  });
  standing.add(device);
  const page = await browser.newPage();
  try {
    await page.goto(`${device.base}/`);
    await page.addScriptTag({ content: script, type: "module" });
    await page.waitForFunction("globalThis.bench !== undefined");
    await connect(page); // the first one compiles code, in either process
    for (const size of MESSAGE_BYTES) {
      for (const direction of DIRECTIONS) {
        samples.push(await transfer(page, device, { setting, size, direction }));
        await save(); // a run of an hour that is stopped has not been for nothing
      }
    }
  } finally {
    standing.delete(device);
    await page.close();
  }
}

async function transfer(
  page: Page,
  device: DeviceProcess,
  { setting, size, direction }: {
    readonly setting: Setting;
    readonly size: number;
    readonly direction: typeof DIRECTIONS[number];
  },
): Promise<Sample> {
  const { condition, stack, pair, quick } = setting;
  const openMs = await connect(page);
  device.forgetPeak();
  const before = device.cpuSeconds();
  const bytes = quick ? condition.quickBytes : condition.bytes;
  const call = `bench.transfer(${
    JSON.stringify(direction)
  }, ${bytes}, ${size}, ${TRANSFER_LIMIT_MS})`;
  const moved = await within(page.evaluate(call) as Promise<Transfer>, PAGE_LIMIT_MS, "transfer");
  const cpu = device.cpuSeconds() - before;
  const sample: Sample = {
    link: condition.name,
    rttMs: condition.rttMs,
    stack,
    pair,
    direction,
    messageBytes: size,
    complete: moved.bytes >= bytes,
    mbitPerSecond: moved.timedBytes * 8 / 1000 / moved.ms,
    cpuSecondsPer100Mb: cpu * 100_000_000 / moved.bytes,
    peakMib: device.peakMib(),
    openMs,
    echoP95Ms: p95(moved.trips),
    echoes: moved.trips.length,
  };
  say(
    `${condition.name}, ${stack}, pair ${pair + 1}, ${direction}, ${size / 1024} KiB: ` +
      `${sample.mbitPerSecond.toFixed(1)} Mbit/s${sample.complete ? "" : " (cut off)"}`,
  );
  return sample;
}

async function connect(page: Page): Promise<number> {
  return await within(
    page.evaluate("bench.connect()") as Promise<number>,
    CONNECT_LIMIT_MS,
    "connection",
  );
}

async function within<Value>(work: Promise<Value>, limitMs: number, what: string): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no ${what} in ${limitMs} ms`)), limitMs);
  work.catch(() => {}); // it may fail after the limit, when nobody waits
  return await Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}

/** NaN when nothing came back at all. */
function p95(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.95))] ?? NaN;
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

function stop(line: string): never {
  say(line);
  Deno.exit(0);
}
