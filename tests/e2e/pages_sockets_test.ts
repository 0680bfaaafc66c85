/**
 * WebSockets wherever a device's page may open them: in the page, in every kind of frame and of worker. Each place runs
 * the same few lines, beside the device and through the tunnel; what they saw must be the same.
 */
import assert from "node:assert/strict";
import { browserMissing, type BrowserName, PagesBench } from "./pages_bench.ts";
import { page } from "./pages_service.ts";

/** Runs anywhere; `base` is the page's origin. */
const SUITE = `
async function suite(base) {
  const url = base.replace("http", "ws") + "/socket?a=%2F&b";
  const seen = {};
  const socket = new WebSocket(url, ["first", "second"]);
  socket.binaryType = "arraybuffer";
  const next = (type) => new Promise((resolve, reject) => {
    socket.addEventListener(type, resolve, { once: true });
    if (type !== "close") socket.addEventListener("close", ({ code }) => reject(new Error("closed " + code)), { once: true });
    setTimeout(() => reject(new Error("no " + type)), 20000);
  });
  seen.before = [socket.readyState, socket.url === url, socket.bufferedAmount, socket.extensions];
  await next("open");
  seen.open = [socket.readyState, socket.protocol, socket.extensions, socket.binaryType];
  seen.constants = [WebSocket.CONNECTING, WebSocket.OPEN, socket.CLOSING, WebSocket.prototype.CLOSED];
  seen.instance = [socket instanceof WebSocket, socket.constructor === WebSocket, socket instanceof EventTarget,
    Object.prototype.toString.call(socket)];
  socket.send("grüß dich");
  seen.text = (await next("message")).data;
  socket.send(new Uint8Array([1, 2, 3]));
  seen.binary = [...new Uint8Array((await next("message")).data)];
  socket.binaryType = "blob";
  socket.send(new Blob(["b"]));
  seen.blob = (await next("message")).data.size;
  socket.send(new Uint8Array(300000));
  seen.large = (await next("message")).data.size;
  socket.send("close 4002 bye now");
  const { code, reason, wasClean } = await next("close");
  seen.close = [code, reason, wasClean, socket.readyState];
  const refused = new WebSocket(base.replace("http", "ws") + "/socket/refused");
  seen.refused = await new Promise((resolve) => refused.onclose = ({ code, wasClean }) => resolve([code, wasClean]));
  const own = new WebSocket(base.replace("http", "ws") + "/socket");
  await new Promise((resolve) => own.onopen = resolve);
  own.close(3001, "enough");
  seen.own = await new Promise((resolve) => own.onclose = ({ code, reason, wasClean }) => resolve([code, reason, wasClean]));
  return seen;
}`;

const EXPECTED = {
  before: [0, true, 0, ""],
  open: [1, "second", "", "arraybuffer"],
  constants: [0, 1, 2, 3],
  instance: [true, true, true, "[object WebSocket]"],
  text: "grüß dich",
  binary: [1, 2, 3],
  blob: 1,
  large: 300_000,
  close: [4002, "bye now", true, 3],
  refused: [1006, false],
  own: [3001, "enough", true],
};

const RUN_IN_PARENT = `<script>${SUITE}
parent.reportOf(NAME, suite(parent.location.origin));
</script>`;

/** A worker that posts what it saw to whoever started it. */
const WORKER = `${SUITE}
const say = (port) => suite(self.origin).catch((error) => ({ failed: String(error) })).then((seen) => port.postMessage(seen));
if (typeof postMessage === "function") say(self);
else addEventListener("connect", ({ ports: [port] }) => say(port));`;

const fromWorker = (name: string, code: string) =>
  `<script>
  {
    const worker = ${code};
    const port = worker.port || worker;
    worker.onerror = (event) => report(${
    JSON.stringify(name)
  }, { failed: event.message || "worker error" });
    reportOf(${
    JSON.stringify(name)
  }, new Promise((resolve) => port.onmessage = ({ data }) => resolve(data)));
  }
</script>`;

