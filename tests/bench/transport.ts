/**
 * `make bench ARGS=--transport`: our transport against pion, each in turn as the device of the same
 * Chromium on the same link: speed both ways, CPU and memory of the device, time to open, and what
 * a small message on another channel waits meanwhile. Prints one table in Markdown, writes one JSON.
 *
 *   bench.ts --transport [--pairs N] [--quick] [--only TEXT] [--json FILE] [--resume]
 *
 * `--quick` is one pair with short transfers on loopback and at 50 ms, without the gigabyte;
 * `--only` takes the links whose name contains the text, or "push" for the gigabyte alone;
 * `--resume` measures only what the JSON file does not have yet. All links but loopback need root
 * and the shared folder.
 */
import { parseArgs } from "node:util";
import type { Browser } from "playwright-core";
import { exists, inCheckout } from "../e2e/checkout.ts";
import { launchChromium } from "../e2e/browser.ts";
import { DEVICE_HOST, twoHosts, twoHostsMissing, VIEWER_HOST } from "../e2e/two_hosts.ts";
import { sourceFacts } from "./machine.ts";
import {
  type Condition,
  CONDITIONS,
  DIRECTIONS,
  FULL,
  MESSAGE_BYTES,
  QUICK,
} from "./transport/links.ts";
import { type Facts, Record } from "./transport/record.ts";
import { type Place, table } from "./transport/results.ts";
import { BenchSession } from "./transport/session.ts";
import { buildPion, pionVersion, type StackName } from "./transport/stacks.ts";

const PAIRS = 5;
const PION = inCheckout("tests/bench/out/pion");
/** How long another run may keep the two hosts, in ms. */
const HOSTS_LIMIT_MS = 10 * 60_000;
const PUSH = "push";

interface Options {
  readonly pairs: number;
  readonly quick: boolean;
  readonly only: string;
  readonly json: string;
  readonly resume: boolean;
}

/** What the bench is told while it runs. */
export interface TransportBenchHandlers {
  readonly say: (line: string) => void;
  /** Told of everything that must end when the run is broken off. */
  readonly opened: (part: AsyncDisposable) => void;
}

/**
 * Gives whether all could be measured. What fails is told and left out: the rest of the table is
 * still wanted. Throws an Error when options or machine are not fit for any of it.
 */
export async function benchTransport(
  args: readonly string[],
  handlers: TransportBenchHandlers,
): Promise<boolean> {
  const options = readOptions(args);
  const { say } = handlers;
  const start = performance.now();
  await Deno.mkdir(inCheckout("tests/bench/out"), { recursive: true });
  const noPion = await buildPion(PION);
  if (noPion !== undefined) say(`skipped: pion: ${noPion}`);
  const stacks: StackName[] = noPion === undefined ? ["ours", "pion"] : ["ours"];
  const noHosts = await twoHostsMissing();
  if (noHosts !== undefined) say(`skipped: all links but loopback: ${noHosts}`);
  const facts = await factsOfRun();
  const record = new Record(options.json, facts);
  if (options.resume) await record.resume();
  const run = new TransportBench({ ...options, stacks, record, handlers });
  for (const condition of CONDITIONS) {
    if (isWanted(condition, options) && (condition.link === undefined || noHosts === undefined)) {
      await run.measure(condition);
    }
  }
  if (options.only === PUSH || (options.only === "" && !options.quick)) await run.push();
  say(`\n${headline(facts, options)}\n\n${table(record.samples, record.pushes)}\n`);
  for (const reason of run.failed) say(`failed: ${reason}`);
  say(`${Math.round((performance.now() - start) / 1000)} s`);
  return run.failed.length === 0;
}

interface BenchOptions extends Options {
  readonly stacks: readonly StackName[];
  readonly record: Record;
  readonly handlers: TransportBenchHandlers;
}

class TransportBench {
  readonly failed: string[] = [];
  readonly #options: BenchOptions;

  constructor(options: BenchOptions) {
    this.#options = options;
  }

