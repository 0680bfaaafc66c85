/**
 * Synchronous requests of a page's own thread: beside the device and through the tunnel a page sees the same, in its first
 * script and in a frame within, and nothing of it reaches the edge.
 */
import assert from "node:assert/strict";
import { browserMissing, type BrowserName, PagesBench } from "./pages_bench.ts";
import { page } from "./pages_service.ts";

const ASK = `
function ask(method, path, body, prepare = () => {}) {
  const request = new XMLHttpRequest();
  const seen = [];
  request.onreadystatechange = () => seen.push(request.readyState);
  request.addEventListener("load", () => seen.push("load"));
  request.open(method, path, false);
  prepare(request);
  request.send(body);
  const url = new URL(request.responseURL);
  return [request.status, request.responseText.slice(0, 40), request.responseText.length, url.pathname + url.search,
    request.getResponseHeader("Content-Type"), request.responseXML?.documentElement.localName ?? null, seen];
}`;

const PAGES = {
  "/page": page(`<script>${ASK}
    const seen = [ask("GET", "/text?a=%2F"), ask("get", "/moved"), ask("GET", "/missing"), ask("GET", "/xml"),
      ask("GET", "/large"), ask("GET", "/latin", null, (request) => request.overrideMimeType("text/plain; charset=koi8-r"))];
    document.cookie = "same=tick";
    seen.push(ask("POST", "/report/posted", JSON.stringify({ text: "grüß" })));
    seen.push(ask("PUT", "/report/put", new Blob(["[1]"]), (request) => request.setRequestHeader("X-Mine", "1")));
    report("page", seen);
  </script><iframe id="inner" src="/inner"></iframe><script>
    inner.onload = () => report("frame", [inner.contentWindow.seen, inner.contentDocument.title]);
  </script>`),
  "/inner": page(`<script>${ASK} seen = ask("GET", "/text?inner");</script>`),
  "/text": { body: "text", type: "text/plain" },
  "/moved": { body: "", status: 302, headers: { location: "/text?moved" } },
  "/xml": { body: "<gate><open/></gate>", type: "application/xml" },
  "/large": { body: "x".repeat(1_000_000), type: "text/plain" },
  "/latin": { body: new Uint8Array([0xe4]), type: "text/plain" },
};

for (const name of ["chromium", "firefox"] satisfies BrowserName[]) {
  const lack = await browserMissing(name, "synchronous requests");
  for (const site of ["porthole.localhost", "porthole-content.localhost"]) {
    Deno.test({
      name: `a page's synchronous requests are answered in ${name} on ${site}`,
      ignore: lack !== undefined,
      sanitizeOps: false, // the drivers' own pipes and processes
      sanitizeResources: false,
      async fn() {
        await using bench = await PagesBench.start(name, { pages: PAGES, site });
        const { service, edge } = bench;
        const seen = async () => ({
          page: await service.report<unknown[][]>("page"),
          frame: await service.report("frame"),
          posted: await service.report("posted"),
          put: await service.report("put"),
        });
        const tab = await bench.direct("/page");
        const direct = await seen();
        await tab.close();
        assert.deepEqual(direct.page[0], [200, "text", 4, "/text?a=%2F", "text/plain", null, [
          1,
          4,
          "load",
        ]]);
        assert.deepEqual([direct.posted, direct.put], [{ text: "grüß" }, [1]]);
        service.clear();
        await bench.tunnel("/page");
        assert.deepEqual(await seen(), direct);
        assert.deepEqual(edge.strays, []);
      },
    });
  }
}
