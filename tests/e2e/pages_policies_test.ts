/**
 * Pages under the policies that devices send: what the page allows itself works, what it forbids stays forbidden, and our
 * own parts (WebSockets, workers, download frames) are there all the same.
 */
import assert from "node:assert/strict";
import { browserMissing, type BrowserName, PagesBench } from "./pages_bench.ts";

/** Inline with the nonce, and a second one that no policy here lets run. */
const html = (nonce = "n0nce", head = "") =>
  `<!doctype html><meta charset="utf-8">${head}<title>policy</title><body>
<script nonce="${nonce}" src="/own.js"></script>
<script>globalThis.foreign = true;</script>`;

const OWN = `
const post = (value) => fetch("/report/policy", { method: "POST", body: JSON.stringify(value) });
const socket = new WebSocket(location.origin.replace("http", "ws") + "/socket");
const echoed = new Promise((resolve) => {
  socket.onopen = () => socket.send("x");
  socket.onmessage = ({ data }) => resolve(data);
  socket.onclose = ({ code }) => resolve(code);
});
const blocked = [];
addEventListener("securitypolicyviolation", ({ blockedURI, disposition }) => {
  if (disposition === "enforce") blocked.push(blockedURI);
});
const policy = self.trustedTypes?.createPolicy("page", { createScriptURL: (url) => url });
const worker = new Promise((resolve) => {
  const url = "/worker.js";
  const worker = new Worker(policy ? policy.createScriptURL(url) : url);
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = () => resolve("worker failed");
});
Promise.all([echoed, worker]).then(([echoed, worker]) =>
  post({ echoed, worker, foreign: globalThis.foreign === true,
    ours: blocked.filter((uri) => uri.includes("/.porthole")) }));
`;

const WORKER = `
const socket = new WebSocket(self.origin.replace("http", "ws") + "/socket");
socket.onopen = () => socket.send("from worker");
socket.onmessage = ({ data }) => postMessage(data);
socket.onclose = ({ code }) => postMessage(code);`;

const POLICIES: Readonly<Record<string, string | readonly string[]>> = {
  self: "default-src 'self'",
  nonce: "script-src 'nonce-n0nce'; worker-src 'self'; connect-src 'self'",
  "strict-dynamic": "script-src 'nonce-n0nce' 'strict-dynamic'; object-src 'none'; base-uri 'none'",
  hash:
    "script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' 'self'; worker-src 'self'",
  "none-but": "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'",
  several: ["default-src 'self'", "script-src 'self'; frame-src 'none'"],
  trusted: "default-src 'self'; require-trusted-types-for 'script'; trusted-types page",
};

const script = (body: string, headers = {}) => ({ body, type: "text/javascript", headers });
const PAGES = {
  ...Object.fromEntries(
    Object.entries(POLICIES).map(([name, value]) => [`/policy/${name}`, {
      body: html(),
      headers: {
        "content-security-policy": value,
        "content-security-policy-report-only": "default-src 'none'; report-uri /reported",
        "x-frame-options": "SAMEORIGIN",
        "cross-origin-embedder-policy": "require-corp",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=()",
        "strict-transport-security": "max-age=1",
        "reporting-endpoints": `main="/reports"`,
      },
    }]),
  ),
  "/policy/meta": {
    body: html(
      "n0nce",
      `<meta http-equiv="Content-Security-Policy" content="default-src 'self'; script-src 'self'">`,
    ),
  },
  "/own.js": script(OWN),
  "/worker.js": script(WORKER, {
    "content-security-policy": "default-src 'none'; connect-src 'self'",
    "cross-origin-embedder-policy": "require-corp",
  }),
};

for (const name of ["chromium", "firefox"] satisfies BrowserName[]) {
  const lack = await browserMissing(name, "policies");
  Deno.test({
    name: `pages under policies work, and what they forbid stays forbidden in ${name}`,
    ignore: lack !== undefined,
    sanitizeOps: false, // the drivers' own pipes and processes
    sanitizeResources: false,
    async fn(t) {
      await using bench = await PagesBench.start(name, { pages: PAGES });
      const { service, edge } = bench;
      for (const policy of [...Object.keys(POLICIES), "meta"]) {
        for (const how of ["direct", "tunnel"] as const) {
          await t.step(`${policy}, ${how}`, async () => {
            service.clear();
            edge.strays.length = 0;
            const path = `/policy/${policy}`;
            const tab = how === "direct" ? await bench.direct(path) : undefined;
            if (how === "tunnel") await bench.tunnel(path);
            assert.deepEqual(await service.report("policy"), {
              echoed: "x",
              worker: "from worker",
              foreign: false,
              ours: [],
            });
            assert.deepEqual(edge.strays, []);
            await tab?.close();
          });
        }
      }
    },
  });
}
