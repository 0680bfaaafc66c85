/**
 * Services that are absent, dead, slow or hostile, seen from a real browser with the real program between: each case gives
 * one clear message, and the WebSocket and the camera of the same session go on during it.
 */
import assert from "node:assert/strict";
import type { Frame } from "playwright-core";
import { chromiumMissing, launchChromium } from "./browser.ts";
import { HostileService } from "./hostile_service.ts";
import { logged, NO_STACK } from "./log_lines.ts";
import { startPorthole } from "./processes.ts";
import { Shell } from "./shell.ts";

const lack = await chromiumMissing();
if (lack !== undefined) {
  Deno.stderr.writeSync(new TextEncoder().encode(`bad services are skipped: ${lack}\n`));
}

// Playwright keeps handles of its own until the process ends: sanitizers would count them.
const OPTIONS = { ignore: lack !== undefined, sanitizeOps: false, sanitizeResources: false };

/** How long something may take on a loaded machine with two cores. */
const LIMIT_MS = 30_000;
/** What our own windows and queues take of a paused download: 1 MiB of credit, 256 KiB queued, the readers' chunks. */
const OUR_PAUSED_BYTES = 2 << 20;
/** Growth of the program that its garbage collector may explain; what a reader that stopped leaves unread has no end. */
const MEMORY_BYTES = 64 << 20;

/** What a page's fetch came to. */
interface Fetched {
  readonly status: number;
  readonly failure: string | null;
  readonly text: string;
}

/** The device's page, as the tests reach into it. */
interface DevicePage {
  echo(text: string): Promise<string>;
  readonly location: { assign(path: string): void };
  asked: AbortController;
  reader: ReadableStreamDefaultReader<Uint8Array>;
}

