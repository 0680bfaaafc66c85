/**
 * The bundle on Node: it must do there what it does on Deno. Few checks, each through the whole program; what the parts do
 * is tested elsewhere, on Deno. `deno task bundle` first.
 */
import assert from "node:assert/strict";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { foreignImports } from "../cross/bundle_program.ts";
import { exists, inCheckout, NODE_VERSIONS } from "./e2e/checkout.ts";
import { type Origin, runPorthole, startPorthole } from "./e2e/processes.ts";

const BUNDLE = inCheckout("dist/porthole.mjs");
const FETCH_LIMIT_MS = 30_000;

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

/** GET from this machine under the URL's own name: `*.localhost` is loopback, but not every resolver knows. */
async function get(url: string): Promise<Answer> {
  const { host, port, pathname } = new URL(url);
  const wanted = { host: "127.0.0.1", port, path: pathname, headers: { host }, agent: false };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const signal = AbortSignal.timeout(FETCH_LIMIT_MS);
    request({ ...wanted, signal }, resolve).on("error", reject).end();
  });
  return {
    status: response.statusCode,
    type: response.headers["content-type"],
    body: await text(response),
  };
}

Deno.test("the bundle was made", async () => {
  assert.ok(await exists(BUNDLE), "run 'deno task bundle' first");
});

Deno.test("the bundle imports nothing but what Node has", async () => {
  assert.deepEqual(foreignImports(await Deno.readTextFile(BUNDLE)), []);
});

Deno.test("a bundle that needs a package is found out", () => {
  const bundled = `import a,{b as c}from"node:fs";import"ws";import*as d from"qr";var e=1
import{x}from"hono";const f=await import("werift"),g="import('no')",h='add import "no" here';`;
  assert.deepEqual(foreignImports(bundled), ["ws", "qr", "hono", "werift"]);
});

const ORIGINS: readonly Origin[] = [
  "bundle on Deno",
  ...NODE_VERSIONS.map((version): Origin => `bundle on Node ${version}`),
];

for (const from of ORIGINS) {
  Deno.test(`${from} runs 'version --json'`, async () => {
    const { code, stdout, stderr } = await runPorthole({ from, args: ["version", "--json"] });
    assert.equal(code, 0, stderr);
    const version = JSON.parse(stdout);
    assert.ok(from.toLowerCase().includes(version.runtime.split(/[^a-z]/)[0]), stdout);
  });

  Deno.test(`${from} refuses wrong usage with 2 and one line`, async () => {
    const { code, stdout, stderr } = await runPorthole({ from, args: ["run", "--no-such-option"] });
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /^[^\n]*--no-such-option[^\n]*\n$/);
  });

  Deno.test(`${from} serves the demo's shell and ends on SIGTERM`, async () => {
    await using demo = await startPorthole({ from, args: ["demo", "--port", "0", "--json"] });
    const { shell, services, cameras } = demo.ready;
    assert.ok(Array.isArray(services) && Array.isArray(cameras));
    assert.equal(typeof shell, "string");
    const page = await get(String(shell));
    assert.equal(page.status, 200);
    assert.match(page.type ?? "", /^text\/html/);
    assert.match(page.body, /shell\.js/);
    const { code, killed } = await demo.stop();
    assert.deepEqual({ code, killed }, { code: 0, killed: false }, demo.child.stderr);
  });
}
