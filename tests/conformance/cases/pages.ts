/** Cases 14 and 20 to 25: what a person sees of pages, frames, caches and downloads. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Case, Check, Visit } from "../case.ts";
import type { Handler } from "../device_server.ts";
import type { Exchange, Lines } from "../exchange.ts";

const SVG =
  `<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"><rect width="7" height="7"/></svg>`;

function picture(exchange: Exchange): void {
  exchange.reply({ headers: [["Content-Type", "image/svg+xml"]], body: SVG });
}

const FILE = Buffer.alloc(300_000, "some file ");

export const savedFiles: Case = {
  number: 14,
  title: "<a download> and attachments: the right name and bytes, nothing at the edge",
  device: () => ({
    paths: {
      "/file": (exchange) =>
        exchange.reply({ headers: [["Content-Type", "application/octet-stream"]], body: FILE }),
      "/attachment": (exchange) =>
        exchange.reply({
          headers: [
            ["Content-Type", "application/octet-stream"],
            [
              "Content-Disposition",
              `attachment; filename="plain.bin"; filename*=UTF-8''gr%C3%BC%C3%9Fe.bin`,
            ],
          ],
          body: FILE,
        }),
      "/post": async (exchange) => {
        await exchange.skipBody();
        exchange.reply({
          headers: [["Content-Disposition", `attachment; filename="posted.txt"`]],
          body: "posted",
        });
      },
    },
  }),
  async drive(visit: Visit, check: Check) {
    const save = (code: string) => async () => {
      const before = visit.road.strays().length;
      const [download] = await Promise.all([
        visit.tab.waitForEvent("download", { timeout: 30_000 }),
        visit.scene().evaluate(code),
      ]);
      const bytes = await Deno.readFile(await download.path());
      const strays = visit.road.strays().slice(before);
      return [download.suggestedFilename(), sha256(bytes) === sha256(FILE), bytes.length, strays];
    };
    const click = (attributes: string) =>
      `void Object.assign(document.body.appendChild(document.createElement("a")), ${attributes}).click()`;
    await check("download with a name", save(click(`{ href: "/file", download: "own näme.bin" }`)));
    await check("download without a name", save(click(`{ href: "/file?x=1", download: "" }`)));
    await check(
      "download of an attachment",
      save(click(`{ href: "/attachment", download: "other.bin" }`)),
    );
    await check("link to an attachment", save(click(`{ href: "/attachment" }`)));
    await check(
      "blob",
      save(click(`{ href: URL.createObjectURL(new Blob(["x"])), download: "blob.txt" }`)),
    );
    await check(
      "form",
      save(`{
        const form = document.body.appendChild(document.createElement("form"));
        form.method = "post"; form.action = "/post";
        form.submit();
      }`),
    );
  },
  expected: {
    "download with a name": ["own n\u00e4me.bin", true, FILE.length, []],
    "link to an attachment": ["gr\u00fc\u00dfe.bin", true, FILE.length, []],
  },
};

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

const CACHED: Readonly<Record<string, Lines>> = {
  "/etag": [["ETag", '"1"'], ["Cache-Control", "no-cache"]],
  "/date": [["Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT"], ["Cache-Control", "no-cache"]],
  "/max-age": [["Cache-Control", "max-age=600"], ["ETag", '"1"']],
  "/immutable": [["Cache-Control", "max-age=31536000, immutable"]],
  "/no-store": [["Cache-Control", "no-store"], ["ETag", '"1"']],
  "/vary": [["Cache-Control", "max-age=600"], ["Vary", "X-Kind"]],
  "/private": [["Cache-Control", "private, max-age=600"]],
  "/expires": [["Cache-Control", ""], ["Expires", "Fri, 01 Jan 2100 00:00:00 GMT"]],
  "/stale": [["Cache-Control", "max-age=0, must-revalidate"], ["ETag", '"1"']],
};

export const cache: Case = {
  number: 20,
  title:
    "ETag, max-age, immutable, no-store, Vary: what a second visit asks for; reload and hard reload",
  firefox: true,
  device() {
    let asked: string[] = [];
    const answer: Handler = (exchange) => {
      const isKnown = exchange.header("if-none-match") === '"1"' ||
        exchange.header("if-modified-since") !== undefined;
      const status = isKnown ? 304 : 200;
      asked.push(`${exchange.path} ${status}`);
      exchange.reply({
        status,
        headers: [["Content-Type", "text/plain"], ...CACHED[exchange.path]!], // only these lead here
        body: isKnown ? "" : `${exchange.path} ${exchange.header("x-kind") ?? ""}`,
      });
    };
    return {
      paths: {
        "/asked": (exchange) => {
          exchange.json(asked);
          asked = [];
        },
        "/page": (exchange) =>
          exchange.html(
            `<script src="/script/immutable"></script><script src="/script/etag"></script>
<script src="/script/max-age"></script>`,
          ),
        "/script/*": (exchange) => {
          const headers = CACHED[`/${exchange.path.split("/")[2]}`]!; // as the page above has them
          const isKnown = exchange.header("if-none-match") === '"1"';
          const mode = exchange.header("cache-control") ?? "none";
          asked.push(`${exchange.path} ${isKnown ? 304 : 200} ${mode}`);
          exchange.reply({
            status: isKnown ? 304 : 200,
            headers: [["Content-Type", "text/javascript"], ...headers],
            body: isKnown ? "" : "1;",
          });
        },
        ...Object.fromEntries(Object.keys(CACHED).map((path) => [path, answer])),
      },
    };
  },
  expected: {
    "/etag twice": [["/etag 200", "/etag 304"], true],
    "/immutable twice": [["/immutable 200"], true],
    "/no-store twice": [["/no-store 200", "/no-store 200"], true],
    "reload": ["/script/etag 304 none"],
  },
};

const INLINE = `parent.postMessage({ name: "inline", value: true }, "*")`;
const INLINE_HASH = createHash("sha256").update(INLINE).digest("base64");
const TELL = `parent.postMessage({ name: location.pathname, value: {
  ran: true, socket: typeof WebSocket === "function" && "url" in WebSocket.prototype, isolated: crossOriginIsolated } }, "*")`;

/** Pages by path: their headers, and how their one script stands in them. */
const GUARDED: Readonly<Record<string, { headers: Lines; html: string }>> = {
  "/self": {
    headers: [["Content-Security-Policy", "default-src 'self'; frame-ancestors 'self'"]],
    html: `<script src="/tell.js"></script>`,
  },
  "/nonce": {
    headers: [["Content-Security-Policy", "script-src 'nonce-abc'; object-src 'none'"]],
    html: `<script nonce="abc">${TELL}</script><script>never()</script>`,
  },
  "/hash": {
    headers: [[
      "Content-Security-Policy",
      `script-src 'sha256-${createHash("sha256").update(TELL).digest("base64")}'`,
    ]],
    html: `<script>${TELL}</script>`,
  },
  "/strict-dynamic": {
    headers: [[
      "Content-Security-Policy",
      "script-src 'nonce-abc' 'strict-dynamic' 'unsafe-inline' https:; base-uri 'none'",
    ]],
    html: `<script nonce="abc">{ const script = document.createElement("script");
      script.src = "/tell.js"; document.head.append(script); }</script>`,
  },
  "/meta": {
    headers: [],
    html: `<meta http-equiv="Content-Security-Policy" content="script-src 'self'">
<script src="/tell.js"></script>`,
  },
  "/two": {
    headers: [
      ["Content-Security-Policy", "script-src 'self'"],
      ["Content-Security-Policy", "img-src 'none'"],
    ],
    html: `<script src="/tell.js"></script>`,
  },
  "/sameorigin": { headers: [["X-Frame-Options", "SAMEORIGIN"]], html: `<script>${TELL}</script>` },
  "/hsts": {
    headers: [["Strict-Transport-Security", "max-age=9"], [
      "Content-Security-Policy",
      "upgrade-insecure-requests",
    ]],
    html: `<script src="/tell.js"></script>`,
  },
  "/isolated": {
    headers: [
      ["Cross-Origin-Opener-Policy", "same-origin"],
      ["Cross-Origin-Embedder-Policy", "require-corp"],
      ["Cross-Origin-Resource-Policy", "same-origin"],
    ],
    html: `<script>${TELL}</script>`,
  },
  "/deny": {
    headers: [["X-Frame-Options", "DENY"]],
    html: `<p>whole page</p><script>${TELL}</script>`,
  },
  "/none": {
    headers: [["Content-Security-Policy", "frame-ancestors 'none'"]],
    html: `<p>whole page</p><script>${TELL}</script>`,
  },
};

