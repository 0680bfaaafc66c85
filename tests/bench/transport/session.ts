/** One device's process and one page that connects to it: transfers, each in a new connection. */
import type { Browser, Page } from "playwright-core";
import { inCheckout } from "../../e2e/checkout.ts";
import { DEVICE_HOST } from "../../e2e/two_hosts.ts";
import type { Condition, Timing } from "./links.ts";
import { p95, type Place, type Push, type Sample } from "./results.ts";
import { DeviceProcess, type StackName } from "./stacks.ts";

const CONNECT_LIMIT_MS = 20_000;
/** Beyond what a transfer takes, in ms: then the page or the device is stuck. */
const SLACK_MS = 15_000;
const PUSH_BYTES = 1_000_000_000;
const PUSH_MESSAGE_BYTES = 16_384;
const PUSH_LIMIT_MS = 5 * 60_000;

/** What a transfer was, from the page. */
interface Transfer {
  readonly bytes: number;
  readonly timedBytes: number;
  readonly ms: number;
  readonly trips: readonly number[];
  readonly ended: boolean;
}

export interface DeviceOptions {
  readonly condition: Condition;
  readonly stack: StackName;
  /** Path of the program. */
  readonly pion: string;
}

export class BenchSession implements AsyncDisposable {
  readonly #device: DeviceProcess;
  readonly #page: Page;
  readonly #parts = new AsyncDisposableStack();

  private constructor(device: DeviceProcess, page: Page) {
    this.#device = this.#parts.use(device);
    this.#page = page;
    this.#parts.defer(() => page.close());
  }

  /** Connects once: the first connection compiles code, in either process. */
  static async open(browser: Browser, options: DeviceOptions): Promise<BenchSession> {
    const { condition, stack, pion } = options;
    const host = condition.link === undefined ? undefined : DEVICE_HOST;
    const device = await DeviceProcess.start(stack, {
      pion,
      address: host?.address ?? "127.0.0.1",
      netns: host?.netns,
    });
    const page = await browser.newPage();
    const session = new BenchSession(device, page);
    try {
      await page.goto(`${device.base}/`);
      const path = inCheckout("tests/bench/transport/page.js");
      await page.addScriptTag({ content: await Deno.readTextFile(path), type: "module" });
      await page.waitForFunction("globalThis.bench !== undefined");
      await session.#connect();
      return session;
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  }

  async transfer(place: Place, timing: Timing): Promise<Sample> {
    const device = this.#device;
    const openMs = await this.#connect();
    device.forgetPeak();
    const before = device.cpuSeconds();
    const { direction, messageBytes } = place;
    const moved = await this.#call<Transfer>(
      `transfer(${JSON.stringify(direction)}, ${messageBytes}, ${JSON.stringify(timing)})`,
      { what: "transfer", limitMs: timing.warmUpMs + timing.windowMs + SLACK_MS },
    );
    const cpu = device.cpuSeconds() - before;
    if (moved.ended) throw new Error("the connection ended during the transfer");
    return {
      ...place,
      mbitPerSecond: moved.timedBytes * 8 / 1000 / moved.ms,
      cpuSecondsPer100Mb: cpu * 100_000_000 / moved.bytes,
      peakMb: device.peakMb(),
      openMs,
      echoP95Ms: p95(moved.trips),
      echoes: moved.trips.length,
    };
  }

  async push(stack: StackName): Promise<Push> {
    await this.#connect();
    this.#device.forgetPeak();
    const { bytes, ms } = await this.#call<{ bytes: number; ms: number }>(
      `push(${PUSH_BYTES}, ${PUSH_MESSAGE_BYTES}, ${PUSH_LIMIT_MS})`,
      { what: "gigabyte", limitMs: PUSH_LIMIT_MS + SLACK_MS },
    );
    if (bytes < PUSH_BYTES) throw new Error(`only ${bytes} bytes came`);
    return { stack, bytes, seconds: ms / 1000, peakMb: this.#device.peakMb() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }

  async #connect(): Promise<number> {
    return await this.#call<number>("connect()", {
      what: "connection",
      limitMs: CONNECT_LIMIT_MS,
    });
  }

  async #call<Value>(
    call: string,
    { what, limitMs }: { readonly what: string; readonly limitMs: number },
  ): Promise<Value> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`no ${what} in ${limitMs} ms`)), limitMs);
    const work = this.#page.evaluate(`bench.${call}`) as Promise<Value>;
    work.catch(() => {}); // it may fail after the limit, when nobody waits
    return await Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
  }
}