Deno.test(
  "a service that misbehaves gets a clear message and disturbs nothing else",
  OPTIONS,
  async (t) => {
    await using hostile = await HostileService.start();
    using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using demo = await startPorthole({
      args: [
        ...["demo", "--port", "0", "--json", "--service", `dead=http://127.0.0.1:${closedPort()}`],
        ...["--service", `hostile=${hostile.url}`],
        ...["--service", `silent=http://127.0.0.1:${silent.addr.port}`],
      ],
    });
    await using browser = await launchChromium();
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
    const { pair, device, shell: origin } = demo.ready as Record<string, string>;
    const shell = await Shell.open(context, pair!);
    await shell.state("live");
    const back = () => shell.page.goto(`${origin}#/d/${device}`);

    await t.step("a service that the device does not have is named, with a way back", async () => {
      await shell.page.goto(`${origin}#/d/${device}/s/nonsense/`);
      const alert = shell.page.getByRole("alert");
      await alert.getByRole("heading", { name: "Workshop has no page “nonsense”" }).waitFor();
      await shell.moving("test", 2);
      await alert.getByRole("link", { name: "What it has" }).click();
      await shell.page.getByTestId("service-card-ui").waitFor();
    });

    await t.step("a dead service's page says which service, why, and what to do", async () => {
      const frame = await shell.openService("dead");
      await frame.getByRole("heading", { name: "dead is not available" }).waitFor();
      await frame.getByText("Nothing answers at the service's address.").waitFor();
      await frame.getByText("Check that the service is running and that its target").waitFor();
      await shell.moving("test", 2);
      const [refused] = logged(demo, "stream.refused");
      assert.equal(refused?.service, "dead");
      assert.match(
        String(refused?.reason),
        /Cannot connect to http:\/\/127\.0\.0\.1:\d+.*ECONNREFUSED/,
      );
      await back();
    });

    await t.step(
      "a service that never answers holds up its own page only, and closing the tab frees its socket",
      async () => {
        const tab = await Shell.open(context, `${origin}#/d/${device}`);
        await tab.state("live");
        await tab.page.getByTestId("service-card-silent").click();
        using socket = await silent.accept();
        await tab.page.getByTestId("service-frame").waitFor({ state: "attached" });
        await tab.page.getByRole("status").getByText("Waiting for silent…").waitFor();
        await tab.moving("test", 2);
        await tab.page.close();
        await ended(socket);
        await shell.moving("test", 2);
      },
    );

    const frame = await shell.openService("hostile");
    await frame.getByText("connected", { exact: true }).waitFor();
    await shell.page.getByText("Waiting for hostile…").waitFor({ state: "detached" });
    const undisturbed = async () => {
      assert.equal(await echo(frame, "still there"), "still there");
      assert.deepEqual(await fetched(frame, "/fine"), { status: 200, failure: null, text: "fine" });
      await shell.moving("test", 2);
    };
    await undisturbed();

    await t.step(
      "a fetch to a service that has stopped gets 502, and works again after it",
      async () => {
        hostile.stopListening();
        const { status, failure, text } = await fetched(frame, "/fine");
        assert.deepEqual([status, failure], [502, "upstream_unreachable"]);
        assert.match(text, /^hostile: Nothing answers at the service's address\. Check that/);
        assert.equal(await echo(frame, "meanwhile"), "meanwhile");
        await hostile.listen();
        await undisturbed();
      },
    );

    await t.step(
      // Chromium tells a service worker of an abort only once it has answered (browser-proxying.md 0.4).
      "a fetch that the page gives up frees a stalled service's socket once that answers",
      async () => {
        const waiting = frame.evaluate(async () => {
          const page = globalThis as unknown as DevicePage;
          page.asked = new AbortController();
          return await fetch("/stall", { signal: page.asked.signal }).catch((error) => error.name);
        });
        await hostile.untilOpen("/stall", 1);
        await undisturbed();
        await frame.evaluate(() => (globalThis as unknown as DevicePage).asked.abort());
        assert.equal(await waiting, "AbortError");
        hostile.answerStalled();
        await hostile.untilOpen("/stall", 0);
        await undisturbed();
      },
    );

    await t.step(
      "an answer that breaks off is an error in the page, never a short success",
      async () => {
        for (const path of ["/cut", "/cut-chunked"]) {
          const { status, text, failure } = await fetched(frame, path);
          assert.deepEqual([status, failure, text], [200, "body broke off", ""], path);
          await undisturbed();
        }
      },
    );

    await t.step("an answer that is no HTTP is 502 with the reason", async () => {
      const { status, failure, text } = await fetched(frame, "/no-http");
      assert.deepEqual([status, failure], [502, "upstream_broken"]);
      assert.match(text, /^hostile: The service broke off, or what it says is not HTTP\./);
      await undisturbed();
    });

    await t.step(
      "an answer whose head is too long is refused with the reason, and its socket is freed",
      async () => {
        for (const path of ["/head-100", "/head-40"]) {
          const { status, failure, text } = await fetched(frame, path);
          assert.deepEqual([status, failure], [502, "answer_too_large"], path);
          assert.match(text, /^hostile: The head of the service's answer is longer than 32 KiB\./);
          await hostile.untilOpen(path, 0);
          await undisturbed();
        }
      },
    );

    await t.step("a request whose head is too long is refused with the reason", async () => {
      const names = Array.from({ length: 10 }, (_, index) => `x-long-${index}`);
      const headers = Object.fromEntries(names.map((name) => [name, "v".repeat(4 << 10)]));
      const { status, failure, text } = await fetched(frame, "/fine", headers);
      assert.deepEqual([status, failure], [431, "request_too_large"]);
      assert.match(text, /^hostile: The page's request has a head of more than 32 KiB\./);
      const one = await fetched(frame, "/fine", { "x-long": "v".repeat(40 << 10) });
      assert.deepEqual([one.status, one.failure], [431, "request_too_large"]);
      await undisturbed();
    });

    await t.step("all of it was one session without an uncaught error", async () => {
      assert.equal(await shell.peerConnections(), 1);
      assert.deepEqual(shell.problems, []);
      assert.equal(logged(demo, "session.over").length, 1, "more than the closed tab ended");
      assert.equal(await demo.stop().then(({ code }) => code), 0);
      assert.doesNotMatch(demo.child.stderr, NO_STACK);
    });
  },
);

Deno.test("bodies are never held whole", OPTIONS, async (t) => {
  await using demo = await startPorthole({ args: ["demo", "--port", "0", "--json"] });
  await using browser = await launchChromium();
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  const shell = await Shell.open(context, (demo.ready as Record<string, string>).pair!);
  await shell.state("live");
  const frame = await shell.openService("ui");
  await frame.getByText("connected (workshop.v1)").waitFor();

  await t.step(
    "a download that the page stops reading blocks the device, memory flat",
    async () => {
      const before = await memory(demo.child.pid);
      await frame.evaluate(async () => {
        const page = globalThis as unknown as DevicePage;
        page.reader = (await fetch("/endless")).body!.getReader();
        await page.reader.read();
      });
      const written = await settled(frame);
      const most = OUR_PAUSED_BYTES + await socketBufferBytes();
      assert.ok(written < most, `the device wrote ${written} bytes into a paused download`);
      const growth = await memory(demo.child.pid) - before;
      assert.ok(growth < MEMORY_BYTES, `the program grew by ${growth} bytes`);
      await frame.locator("#lamp").check();
      await frame.locator("#lamp-state", { hasText: /^on$/ }).waitFor();
      await frame.locator("#digest-check").click();
      await frame.getByText(/20\d* bytes, SHA-256 matches/).waitFor();
      await shell.moving("test", 2);
      assert.equal((await counts(frame)).written, written);
    },
  );

  await t.step("a paused download goes on when the page reads on", async () => {
    const { written } = await counts(frame);
    await frame.evaluate(async (wanted) => {
      const { reader } = globalThis as unknown as DevicePage;
      for (let taken = 0; taken < wanted;) taken += (await reader.read()).value!.length;
    }, 2 * written);
    assert.ok(await settled(frame) > 2 * written);
  });

  await t.step("a download that the page cancels ends the device's connection", async () => {
    assert.equal((await counts(frame)).open, 1);
    await frame.evaluate(() => (globalThis as unknown as DevicePage).reader.cancel());
    const end = performance.now() + LIMIT_MS;
    while ((await counts(frame)).open > 0) {
      assert.ok(performance.now() < end, "the device's connection is still open");
    }
  });

  await t.step("a page's first byte is there before its last was sent", async () => {
    await frame.evaluate(() => (globalThis as unknown as DevicePage).location.assign("/slow"));
    await frame.locator("#first").waitFor();
    assert.equal(await frame.locator("#last").count(), 0);
    const released = await fetched(frame, "/slow/release");
    assert.deepEqual(JSON.parse(released.text), { released: 1 });
    await frame.locator("#last").waitFor();
    assert.deepEqual(shell.problems, []);
  });
});

/* ---- what the tests look at ---------------------------------------------------------------------------------- */

/** A port that was free a moment ago and that nobody listens on. */
function closedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Reads a connection to its end. */
async function ended(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(4096);
  const limit = setTimeout(() => connection.close(), LIMIT_MS);
  while (await connection.read(buffer) !== null);
  clearTimeout(limit);
}

/** Fetches in the page, as the page's own script would. */
async function fetched(
  frame: Frame,
  path: string,
  headers: Record<string, string> = {},
): Promise<Fetched> {
  return await frame.evaluate(async ({ path, headers }) => {
    const response = await fetch(path, { headers });
    const failure = response.headers.get("x-porthole-error");
    return await response.text().then(
      (text) => ({ status: response.status, failure, text }),
      () => ({ status: response.status, failure: "body broke off", text: "" }),
    );
  }, { path, headers });
}

async function echo(frame: Frame, text: string): Promise<string> {
  return await frame.evaluate((text) => (globalThis as unknown as DevicePage).echo(text), text);
}

/** What the device wrote into endless downloads, and how many are open. */
async function counts(frame: Frame): Promise<{ written: number; open: number }> {
  return JSON.parse((await fetched(frame, "/endless/written")).text);
}

/** Waits until the device writes no more: it fills its loopback in less time than ten answers take through the tunnel. */
async function settled(frame: Frame): Promise<number> {
  const end = performance.now() + LIMIT_MS;
  let last = -1;
  for (let same = 0; same < 10;) {
    assert.ok(performance.now() < end, `the device writes on and on: ${last} bytes`);
    const { written } = await counts(frame);
    same = written === last ? same + 1 : 0;
    last = written;
  }
  return last;
}

/** What the system itself may hold between two sockets of the loopback: one's receive buffer, the other's send buffer. */
async function socketBufferBytes(): Promise<number> {
  const most = async (name: string) =>
    Number((await Deno.readTextFile(`/proc/sys/net/ipv4/${name}`)).split(/\s+/)[2]);
  return await most("tcp_rmem") + await most("tcp_wmem");
}

/** Anonymous memory of a process, in bytes. */
async function memory(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}
