/**
 * A page that begins without what carries it, or loses it: no service worker yet, a reload, back and forward, a second tab,
 * a worker that is stopped or replaced while it answers. The page comes, and goes on, without anybody's doing anything; a
 * body that is under way ends whole or fails; a POST that is under way is told the truth and is not sent twice.
 */
import assert from "node:assert/strict";
import type { Frame, Page } from "playwright-core";
import { browserMissing, PagesBench } from "./pages_bench.ts";
import { type Answerer, page } from "./pages_service.ts";
import { Step } from "./streams_device.ts";

const LIMIT_MS = 45_000;
const PATH_OF_WORKER = "/.porthole/sw.js";

/** An answer that stays open until the test says so. */
class HeldAnswer {
  readonly began = new Step();
  readonly goOn = new Step();
  came = 0;

  readonly answer: Answerer = (request, response) => {
    request.on("error", () => {});
    request.resume();
    this.came++;
    this.began.take();
    this.goOn.taken.then(() => response.end("held"));
  };
}

/** A body whose second half comes when the test says so. */
class HalvedBody {
  readonly goOn = new Step();

  readonly answer: Answerer = (request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "text/plain", "cache-control": "no-store" });
    response.write("x".repeat(50_000));
    this.goOn.taken.then(() => response.end("y".repeat(50_000)));
  };
}

const pageNamed = (name: string) =>
  page(`<h1>${name}</h1><a href="/second">on</a><script type="module">
    report("${name}", (await fetch("/file", { cache: "no-store" })).status);
  </script>`);

async function stopWorker(tab: Page): Promise<void> {
  const devtools = await tab.context().newCDPSession(tab);
  await devtools.send("ServiceWorker.enable");
  await devtools.send("ServiceWorker.stopAllWorkers");
  await devtools.detach();
}

/** The frame with the device's page, once it is at `path`. */
async function frameAt(tab: Page, path: string): Promise<Frame> {
  const end = performance.now() + LIMIT_MS;
  for (;;) {
    const frame = tab.frames().find((one) =>
      one !== tab.mainFrame() && new URL(one.url()).pathname === path
    );
    if (frame !== undefined) return frame;
    if (performance.now() > end) throw new Error(`there is no frame at ${path}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Starts a request in the page whose outcome is looked at later. */
async function begin(frame: Frame, code: string): Promise<void> {
  await frame.evaluate(`void (globalThis.outcome = (${code}))`);
}

const lack = await browserMissing("chromium", "cold starts");
Deno.test({
  name: "a page comes and goes on whatever of its carrier is missing or replaced",
  ignore: lack !== undefined,
  sanitizeOps: false, // playwright's own pipe and process
  sanitizeResources: false,
  async fn(t) {
    const device = { get: new HeldAnswer(), post: new HeldAnswer(), body: new HalvedBody() };
    const pages = {
      "/first": pageNamed("first"),
      "/second": pageNamed("second"),
      "/file": "here",
      "/get": ((...asked) => device.get.answer(...asked)) as Answerer,
      "/post": ((...asked) => device.post.answer(...asked)) as Answerer,
      "/body": ((...asked) => device.body.answer(...asked)) as Answerer,
    };
    await using bench = await PagesBench.start("chromium", { pages });
    const { service, edge } = bench;
    const tab = bench.tab as Page;
    const comes = async (name: string) => assert.equal(await service.report(name), 200);

    await t.step("a deep link where no service worker is yet", async () => {
      await bench.tunnel("/first");
      await comes("first");
    });

    await t.step("a reload of the shell", async () => {
      service.clear();
      await tab.reload();
      await comes("first");
    });

    await t.step("back and forward within the page", async () => {
      service.clear();
      await (await frameAt(tab, "/first")).click("a");
      await comes("second");
      service.clear();
      await tab.goBack({ waitUntil: "commit" }).catch(() => {}); // only the frame goes back
      await frameAt(tab, "/first");
      await tab.goForward({ waitUntil: "commit" }).catch(() => {});
      const frame = await frameAt(tab, "/second");
      assert.equal(await frame.evaluate(`fetch("/file").then((r) => r.status)`), 200);
    });

    await t.step("back to the shell from elsewhere", async () => {
      service.clear();
      await tab.goto("about:blank");
      await tab.goBack();
      await bench.live();
      await comes("second");
    });

    await t.step("a second tab of the same page", async () => {
      service.clear();
      const other = await tab.context().newPage();
      await other.goto(tab.url());
      await comes("second");
      await other.close();
      const frame = await frameAt(tab, "/second");
      assert.equal(await frame.evaluate(`fetch("/file").then((r) => r.status)`), 200);
    });

    await t.step("a worker that is stopped while a GET waits: it is asked again", async () => {
      const frame = await frameAt(tab, "/second");
      await begin(frame, `fetch("/get").then((r) => r.text(), (e) => e.name)`);
      await device.get.began.taken;
      await stopWorker(tab);
      device.get.goOn.take();
      assert.equal(await frame.evaluate("outcome"), "held");
    });

    await t.step("a worker that is stopped while a POST waits: it is not sent twice", async () => {
      const frame = await frameAt(tab, "/second");
      await begin(
        frame,
        `fetch("/post", { method: "POST", body: "once" })
          .then(async (r) => r.status + " " + await r.text(), (e) => e.name)`,
      );
      await device.post.began.taken;
      await stopWorker(tab);
      device.post.goOn.take();
      const outcome = String(await frame.evaluate("outcome"));
      assert.match(outcome, /^502 .*whether the device took it is not known/);
      assert.equal(device.post.came, 1);
      assert.equal(await frame.evaluate(`fetch("/file").then((r) => r.status)`), 200);
    });

    await t.step("a worker that is stopped in the middle of a body: an error", async () => {
      const frame = await frameAt(tab, "/second");
      await frame.evaluate(`(async () => {
        const reader = (await fetch("/body")).body.getReader();
        await reader.read();
        globalThis.outcome = (async () => {
          while (!(await reader.read()).done);
          return "a short success";
        })().catch((e) => e.name);
      })()`);
      await stopWorker(tab);
      device.body.goOn.take();
      assert.equal(await frame.evaluate("outcome"), "TypeError");
    });

    await t.step(
      "a worker that is replaced in the middle of a body: whole, or an error",
      async () => {
        device.body = new HalvedBody();
        const frame = await frameAt(tab, "/second");
        await frame.evaluate(`(async () => {
        const reader = (await fetch("/body")).body.getReader();
        let bytes = (await reader.read()).value.length;
        globalThis.outcome = (async () => {
          for (;;) {
            const { done, value } = await reader.read();
            if (done) return bytes;
            bytes += value.length;
          }
        })().catch((e) => e.name);
      })()`);
        edge.added.set(PATH_OF_WORKER, "\n// newer\n");
        const bridge = tab.frames().find((one) => one.url().includes("/.porthole/bridge.html"));
        await bridge?.evaluate(`(async () => {
        const registration = await navigator.serviceWorker.getRegistration();
        const before = registration.active;
        globalThis.replaced = async () => {
          while (registration.active === before) await new Promise((resolve) => setTimeout(resolve, 20));
          return true;
        };
        await registration.update();
      })()`);
        device.body.goOn.take();
        const outcome = await frame.evaluate("outcome");
        assert.ok(outcome === 100_000 || outcome === "TypeError", String(outcome));
        assert.equal(await bridge?.evaluate("replaced()"), true);
        assert.equal(await frame.evaluate(`fetch("/file").then((r) => r.status)`), 200);
      },
    );

    await t.step("nothing of it reached the edge", () => assert.deepEqual(edge.strays, []));
  },
});
