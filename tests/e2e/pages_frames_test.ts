/**
 * What browsers load without asking a service worker: documents that a page makes itself and what is in them, `object` and
 * `embed`, synchronous XMLHttpRequests, sandboxed frames, beacons, a service worker of the page's own. Beside the device
 * and through the tunnel the same must be seen, and the edge must see nothing.
 */
import assert from "node:assert/strict";
import { browserMissing, type BrowserName, PagesBench } from "./pages_bench.ts";
import { page, type ServedPage } from "./pages_service.ts";

/** 2 by 1 pixels. */
const PICTURE = Uint8Array.from(
  atob("R0lGODlhAgABAIAAAP8AAAAAACwAAAAAAgABAAACAkQKADs="),
  (character) => character.charCodeAt(0),
);
const SVG =
  `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect id="r" width="40" height="20"/></svg>`;

/** What a document loads in every usual way; reports through `parent` or `opener`. */
const LOADER = `
function look(name, wait) {
  const home = window.opener || window.parent;
  const base = home.location.origin;
  const image = new Image();
  const picture = new Promise((resolve) => {
    image.onload = () => resolve([image.naturalWidth, image.naturalHeight]);
    image.src = base + "/picture.gif";
    document.body.append(image);
    setTimeout(() => resolve("no picture"), 4000);
  });
  const xhr = new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.onloadend = () => resolve(request.responseText);
    request.open("GET", base + "/text.txt");
    request.send();
  });
  const events = new Promise((resolve) => {
    const source = new EventSource(base + "/events");
    source.onmessage = ({ data }) => { source.close(); resolve(data); };
    setTimeout(() => resolve("no event"), 4000);
  });
  home.reportOf(name, Promise.all([
    picture, xhr, events,
    fetch(base + "/text.txt").then((r) => r.text()),
    new Promise((resolve) => setTimeout(() => resolve([
      getComputedStyle(document.querySelector("h1")).color, window.loadedScript === true,
    ]), 1500)),
  ]).then(([picture, xhr, events, text, [colour, script]]) => ({ picture, xhr, events, text, colour, script })));
}`;

const CONTENT = (name: string, base = "") =>
  `<!doctype html><html><head><link rel="stylesheet" href="${base}/style.css"></head><body><h1>made</h1>` +
  `<script src="${base}/sets.js"></script><script>${LOADER} look("${name}");</script></body></html>`;

const LOADED = {
  picture: [2, 1],
  xhr: "some text",
  events: "first",
  text: "some text",
  colour: "rgb(1, 2, 3)",
  script: true,
};

function embed(text: string): string {
  return JSON.stringify(text).replaceAll("</", "<\\/");
}

/** Documents that a page makes; each must load all that a served one does. */
const DOCUMENTS: Readonly<Record<string, string>> = {
  written: `<script>
    const frame = document.createElement("iframe");
    document.body.append(frame);
    const inner = frame.contentDocument;
    inner.open(); inner.write(${embed(CONTENT("written"))}); inner.close();
  </script>`,
  "written-window": `<script>
    const frame = document.createElement("iframe");
    document.body.append(frame);
    frame.contentWindow.document.write(${embed(CONTENT("written-window"))});
    frame.contentWindow.document.close();
  </script>`,
  "written-static": `<iframe id="f" src="about:blank"></iframe><script>
    onload = () => {
      const inner = window.frames[0].document;
      inner.open(); inner.write(${embed(CONTENT("written-static"))}); inner.close();
    };
  </script>`,
  srcdoc: `<iframe id="f"></iframe><script>f.srcdoc = ${embed(CONTENT("srcdoc"))};</script>`,
  blob: `<script>
    const frame = document.createElement("iframe");
    const url = URL.createObjectURL(new Blob([${
    embed(CONTENT("blob", "BASE"))
  }.replaceAll("BASE", location.origin)], { type: "text/html" }));
    frame.src = url;
    document.body.append(frame);
    setTimeout(() => URL.revokeObjectURL(url));
  </script>`,
};

