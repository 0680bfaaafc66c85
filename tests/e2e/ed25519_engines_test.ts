// One predicate on both ends: our `verify`, as browsers load it, gives in each engine the verdicts that it gives here.
// puppeteer-core keeps handles of its own that end after the browser has, so that these tests run without the sanitizers.
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import speccheck from "../vectors/ed25519_speccheck.json" with { type: "json" };
import wycheproof from "../vectors/ed25519_wycheproof.json" with { type: "json" };
import { fromHex } from "../../src/lib/bytes.ts";
import { verify } from "../../src/trust/ed25519.ts";
import { inCheckout } from "./checkout.ts";
import { ENGINES } from "./engines.ts";

/** A name, the verdict that others agreed on, then key, message and signature in hexadecimal digits. */
interface Vector {
  readonly name: string;
  readonly valid: boolean;
  readonly parts: readonly [string, string, string];
}

const VECTORS: readonly Vector[] = [
  ...speccheck.map(({ pub_key, message, signature }, index): Vector => ({
    name: `speccheck ${index}`,
    valid: false, // security.md 3.1, last row: on these verifiers differ, so we take none
    parts: [pub_key, message, signature],
  })),
  ...wycheproof.testGroups.flatMap(({ publicKey, tests }) =>
    tests.map(({ tcId, msg, sig, result }): Vector => ({
      name: `Wycheproof ${tcId}`,
      valid: result === "valid",
      parts: [publicKey.pk, msg, sig],
    }))
  ),
];

for (const engine of ENGINES) {
  if (engine.lack !== undefined) {
    Deno.stderr.writeSync(new TextEncoder().encode(`${engine.name} is skipped: ${engine.lack}\n`));
  }
  Deno.test({
    name: `ed25519 in ${engine.name} gives the verdicts that it gives on Deno, to the vector`,
    ignore: engine.lack !== undefined,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      assert.equal(VECTORS.length, 12 + 151);
      const { server, url } = await serve(await pageScript());
      const browser = await engine.launch();
      try {
        const page = await browser.newPage();
        await page.goto(url);
        const asked = JSON.stringify(VECTORS.map(({ parts }) => parts));
        const verdicts = await page.evaluate(`verdicts(${asked})`) as [boolean, boolean][];
        const found = VECTORS.map(({ name }, index) => [name, verdicts[index]![0]]);
        assert.deepEqual(found, VECTORS.map(({ name, valid }) => [name, valid]));
        assert.deepEqual(found, await onDeno());
        // The browser's own verifier takes what is valid as well: the vectors reached the page as they are.
        VECTORS.forEach(({ name, valid }, index) => {
          if (valid) assert.equal(verdicts[index]![1], true, name);
        });
      } finally {
        await browser.close();
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  });
}

async function onDeno(): Promise<[string, boolean][]> {
  return await Promise.all(VECTORS.map(async ({ name, parts }): Promise<[string, boolean]> => {
    const [key, message, signature] = parts;
    return [name, await verify(fromHex(key), fromHex(message), fromHex(signature))];
  }));
}

async function pageScript(): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--platform", "browser", "--format", "iife"],
      inCheckout("tests/e2e/ed25519_page.js"),
    ],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** On an origin that browsers call secure: digests exist only there. */
async function serve(script: string): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    const isScript = request.url === "/page.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? script : `<!doctype html><script src="/page.js"></script>`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}
