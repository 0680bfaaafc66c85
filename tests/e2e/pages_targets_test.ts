/** `_top` and `_parent` of a device's page: they lead to its own outermost page, never to the shell, and a page that will not be in a frame gets a tab of its own offered. */
import assert from "node:assert/strict";
import { browserMissing, type BrowserName, PagesBench } from "./pages_bench.ts";
import { page } from "./pages_service.ts";

/** What a frame within the page does; each leads to `/reached`. */
const WAYS: Readonly<Record<string, string>> = {
  link: `<a id="a" href="/reached?link" target="_top">x</a><script>a.click()</script>`,
  base: `<base target="_top"><a id="a" href="/reached?base">x</a><script>a.click()</script>`,
  parent: `<a id="a" href="/reached?parent" target="_parent">x</a><script>a.click()</script>`,
  form:
    `<form action="/reached" target="_top"><button id="b" name="form">x</button></form><script>b.click()</script>`,
  "form-target":
    `<form action="/reached"><button id="b" name="form-target" formtarget="_TOP">x</button></form>
    <script>b.click()</script>`,
  submit: `<form id="f" action="/reached" target="_top"><input name="submit-way"></form>
    <script>HTMLFormElement.prototype.submit.call(f)</script>`,
  open: `<script>open("/reached?open", "_top")</script>`,
};

const inner = Object.entries(WAYS).flatMap(([name, html]) => [
  [`/frame/${name}`, page(`<script>onload = () => {};</script>${html}`)],
  [`/framed/${name}`, page(`<iframe src="/frame/${name}"></iframe>`)],
]);

const PAGES = {
  ...Object.fromEntries(inner),
  "/reached": page(`<script>
    let outer = self;
    try { while (outer.parent !== outer && outer.parent.origin === origin) outer = outer.parent; } catch {}
    report("reached", outer === self);
  </script>`),
  "/busts": page(`<script>if (top !== self) top.location = self.location;</script>`),
};

for (const name of ["chromium", "firefox"] satisfies BrowserName[]) {
  const lack = await browserMissing(name, "targets");
  Deno.test({
    name: `links and forms for _top stay within the device's pages in ${name}`,
    ignore: lack !== undefined,
    sanitizeOps: false, // the drivers' own pipes and processes
    sanitizeResources: false,
    async fn(t) {
      await using bench = await PagesBench.start(name, { pages: PAGES });
      for (const way of Object.keys(WAYS)) {
        for (const place of ["framed", "frame"]) {
          await t.step({
            name: `${way}, ${place === "framed" ? "in a frame" : "outermost"}`,
            // Firefox lets no sandboxed frame lead one around it, whatever it is called (README).
            ignore: name === "firefox" && place === "framed",
            fn: async () => {
              bench.service.clear();
              await bench.tunnel(`/${place}/${way}`);
              assert.equal(await bench.service.report("reached"), true);
            },
          });
        }
      }
      await t.step("a page that will not be in a frame gets a tab of its own offered", async () => {
        await bench.tunnel("/busts");
        await bench.shown("[data-testid=wants-tab] button:not(.quiet)");
      });
      assert.deepEqual(bench.edge.strays, []);
    },
  });
}