const text = (options: string) =>
  `new Blob([await0], { type: "text/javascript" })`.replace("await0", JSON.stringify(options));
const asBlob = (source: string) =>
  `(() => { const url = URL.createObjectURL(${
    text(source)
  }); setTimeout(() => URL.revokeObjectURL(url)); return url; })()`;
const script = (body: string) => ({ body, type: "text/javascript" });
const MODULE = `import { name } from "./dependency.js";\nexport const x = name;\n${WORKER}`;

/** Where a WebSocket is opened, and the page that does it. */
const PLACES: Readonly<Record<string, string>> = {
  page: `<script>${SUITE} reportOf("page", suite(location.origin));</script>`,
  frame: `<iframe src="/nested/frame"></iframe>`,
  srcdoc: `<iframe id="f"></iframe><script>document.querySelector("#f").srcdoc = ${
    embed(RUN_IN_PARENT.replace("NAME", `"srcdoc"`))
  };</script>`,
  "srcdoc-static": `<iframe srcdoc="${
    RUN_IN_PARENT.replace("NAME", `'srcdoc-static'`).replaceAll("&", "&amp;").replaceAll(
      '"',
      "&quot;",
    )
  }"></iframe>`,
  blank: `<script>${SUITE}
    const frame = document.createElement("iframe");
    document.body.append(frame);
    frame.contentWindow.base = location.origin;
    frame.contentWindow.eval(${embed(SUITE)} + "; parent.reportOf('blank', suite(base))");
  </script>`,
  written: `<script>
    const frame = document.createElement("iframe");
    document.body.append(frame);
    const inner = frame.contentWindow.document;
    inner.open();
    inner.write(${embed(RUN_IN_PARENT.replace("NAME", `"written"`))});
    inner.close();
  </script>`,
  "blob-frame": `<script>
    const frame = document.createElement("iframe");
    frame.src = URL.createObjectURL(new Blob([${
    embed(RUN_IN_PARENT.replace("NAME", `"blob-frame"`))
  }], { type: "text/html" }));
    document.body.append(frame);
  </script>`,
  worker: fromWorker("worker", `new Worker("/worker.js")`),
  "strict-worker": fromWorker("strict-worker", `new Worker("/strict_worker.js")`),
  "module-worker": fromWorker("module-worker", `new Worker("/module.js", { type: "module" })`),
  "plain-module-worker": fromWorker(
    "plain-module-worker",
    `new Worker("/worker.js", { type: "module", name: "n" })`,
  ),
  "blob-worker": fromWorker("blob-worker", `new Worker(${asBlob(WORKER)})`),
  "blob-module-worker": fromWorker(
    "blob-module-worker",
    `new Worker(${asBlob(`export {};\n${WORKER}`)}, { type: "module" })`,
  ),
  "nested-worker": fromWorker("nested-worker", `new Worker("/outer.js")`),
  "importing-worker": fromWorker("importing-worker", `new Worker("/importing.js")`),
  "shared-worker": fromWorker("shared-worker", `new SharedWorker("/worker.js", "own")`),
  "shared-module-worker": fromWorker(
    "shared-module-worker",
    `new SharedWorker("/module.js", { type: "module" })`,
  ),
  "shared-blob-worker": fromWorker("shared-blob-worker", `new SharedWorker(${asBlob(WORKER)})`),
};

/** Text as a script's string literal. */
function embed(text: string): string {
  return JSON.stringify(text).replaceAll("</", "<\\/");
}

/** For work on one of them: `ONLY=worker,blank deno test …`. */
const only = Deno.env.get("ONLY")?.split(",");