  /** All pairs on one link. */
  async measure(condition: Condition): Promise<void> {
    const { pairs, stacks } = this.#options;
    const turns = Array.from({ length: pairs }, (_, pair) =>
      // Who comes first changes, so that a machine that grows slower is fair to both.
      (pair % 2 === 0 ? stacks : stacks.toReversed()).map((stack) => ({ pair, stack })))
      .flat()
      .map((turn) => this.#places(condition, turn))
      .filter((places) => places.length > 0);
    if (turns.length === 0) return;
    await this.#attempt(condition.name, async () => {
      await using link = await this.#link(condition);
      for (const places of turns) {
        const [{ stack, pair }] = places as [Place];
        await this.#attempt(`${condition.name}, ${stack}, pair ${pair + 1}`, async () => {
          await using session = await this.#session(link.browser, { condition, stack });
          for (const place of places) await this.#transfer(session, place);
        });
      }
    });
  }

  /** A gigabyte over loopback by a new process of each stack. */
  async push(): Promise<void> {
    const { stacks, record, handlers } = this.#options;
    const condition = CONDITIONS.find(({ link }) => link === undefined)!;
    const left = stacks.filter((stack) => !record.pushes.some((push) => push.stack === stack));
    if (left.length === 0) return;
    await using link = await this.#link(condition);
    for (const stack of left) {
      await this.#attempt(`1 GB, ${stack}`, async () => {
        await using session = await this.#session(link.browser, { condition, stack });
        const push = await session.push(stack);
        await record.addPush(push);
        handlers.say(
          `1 GB, ${stack}: ${push.seconds.toFixed(0)} s, peak ${push.peakMb.toFixed(0)} MB`,
        );
      });
    }
  }

  /** What is to be measured in one process. */
  #places(condition: Condition, turn: Pick<Place, "pair" | "stack">): Place[] {
    return MESSAGE_BYTES.flatMap((messageBytes) =>
      DIRECTIONS.map((direction) => ({ link: condition.name, ...turn, direction, messageBytes }))
    ).filter((place) => !this.#options.record.has(place));
  }

  async #transfer(session: BenchSession, place: Place): Promise<void> {
    const { quick, record, handlers } = this.#options;
    const sample = await session.transfer(place, quick ? QUICK : FULL);
    await record.add(sample);
    handlers.say(
      `${place.link}, ${place.stack}, pair ${place.pair + 1}, ${place.direction}, ` +
        `${place.messageBytes / 1024} KiB: ${sample.mbitPerSecond.toFixed(1)} Mbit/s`,
    );
  }

  async #session(
    browser: Browser,
    options: { readonly condition: Condition; readonly stack: StackName },
  ): Promise<BenchSession> {
    const session = await BenchSession.open(browser, { ...options, pion: PION });
    this.#options.handlers.opened(session);
    return session;
  }

  /** The link's two hosts, and a browser on one of them. */
  async #link({ link }: Condition): Promise<AsyncDisposable & { readonly browser: Browser }> {
    const parts = new AsyncDisposableStack();
    this.#options.handlers.opened(parts);
    if (link !== undefined) {
      await hostsFree();
      parts.use(await twoHosts(link));
    }
    const netns = link === undefined ? undefined : VIEWER_HOST.netns;
    const disabledFeatures = ["WebRtcHideLocalIpsWithMdns"];
    const browser = await launchChromium({ netns, disabledFeatures });
    parts.defer(() => browser.close());
    return { browser, [Symbol.asyncDispose]: () => parts.disposeAsync() };
  }

  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    await work().catch((error) => {
      const reason = `${what}: ${error instanceof Error ? error.message : error}`;
      this.failed.push(reason);
      this.#options.handlers.say(`failed: ${reason}`);
    });
  }
}

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pairs: { type: "string" },
      quick: { type: "boolean", default: false },
      only: { type: "string", default: "" },
      json: { type: "string", default: inCheckout("tests/bench/out/transport.json") },
      resume: { type: "boolean", default: false },
    },
  });
  const { quick, only } = values;
  const pairs = Number(values.pairs ?? (quick ? 1 : PAIRS));
  if (!Number.isInteger(pairs) || pairs < 1) {
    throw new TypeError(`--pairs is "${values.pairs}"; expected a number from 1`);
  }
  if (only !== PUSH && !CONDITIONS.some(({ name }) => name.includes(only))) {
    const names = CONDITIONS.map(({ name }) => `"${name}"`).join(", ");
    throw new TypeError(`--only is "${only}"; expected "${PUSH}" or a part of ${names}`);
  }
  return { ...values, pairs };
}

function isWanted({ name, link }: Condition, { only, quick }: Options): boolean {
  if (only !== "") return name.includes(only);
  return !quick || link === undefined || name === "50 ms";
}

async function factsOfRun(): Promise<Facts> {
  const browser = await launchChromium();
  try {
    return { ...await sourceFacts(browser.version()), pion: await pionVersion() };
  } finally {
    await browser.close();
  }
}

function headline({ commit, runtime, pion, browser, cores, memoryMB }: Facts, { quick }: Options) {
  const how = quick ? "quick: short transfers" : `${FULL.windowMs / 1000} s each`;
  return `porthole ${commit ?? "without a commit"} on ${runtime} and pion ${pion} to ${browser}, ` +
    `${cores} cores, ${memoryMB} MB; median (least..largest), ${how}`;
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
