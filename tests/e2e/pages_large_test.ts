/**
 * Half a gigabyte down and 200 MB up through a page: all of it arrives, and neither the agent nor the page holds more for the
 * second half than for the first. Firefox gives a service worker no streamed body, so there an upload is kept by the
 * browser first. Slow: `make test-slow`, which prints the peaks.
 */
import assert from "node:assert/strict";
import { browserMissing, type BrowserName, PagesBench } from "./pages_bench.ts";
import { type Answerer, page } from "./pages_service.ts";
import { largestPeakBelow, peakOf } from "./peak_memory.ts";

const MB = 1_000_000;
const DOWN_MB = 500;
const UP_MB = 200;
/** What a process may grow by once half is through, in MB: collectors come late on a busy machine. */
const MAX_GROWTH_MB = 96;
const RENDERERS = /--type=renderer|-contentproc/;
const DOWN = { part: new Uint8Array(256 << 10), bytes: DOWN_MB * MB };

/** A tenth of what a quiet machine does. */
const LIMIT_MS = 10 * 60_000;
const SLOW = Deno.env.get("PORTHOLE_SLOW") === "1";

const SCRIPTS = {
  "/down": `
    const reader = (await fetch("/bytes")).body.getReader();
    let bytes = 0;
    let halves = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      bytes += part.value.length;
      if (bytes >= ${DOWN.bytes / 2} && halves++ === 0) await report("half");
    }
    report("over", bytes);`,
  "/up-streamed": `
    let sent = 0;
    const body = new ReadableStream({
      async pull(controller) {
        if (sent === ${UP_MB / 2}) await report("half");
        if (sent++ < ${UP_MB}) controller.enqueue(new Uint8Array(${MB}));
        else controller.close();
      },
    }, { highWaterMark: 0 });
    report("over", await (await fetch("/take", { method: "POST", body, duplex: "half" })).text());`,
  "/up-60": upload(60),
  "/up-200": upload(UP_MB),
};

function upload(megabytes: number): string {
  return `
    const xhr = new XMLHttpRequest();
    let progress = 0;
    xhr.upload.onprogress = ({ loaded }) => progress = loaded;
    xhr.onloadend = () => report("over", [xhr.responseText, progress]);
    xhr.open("POST", "/take");
    xhr.send(new Blob(Array.from({ length: ${megabytes} }, () => new Uint8Array(${MB}))));`;
}

const bytes: Answerer = (request, response) => {
  request.resume();
  response.writeHead(200, {
    "content-type": "application/octet-stream",
    "cache-control": "no-store",
  });
  let left = DOWN.bytes;
  const write = () => {
    while (left > 0) {
      const part = DOWN.part.subarray(0, left);
      left -= part.length;
      if (!response.write(part)) return void response.once("drain", write);
    }
    response.end();
  };
  write();
};

const take: Answerer = (request, response) => {
  let taken = 0;
  request.on("error", () => {});
  request.on("data", (part: Uint8Array) => taken += part.length);
  request.on("end", () => response.end(String(taken)));
};

interface Peaks {
  readonly agent: number;
  readonly page: number;
}

async function peaks(bench: PagesBench): Promise<Peaks> {
  return {
    agent: await peakOf(bench.agentPid),
    page: await largestPeakBelow(Deno.pid, RENDERERS),
  };
}

function say(what: string, all: Record<string, Peaks>): void {
  const words = Object.entries(all).map(([when, { agent, page }]) =>
    `${when} agent ${agent.toFixed(0)}, page ${page.toFixed(0)}`
  );
  Deno.stderr.writeSync(new TextEncoder().encode(`${what}: peaks in MB: ${words.join("; ")}\n`));
}

for (const name of ["chromium", "firefox"] satisfies BrowserName[]) {
  const lack = SLOW ? await browserMissing(name, "large bodies") : "it is slow";
  Deno.test({
    name: `${DOWN_MB} MB down and ${UP_MB} MB up in ${name}, and memory stays flat`,
    ignore: lack !== undefined,
    sanitizeOps: false, // the drivers' own pipes and processes
    sanitizeResources: false,
    async fn(t) {
      const pages = {
        ...Object.fromEntries(
          Object.entries(SCRIPTS).map(([path, script]) => [
            path,
            page(`<script type="module">${script}</script>`),
          ]),
        ),
        "/bytes": bytes,
        "/take": take,
      };
      await using bench = await PagesBench.start(name, { pages });
      const flat = async (path: string, expected: unknown) => {
        bench.service.clear();
        const before = await peaks(bench);
        await bench.tunnel(path);
        await bench.service.report("half", LIMIT_MS);
        const half = await peaks(bench);
        assert.deepEqual(await bench.service.report("over", LIMIT_MS), expected);
        const after = await peaks(bench);
        say(`${path} in ${name}`, { before, half, after });
        for (const who of ["agent", "page"] as const) {
          assert.ok(after[who] - half[who] <= MAX_GROWTH_MB, `${who} grew`);
        }
      };
      await t.step("down", () => flat("/down", DOWN.bytes));
      if (name === "chromium") {
        await t.step("up, streamed", () => flat("/up-streamed", String(UP_MB * MB)));
      }
      for (const [path, megabytes] of [["/up-60", 60], ["/up-200", UP_MB]] as const) {
        await t.step(`up, a file of ${megabytes} MB`, async () => {
          bench.service.clear();
          await bench.tunnel(path);
          const all = megabytes * MB;
          assert.deepEqual(await bench.service.report("over", LIMIT_MS), [String(all), all]);
          say(`${path} in ${name}`, { after: await peaks(bench) });
        });
      }
    },
  });
}