const PAGES = {
  ...Object.fromEntries(
    Object.entries(PLACES).map(([name, html]) => [`/place/${name}`, page(html)]),
  ),
  "/nested/frame": page(`<iframe src="/nested/inner"></iframe>`),
  "/nested/inner": page(`<script>${SUITE} reportOf("frame", suite(location.origin));</script>`),
  "/worker.js": script(WORKER),
  "/strict_worker.js": script(`// licence\n/* import x */ "use strict";\n${WORKER}
if ((function () { return this; })() !== undefined) throw new Error("not strict");`),
  "/module.js": script(MODULE),
  "/dependency.js": script(
    `if (!new WebSocket("wss://" + self.location.host + "/socket/early").url) throw 0;\nexport const name = "x";`,
  ),
  "/outer.js": script(
    `const inner = new Worker(URL.createObjectURL(new Blob([${embed(WORKER)}])));
inner.onmessage = ({ data }) => postMessage(data);`,
  ),
  "/importing.js": script(`importScripts("/worker.js");`),
  "/error.js": script(`\n\nnull.line3;`),
  "/place/error-line": page(
    `<script>new Worker("/error.js").onerror = ({ lineno, filename }) =>
      report("error-line", [lineno, filename.replace(location.origin, "")]);</script>`,
  ),
  "/place/data-worker": page(`<script>
    const source = "onmessage = () => fetch(self.origin + '/data.txt').then((r) => r.text()).then(postMessage, (e) => postMessage(e.name))";
    const worker = new Worker("data:text/javascript;base64," + btoa(source));
    worker.onmessage = ({ data }) => report("data-worker", data);
    worker.postMessage(0);
  </script>`),
  "/data.txt": { body: "through", type: "text/plain" },
  "/place/many": page(`<script>
    const url = location.origin.replace("http", "ws") + "/socket";
    const one = (index) => new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      socket.onopen = () => socket.send("n" + index);
      socket.onmessage = ({ data }) => resolve([socket, data]);
      socket.onclose = ({ code }) => reject(new Error("socket " + index + " closed with " + code));
    });
    reportOf("many", Promise.all(Array.from({ length: 200 }, (_, index) => one(index))).then((all) => {
      for (const [socket] of all) { socket.onclose = null; socket.close(); }
      return all.every(([, data], index) => data === "n" + index);
    }));
  </script>`),
  "/place/many-in-worker": page(fromWorker("many-in-worker", `new Worker("/many.js")`)),
  "/many.js": script(`
    const url = self.origin.replace("http", "ws") + "/socket";
    const one = (index) => new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      socket.onopen = () => socket.send("n" + index);
      socket.onmessage = ({ data }) => resolve([socket, data]);
      socket.onclose = ({ code }) => reject(new Error("socket " + index + " closed with " + code));
    });
    Promise.all(Array.from({ length: 200 }, (_, index) => one(index))).then(
      (all) => postMessage(all.every(([, data], index) => data === "n" + index)),
      (error) => postMessage(String(error)),
    );`),
  "/place/meddling": page(`<script>${SUITE}
    const Native = window.WebSocket;
    const calls = [];
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) { calls.push(typeof data); return send.call(this, data); };
    const listed = ["url", "readyState", "onmessage", "send", "close"].filter((name) =>
      Object.getOwnPropertyDescriptor(WebSocket.prototype, name)?.enumerable);
    class Reconnecting extends Native {}
    window.WebSocket = function (...values) { return new Reconnecting(...values); };
    window.WebSocket.OPEN = Native.OPEN;
    const socket = new window.WebSocket(location.origin.replace("http", "ws") + "/socket");
    socket.onopen = () => socket.send("x");
    socket.onmessage = () => report("meddling", {
      calls, listed, kinds: [socket instanceof Reconnecting, socket instanceof Native],
      stream: typeof WebSocketStream,
    });
  </script>`),
  // A shared worker keeps its socket while the page that started it loads again.
  "/place/survivor": page(`<script>
    const { port } = new SharedWorker("/survivor.js", "survivor");
    port.onmessage = ({ data }) => report("survivor-" + (new URLSearchParams(location.search).get("turn")), data);
    port.postMessage("hello");
  </script>`),
  "/survivor.js": script(`
    const socket = new WebSocket(self.origin.replace("http", "ws") + "/socket");
    const opened = new Promise((resolve) => socket.onopen = resolve);
    let closed = 0, turns = 0;
    socket.onclose = () => closed++;
    onconnect = ({ ports: [port] }) => port.onmessage = () => opened.then(() => {
      socket.onmessage = ({ data }) => port.postMessage({ data, closed, turns: ++turns });
      socket.send("echo");
    });`),
  "/place/gone": page(`<script>
    const worker = new Worker("/gone.js");
    worker.onmessage = () => { worker.terminate(); report("gone", true); };
  </script>`),
  "/gone.js": script(
    `new WebSocket(self.origin.replace("http", "ws") + "/socket").onopen = () => postMessage(1);`,
  ),
};

