/**
 * A device's page in a tab of its own: one that refuses every frame works there, with its files, WebSockets and reloads,
 * whether its origin is of the shell's site or not; when the shell's tab is closed the page says so.
 */
import assert from "node:assert/strict";
import { browserMissing, type BrowserName, PagesBench } from "./pages_bench.ts";
import { page } from "./pages_service.ts";

const LIMIT_MS = 30_000;

const PAGES = {
  "/refuses": {
    body: page(`<h1 id="where"></h1><script>
      if (top !== self) where.textContent = "framed";
      else {
        where.textContent = "alone";
        const turn = Number(sessionStorage.turn ?? 0) + 1;
        sessionStorage.turn = turn;
        const socket = new WebSocket(location.origin.replace("http", "ws") + "/socket");
        socket.onopen = () => socket.send("hello");
        socket.onmessage = ({ data }) => {
          report("turn-" + turn, [data, location.pathname + location.search]);
          if (turn === 1) setTimeout(() => location.reload(), 100);
          if (turn === 2) setTimeout(() => location.href = "/refuses?next", 100);
        };
      }
    </script>`),
    headers: {
      "x-frame-options": "DENY",
      "content-security-policy": "frame-ancestors 'none'",
      "cross-origin-opener-policy": "same-origin",
    },
  },
};

for (const name of ["chromium", "firefox"] satisfies BrowserName[]) {
  const lack = await browserMissing(name, "tabs of their own");
  for (const site of ["porthole.localhost", "porthole-content.localhost"]) {
    Deno.test({
      name: `a page that refuses frames works in a tab of its own in ${name} on ${site}`,
      ignore: lack !== undefined,
      sanitizeOps: false, // the drivers' own pipes and processes
      sanitizeResources: false,
      async fn(t) {
        await using bench = await PagesBench.start(name, { pages: PAGES, site });
        const { service, edge } = bench;
        await bench.tunnel("/refuses");
        const opened = bench.context?.waitForEvent("page", { timeout: LIMIT_MS });
        await bench.shown("[data-testid=own-tab]:not([disabled])");
        await bench.tab.click("[data-testid=own-tab]");
        await t.step("it loads, loads again and goes on", async () => {
          assert.deepEqual(await service.report("turn-1"), ["hello", "/refuses"]);
          assert.deepEqual(await service.report("turn-2"), ["hello", "/refuses"]);
          assert.deepEqual(await service.report("turn-3"), ["hello", "/refuses?next"]);
        });
        await t.step("nothing of it reached the edge", () => assert.deepEqual(edge.strays, []));
        await t.step("it says that the shell's tab was closed", async () => {
          if (opened === undefined) return; // only playwright finds a tab that it did not open
          const tab = await opened;
          await bench.tab.close();
          await tab.getByText("was closed").waitFor({ timeout: LIMIT_MS });
          const address = await tab.getByRole("link", { name: "Open it again" }).getAttribute(
            "href",
          );
          assert.match(
            address ?? "",
            /^http:\/\/porthole\.localhost:\d+\/#\/d\/[^/]+\/s\/cases\/refuses/,
          );
        });
      },
    });
  }
}