export const policies: Case = {
  number: 21,
  title: "Content-Security-Policy in its forms, X-Frame-Options, HSTS, COOP and COEP: the UI works",
  device: () => ({
    paths: {
      "/tell.js": (exchange) =>
        exchange.reply({ headers: [["Content-Type", "text/javascript"]], body: TELL }),
      "/blocked": (exchange) =>
        exchange.html(`<script>${INLINE}</script>`, [[
          "Content-Security-Policy",
          "script-src 'self'",
        ]]),
      "/allowed": (exchange) =>
        exchange.html(`<script>${INLINE}</script>`, [[
          "Content-Security-Policy",
          `script-src 'sha256-${INLINE_HASH}'`,
        ]]),
      ...Object.fromEntries(
        Object.entries(GUARDED).map(([path, { headers, html }]): [string, Handler] => [
          path,
          (exchange) => exchange.html(html, headers),
        ]),
      ),
    },
  }),
  async drive(visit: Visit, check: Check) {
    for (const path of ["/deny", "/none"]) {
      await check(`${path} as a page`, async () => {
        const opened = await visit.open(path);
        return await opened.scene().evaluate(`document.querySelector("p").textContent`);
      });
    }
    await check("/isolated as a page", async () => {
      const opened = await visit.open("/isolated");
      return await opened.scene().evaluate("crossOriginIsolated");
    });
  },
  expected: {
    "/self": { ran: true, socket: true, isolated: false },
    "inline that is forbidden": "nothing",
    "/deny as a page": "whole page",
  },
  exceptions: {
    "/isolated as a page":
      "a page in a frame is isolated only where all around it is, the shell too",
  },
};