const text = (body: string, type = "text/plain"): ServedPage => ({ body, type });

const PAGES = {
  ...Object.fromEntries(
    Object.entries(DOCUMENTS).map(([name, html]) => [`/document/${name}`, page(html)]),
  ),
  "/picture.gif": { body: PICTURE, type: "image/gif" },
  "/text.txt": text("some text"),
  "/style.css": text("h1 { color: rgb(1, 2, 3); background: url(picture.gif) }", "text/css"),
  "/sets.js": text("window.loadedScript = true", "text/javascript"),
  "/events": text("retry: 60000\ndata: first\n\n", "text/event-stream"),
  "/drawing.svg": text(SVG, "image/svg+xml"),
  "/inner": page(`<h1 id="inner">inner</h1>`),

  "/case/object": page(
    `<object id="o" data="/drawing.svg" type="image/svg+xml" width="80" height="40"></object>
    <object id="p" data="/inner" type="text/html"></object>
    <embed id="e" src="/drawing.svg" type="image/svg+xml" width="60" height="30">
    <object id="i" data="/picture.gif" type="image/gif"></object>
    <script>
      const late = document.createElement("object");
      late.type = "image/svg+xml"; late.data = "/drawing.svg?late";
      document.body.append(late);
      const size = (element) => { const { width, height } = element.getBoundingClientRect(); return [width, height]; };
      const until = (test) => new Promise((resolve) => {
        let turns = 0;
        const timer = setInterval(() => { let value; try { value = test(); } catch {}
          if (value || ++turns > 400) { clearInterval(timer); resolve(value || "no"); } }, 50);
      });
      reportOf("object", Promise.all([
        until(() => o.contentDocument.querySelector("#r") && "drawn"),
        until(() => p.contentDocument.querySelector("#inner").textContent),
        until(() => late.contentDocument.querySelector("#r") && "drawn"),
      ]).then((found) => ({ found, sizes: [size(o), size(document.querySelector("#e"))] })));
    </script>`,
  ),
  "/case/sync": page(`<script>
    const request = new XMLHttpRequest();
    request.open("GET", "/text.txt", false);
    let seen;
    try { request.send(); seen = request.responseText; }
    catch (error) { seen = [error.name, error.message, error instanceof DOMException]; }
    report("sync", seen);
  </script>`),
  "/case/sync-worker": page(`<script>
    new Worker(URL.createObjectURL(new Blob(["const r = new XMLHttpRequest(); r.open('GET', self.origin + '/text.txt', false); r.send(); postMessage(r.responseText);"])))
      .onmessage = ({ data }) => report("sync-worker", data);
  </script>`),
  "/case/beacon": page(`<script>
    navigator.sendBeacon("/report/beacon", JSON.stringify("left"));
  </script>`),
  "/case/own-worker": page(`<script>
    reportOf("own-worker", (async () => {
      const { serviceWorker } = navigator;
      const registration = await serviceWorker.register("/own_sw.js").catch((error) => error.name);
      return {
        registration: typeof registration === "string" ? registration : "registered",
        push: "PushManager" in window && !!registration.pushManager,
        controller: serviceWorker.controller === null,
      };
    })());
  </script>`),
  "/own_sw.js": text("onfetch = () => {}", "text/javascript"),
  "/case/popup": page(`<script>
    const popup = window.open("", "made", "width=300,height=200");
    popup.document.write(${embed(CONTENT("popup"))});
    popup.document.close();
    setTimeout(() => popup.close(), 8000);
  </script>`),
  "/case/cookie": page(`<script>
    document.cookie = "page=1";
    const frame = document.createElement("iframe");
    document.body.append(frame);
    frame.contentDocument.cookie = "frame=2";
    reportOf("cookie", fetch("/inner").then(() => [document.cookie.includes("frame=2"), frame.contentDocument.cookie.includes("page=1")]));
  </script>`),
  // A frame that was reached into while it was blank, and then shows a page of the device: that page has its own again.
  "/case/reused": page(`<iframe id="f"></iframe><script>
    f.contentWindow.touched = 1;
    f.contentDocument.body.textContent = "blank";
    f.onload = () => {
      const inner = f.contentWindow;
      reportOf("reused", Promise.all([
        inner.fetch("text.txt").then((r) => r.text()),
        new Promise((resolve) => {
          const socket = new inner.WebSocket(location.origin.replace("http", "ws") + "/socket");
          socket.onopen = () => socket.send("x");
          socket.onmessage = ({ data }) => resolve(data);
        }),
        inner.fetch === window.fetch,
        inner.document.querySelector("h1").textContent,
      ]));
    };
    f.contentWindow.location.href = "/deep/page";
  </script>`),
  "/deep/page": page(`<h1>deep</h1>`),
  "/deep/text.txt": text("deep text"),
  "/case/sandboxed": page(`<script>
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-scripts";
    frame.src = "/inner?sandboxed";
    document.body.append(frame);
    const parsed = document.createElement("div");
    parsed.innerHTML = '<iframe sandbox="allow-scripts" src="/inner?parsed"></iframe>';
    document.body.append(parsed);
    setTimeout(() => report("sandboxed", frame.srcdoc), 1500);
  </script><iframe sandbox src="/inner?static"></iframe>`),
};