for (const name of ["chromium", "firefox"] satisfies BrowserName[]) {
  const lack = await browserMissing(name, "sockets");
  Deno.test({
    name: `WebSockets work in every frame and worker of a device's page in ${name}`,
    ignore: lack !== undefined,
    sanitizeOps: false, // the drivers' own pipes and processes
    sanitizeResources: false,
    async fn(t) {
      await using bench = await PagesBench.start(name, { pages: PAGES });
      const { service, edge } = bench;
      const both = async (path: string, report: string, check: (seen: unknown) => void) => {
        if (only !== undefined && !only.includes(report)) return;
        for (const how of ["direct", "tunnel"] as const) {
          await t.step(`${report}, ${how}`, async () => {
            service.clear();
            const tab = how === "direct" ? await bench.direct(path) : undefined;
            if (how === "tunnel") await bench.tunnel(path);
            try {
              check(await service.report(report));
              if (how === "tunnel") assert.deepEqual(edge.strays.splice(0), []);
            } finally {
              await tab?.close();
            }
          });
        }
      };
      for (const place of Object.keys(PLACES)) {
        // Gap: Firefox shows no service worker what a shared worker from a blob: asks for.
        if (name === "firefox" && place === "shared-blob-worker") continue;
        // The class is that of the page around a document that it made: `EventTarget` is another's there. Chromium has
        // its own where the document's requests are shown to the service worker.
        const filled = ["blank", "written"].includes(place) ||
          (name === "firefox" && ["srcdoc", "srcdoc-static", "blob-frame"].includes(place));
        await both(`/place/${place}`, place, (seen) => {
          const { instance, ...rest } = seen as typeof EXPECTED;
          if (filled) instance[2] = true;
          assert.deepEqual({ instance, ...rest }, EXPECTED);
        });
      }
      await both(
        "/place/meddling",
        "meddling",
        (seen) =>
          assert.deepEqual({ ...seen as object, stream: "" }, {
            calls: ["string"],
            listed: ["url", "readyState", "onmessage", "send", "close"],
            kinds: [true, true],
            stream: "",
          }),
      );
      await both(
        "/place/error-line",
        "error-line",
        (seen) => assert.deepEqual(seen, [3, "/error.js"]),
      );
      await both("/place/many", "many", (seen) => assert.equal(seen, true));
      await both("/place/many-in-worker", "many-in-worker", (seen) => assert.equal(seen, true));
      await t.step("a data: worker reaches its device, tunnel", async () => {
        await bench.tunnel("/place/data-worker");
        assert.equal(await service.report("data-worker"), "through");
        assert.deepEqual(edge.strays.splice(0), []);
      });
      await t.step("a shared worker keeps its socket over a reload of its page", async () => {
        await bench.tunnel("/place/survivor?turn=1");
        assert.deepEqual(await service.report("survivor-1"), { data: "echo", closed: 0, turns: 1 });
        await bench.tunnel("/place/survivor?turn=2");
        await service.report("survivor-2");
      });
      await t.step("a worker that ends takes its sockets with it", async () => {
        await bench.tunnel("/place/gone");
        await service.report("gone");
        const end = performance.now() + 30_000;
        while (service.sockets > 0 && performance.now() < end) {
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        assert.equal(service.sockets, 0);
      });
    },
  });
}
