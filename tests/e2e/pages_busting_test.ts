/**
 * Pages that will not be in a frame and say so by script: the shell offers them a tab of their own, once, and there they
 * work. A page that says it by header alone is adapted, and shows in the frame without a word.
 */
import assert from "node:assert/strict";
import { browserMissing, type BrowserName, PagesBench } from "./pages_bench.ts";
import { page } from "./pages_service.ts";

const SHOWN = `<script type="module">report("top", top === self);</script>`;

/** OWASP's, as many devices have it: hidden unless at the top. */
const HIDES = page(`<style id="guard">body { display: none !important }</style>
<script>
  if (self === top) document.getElementById("guard").remove();
  else try { top.location = self.location; } catch {}
</script><h1>guarded</h1>${SHOWN}`);

/** Reaches for the window and does not expect to fail; from a frame of its own, too. */
const REACHES = page(`<h1>reaches</h1>${SHOWN}
<script>setTimeout(() => { if (top !== self) top.document.title = "mine"; }, 0);</script>`);
const NESTS = page(`<iframe src="/inner"></iframe>${SHOWN}`);
const INNER = page(`<script>
  setTimeout(() => { report("inner", top.document.title); }, 0);
</script>`);

const PAGES = {
  "/hides": HIDES,
  "/reaches": REACHES,
  "/nests": NESTS,
  "/inner": INNER,
  "/plain": {
    body: page(`<h1>plain</h1>${SHOWN}`),
    headers: { "x-frame-options": "DENY", "content-security-policy": "frame-ancestors 'none'" },
  },
};

const CARD = "[data-testid=wants-tab]";

for (const name of ["chromium", "firefox"] satisfies BrowserName[]) {
  const lack = await browserMissing(name, "pages that refuse frames");
  Deno.test({
    name: `a page that will not be in a frame is offered a tab of its own in ${name}`,
    ignore: lack !== undefined,
    sanitizeOps: false, // the drivers' own pipes and processes
    sanitizeResources: false,
    async fn(t) {
      await using bench = await PagesBench.start(name, { pages: PAGES });
      const { service } = bench;
      const isOffered = () =>
        bench.tab.evaluate(`document.querySelector(${JSON.stringify(CARD)}) !== null`);

      for (const path of ["/hides", "/reaches", "/nests"]) {
        await t.step(`${path} is offered one, and works there`, async () => {
          service.clear();
          await bench.tunnel(path);
          assert.equal(await service.report("top"), false);
          await bench.shown(CARD);
          service.clear();
          await bench.tab.click(`${CARD} button`);
          assert.equal(await service.report("top"), true);
          assert.equal(await isOffered(), false);
        });
      }

      await t.step("who stays is not asked again by the same page", async () => {
        service.clear();
        await bench.tunnel("/reaches");
        await bench.shown(CARD);
        await bench.tab.click(`${CARD} button.quiet`);
        assert.equal(await isOffered(), false);
      });

      await t.step("a page that refuses by header alone is shown without a word", async () => {
        service.clear();
        await bench.tunnel("/plain");
        assert.equal(await service.report("top"), false);
        assert.equal(await isOffered(), false);
      });
    },
  });
}