const INNER = (name: string) =>
  `<p>inner</p><script>
  const image = new Image();
  image.onload = () => top.tell(${JSON.stringify(name)}, "loaded " + image.naturalWidth);
  image.onerror = () => top.tell(${JSON.stringify(name)}, "error");
  image.src = "/picture?" + ${JSON.stringify(name)};
</script>`;

export const frames: Case = {
  number: 22,
  title:
    "Frames: nested, srcdoc, about:blank and document.write, blob:, sandbox, object, popups with an opener",
  firefox: true,
  device: () => ({
    paths: {
      "/picture": picture,
      "/inner": (exchange) =>
        exchange.html(
          INNER(exchange.query.get("name") ?? "").replaceAll("top.tell", "tell")
            .replace(
              "<script>",
              `<script>const tell = (name, value) =>
          (opener ?? parent).postMessage({ name, value }, "*");`,
            ),
        ),
      "/nested": (exchange) =>
        exchange.html(`<iframe src="/inner?name=nested"></iframe>
<script>addEventListener("message", ({ data }) => parent.postMessage(data, "*"));</script>`),
      "/object": picture,
    },
  }),
  exceptions: {
    "sandbox":
      "a frame that is sandboxed without allow-same-origin has no service worker, so no way to the device",
  },
  exceptionsIn: {
    chromium: {
      "sync XHR":
        "Chromium sends a synchronous request of a page past its service worker; it is refused instead",
    },
  },
  expected: {
    "nested": "loaded 7",
    "srcdoc": "loaded 7",
    "written": "loaded 7",
    "blob": "loaded 7",
  },
};

export const ownWorker: Case = {
  number: 23,
  title: "The device's page registers a service worker of its own: nothing breaks",
  device: () => ({
    paths: {
      "/own_worker.js": (exchange) =>
        exchange.reply({
          headers: [["Content-Type", "text/javascript"]],
          body: "self.onfetch = () => {}; self.oninstall = () => self.skipWaiting();",
        }),
      "/fine": (exchange) => exchange.reply({ body: "fine" }),
      "/frame": (exchange) => exchange.html("<p id='p'>frame</p>"),
    },
  }),
  expected: { "registered": "registered", "then fetch": "fine", "then a frame": "frame" },
};

export const absolute: Case = {
  number: 24,
  title: "Absolute LAN addresses in HTML and JSON: links, images, scripts, fetch, WebSockets",
  firefox: true,
  device: ({ own, other }) => ({
    paths: {
      "/picture": picture,
      "/addresses": (exchange) =>
        exchange.json({ own, other, socket: own.replace("http", "ws") + "/echo" }),
      "/fine": (exchange) => exchange.reply({ body: "fine" }),
      "/script.js": (exchange) =>
        exchange.reply({
          headers: [["Content-Type", "text/javascript"]],
          body: "globalThis.absoluteScript = true;",
        }),
      "/page": (exchange) =>
        exchange.html(
          `<p id="p">arrived</p><script>parent.postMessage({ name: "page", value: "arrived" }, "*")</script>`,
        ),
      "/links": (exchange) => exchange.html(`<a id="own" href="${own}/page">own</a>`),
    },
    sockets: {
      "/echo": (socket) => socket.on("message", (data) => socket.send(String(data))),
    },
  }),
  other: () => ({ paths: { "/picture": picture } }),
  exceptions: {
    "image of another device":
      "only the service's own address is its own: to others the browser takes its own way",
  },
  expected: { "image": 7, "fetch": "fine", "WebSocket": "echo", "frame": "arrived" },
};
