/** The harness itself: real programs are started, watched and ended. */
import assert from "node:assert/strict";
import { chromiumMissing, launchChromium } from "./browser.ts";
import { Child } from "./child.ts";
import { startNodeRed } from "./node_red.ts";
import { DEVICE_HOST, twoHosts, twoHostsMissing, VIEWER_HOST } from "./two_hosts.ts";

const noBrowser = await chromiumMissing();
const noHosts = await twoHostsMissing();
for (const reason of [noBrowser, noHosts]) {
  if (reason) await Deno.stderr.write(new TextEncoder().encode(`skipped: ${reason}\n`));
}

Deno.test("a child's first JSON line is read and its end is told", async () => {
  await using child = Child.start({
    command: "sh",
    args: ["-c", "echo words >&2; echo '{\"a\":1}'; sleep 60 & wait"],
  });
  assert.deepEqual(await child.firstJson(10_000), { a: 1 });
  const { code, killed } = await child.stop();
  assert.deepEqual({ code, killed }, { code: 143, killed: false });
  assert.equal(child.stderr, "words\n");
});

Deno.test("a child that ends too early is reported with what it wrote", async () => {
  await using child = Child.start({ command: "sh", args: ["-c", "echo no camera >&2; exit 3"] });
  await assert.rejects(
    child.firstJson(10_000),
    /ended without line on stdout. It wrote:\nno camera/,
  );
  assert.equal((await child.exited()).code, 3);
});

Deno.test({
  name: "Chromium keeps storage of another site's frames apart, as people's browsers do",
  ignore: noBrowser !== undefined,
  fn: async () => {
    await using site = serveBlankPage();
    await using browser = await launchChromium();
    const page = await browser.newPage();
    await page.goto(`http://inner.localhost:${site.port}/`);
    await page.evaluate("localStorage.mark = 'first party'");
    await page.goto(`http://outer.localhost:${site.port}/`);
    await page.evaluate(`new Promise((done) => {
      const frame = document.createElement("iframe");
      frame.src = "http://inner.localhost:${site.port}/";
      frame.onload = done;
      document.body.append(frame);
    })`);
    const [, frame] = page.frames();
    assert.equal(await frame!.evaluate("localStorage.mark ?? 'none'"), "none");
  },
});

function serveBlankPage(): AsyncDisposable & { readonly port: number } {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () =>
      new Response("<!doctype html><title>blank</title>", {
        headers: { "content-type": "text/html" },
      }),
  );
  return { port: server.addr.port, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test("Node-RED's editor answers", async () => {
  await using nodeRed = await startNodeRed();
  const response = await fetch(`${nodeRed.url}/settings`);
  assert.equal((await response.json()).version, "5.0.7");
});

Deno.test({
  name: "two hosts reach each other with the delay that was asked for",
  ignore: noHosts !== undefined,
  fn: async () => {
    await using hosts = await twoHosts({ delayMs: 20 });
    assert.ok(hosts);
    await using device = evaluate(
      `const listener = Deno.listen({ hostname: "${DEVICE_HOST.address}", port: 0 });
       console.log(JSON.stringify({ port: listener.addr.port }));
       for await (const connection of listener) connection.close();`,
      DEVICE_HOST.netns,
    );
    const { port } = await device.firstJson(20_000);
    await using viewer = evaluate(
      `const start = performance.now();
       const connection = await Deno.connect({ hostname: "${DEVICE_HOST.address}", port: ${port} });
       console.log(JSON.stringify({ ms: performance.now() - start }));
       connection.close();`,
      VIEWER_HOST.netns,
    );
    const { ms } = await viewer.firstJson(20_000);
    assert.ok(Number(ms) >= 40, String(ms));
  },
});

function evaluate(program: string, netns: string): Child {
  return Child.start({ command: Deno.execPath(), args: ["eval", program], netns });
}