/** For work on one of them: `ONLY=written,object deno test …`. */
const only = Deno.env.get("ONLY")?.split(",");

for (const name of ["chromium", "firefox"] satisfies BrowserName[]) {
  const lack = await browserMissing(name, "frames");
  Deno.test({
    name: `what browsers load past a service worker is tunnelled all the same in ${name}`,
    ignore: lack !== undefined,
    sanitizeOps: false, // the drivers' own pipes and processes
    sanitizeResources: false,
    async fn(t) {
      await using bench = await PagesBench.start(name, { pages: PAGES });
      const { service, edge } = bench;
      const run = async (
        path: string,
        report: string,
        check: (seen: unknown, how: string) => void,
      ) => {
        if (only !== undefined && !only.includes(report)) return;
        for (const how of ["direct", "tunnel"] as const) {
          await t.step(`${report}, ${how}`, async () => {
            service.clear();
            edge.strays.length = 0;
            const tab = how === "direct" ? await bench.direct(path) : undefined;
            if (how === "tunnel") await bench.tunnel(path);
            try {
              check(await service.report(report), how);
              assert.deepEqual(edge.strays, []);
            } finally {
              await tab?.close();
            }
          });
        }
      };
      for (const kind of Object.keys(DOCUMENTS)) {
        await run(`/document/${kind}`, kind, (seen) => assert.deepEqual(seen, LOADED));
      }
      await run("/case/popup", "popup", (seen) => assert.deepEqual(seen, LOADED));
      await run("/case/object", "object", (seen) =>
        assert.deepEqual(seen, {
          found: ["drawn", "inner", "drawn"],
          sizes: [[80, 40], [60, 30]],
        }));
      await run("/case/sync", "sync", (seen, how) => {
        if (how === "direct" || name === "firefox") return assert.equal(seen, "some text");
        const [errorName, message, isException] = seen as [string, string, boolean];
        assert.equal(errorName, "NetworkError");
        assert.match(message, /porthole cannot carry a synchronous XMLHttpRequest/);
        assert.equal(isException, true);
      });
      await run("/case/sync-worker", "sync-worker", (seen) => assert.equal(seen, "some text"));
      await run("/case/beacon", "beacon", (seen) => assert.equal(seen, "left"));
      await run("/case/cookie", "cookie", (seen) => assert.deepEqual(seen, [true, true]));
      await run(
        "/case/reused",
        "reused",
        (seen) => assert.deepEqual(seen, ["deep text", "x", false, "deep"]),
      );
      await run("/case/own-worker", "own-worker", (seen, how) => {
        if (how === "tunnel") assert.equal((seen as { push: boolean }).push, false);
      });
      await run("/case/sandboxed", "sandboxed", (seen, how) => {
        if (how === "tunnel") assert.match(String(seen), /sandbox/);
      });
    },
  });
}
