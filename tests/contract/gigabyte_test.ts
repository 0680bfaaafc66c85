// A gigabyte each way between our peer and Chromium, digested at both ends: what needs time to go
// wrong (numbers that wrap, memory that grows) shows here. The peer is a process of its own, so
// that its memory is nobody else's. Slow: `make test-slow`. The browser's driver keeps handles of
// its own, so that it runs without the sanitizers.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { fromHex, toHex } from "../../src/lib/bytes.ts";
import { offerSdp, readTransport } from "../../src/protocol/sdp.ts";
import { DeviceProcess } from "../bench/transport/stacks.ts";
import { chromiumMissing, launchChromium } from "../e2e/browser.ts";
import { callPage, openPage, type Wire } from "./chromium_offerer.ts";
import { limited } from "./limited.ts";

const BYTES = 1_000_000_000;
const MESSAGE_BYTES = 16_384;
const BULK = 1;
/** A tenth of what a quiet machine does. */
const LIMIT_MS = 15 * 60_000;
/**
 * Resident memory of the peer's process, in MB. It catches what grows with what was moved; how
 * little is good, the bench says (docs/benchmarks.md).
 */
const MAX_RESIDENT_MB = 300;

const missing = Deno.env.get("PORTHOLE_SLOW") === "1"
  ? await chromiumMissing()
  : "it is slow; run `make test-slow`, or set PORTHOLE_SLOW=1";
if (missing !== undefined) say(`a gigabyte each way is skipped: ${missing}`);

interface Moved {
  readonly sent: string;
  readonly arrived: string;
}

type Move = (device: DeviceProcess, page: Page) => Promise<Moved>;

const WAYS: readonly { name: string; move: Move }[] = [
  { name: "from us to Chromium", move: down },
  { name: "from Chromium to us", move: up },
];

for (const { name, move } of WAYS) {
  Deno.test({
    name: `1 GB ${name} arrives whole, and memory stays bounded`,
    ignore: missing !== undefined,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using device = await DeviceProcess.start("ours", { pion: "", address: "127.0.0.1" });
      await using browser = await launchChromium({
        disabledFeatures: ["WebRtcHideLocalIpsWithMdns"],
      });
      const page = await openPage(await browser.newPage());
      await limited(connect(device, page));
      const start = performance.now();
      const { sent, arrived } = await limited(move(device, page), LIMIT_MS);
      const seconds = (performance.now() - start) / 1000;
      const peak = device.peakMb();
      const rate = Math.round(BYTES * 8 / 1e6 / seconds);
      say(`1 GB ${name}: ${Math.round(seconds)} s, ${rate} Mbit/s, peak RSS ${peak.toFixed(0)} MB`);
      assert.match(sent, /^[0-9a-f]{64}$/);
      assert.equal(arrived, sent);
      assert(peak <= MAX_RESIDENT_MB, `${peak} MB`);
    },
  });
}

/** The page's own checks show its address to the device: its candidates are told to nobody. */
async function connect(device: DeviceProcess, page: Page): Promise<void> {
  await page.exposeFunction("sendCandidate", () => {});
  const { transport } = await callPage<{ transport: Wire }>(page, "start");
  const remote = { ...transport, fingerprint: fromHex(transport.fingerprint) };
  const response = await fetch(`${device.base}/offer?digest`, {
    method: "POST",
    body: JSON.stringify({ sdp: offerSdp({ transport: remote, media: [] }) }),
  });
  const { sdp } = await response.json() as { sdp: string };
  const local = readTransport(sdp);
  await callPage(page, "accept", { ...local, fingerprint: toHex(local.fingerprint) }, []);
  for (const [, candidate] of sdp.matchAll(/^a=(candidate:.*)\r$/gm)) {
    await callPage(page, "addCandidate", candidate);
  }
  await callPage(page, "channel", BULK, "bulk");
  await callPage(page, "opened", BULK);
}

async function down({ base }: DeviceProcess, page: Page): Promise<Moved> {
  const arrival = callPage<string>(page, "swallow", BULK, BYTES);
  await callPage(page, "opened", BULK); // calls are done in order: now the page listens
  const sending = await fetch(`${base}/send?bytes=${BYTES}&size=${MESSAGE_BYTES}`, {
    method: "POST",
  });
  await sending.body?.cancel();
  const arrived = await arrival;
  return { sent: await digest(base), arrived };
}

async function up({ base }: DeviceProcess, page: Page): Promise<Moved> {
  const sent = await callPage<string>(page, "pour", BULK, BYTES, MESSAGE_BYTES);
  const response = await fetch(`${base}/received?bytes=${BYTES}&limit=${LIMIT_MS}`);
  assert.equal((await response.json()).bytes, BYTES);
  return { sent, arrived: await digest(base) };
}

async function digest(base: string): Promise<string> {
  return await (await fetch(`${base}/digest`)).text();
}

function say(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}
