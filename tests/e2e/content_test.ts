/**
 * The content origin in a real Chromium: service worker, bridge, injected code, pump and `content.ts` as they are
 * served, with a device double behind a real data channel (`web/testing/`). An edge on 127.0.0.1 stands in for the
 * rendezvous; it knows our files and answers everything else with 404, and the test fails if a device's path reaches it.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, BrowserContext, Frame, Page } from "playwright-core";
import { chromiumMissing, launchChromium } from "./browser.ts";

const WEB = new URL("../../web/", import.meta.url);

const SHELL_HTML = `<!doctype html><meta charset="utf-8"><title>shell</title>
<body><script src="/shell.js"></script>`;

/** What is served where: our own files only. */
interface Files {
  readonly shell: ReadonlyMap<string, string>;
  readonly content: ReadonlyMap<string, string>;
}

async function bundle(entry: string): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "browser", "--minify", "--format", "iife", entry],
    cwd: WEB,
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const script = new TextDecoder().decode(stdout);
  // Classic scripts: Firefox before 147 has no module service workers.
  assert.doesNotMatch(script, /(?:^|;)\s*(?:import|export)\b(?!\()/m, entry);
  return script;
}

async function build(): Promise<Files> {
  const html = await Deno.readTextFile(new URL("bridge/bridge.html", WEB));
  return {
    shell: new Map([
      ["/", SHELL_HTML],
      ["/shell.js", await bundle("testing/shell_page.ts")],
      ["/pump.js", await bundle("pump/pump.ts")],
    ]),
    content: new Map([
      ["/.porthole/bridge.html", html],
      ["/.porthole/bridge.js", await bundle("bridge/bridge.ts")],
      ["/.porthole/sw.js", await bundle("sw/sw.ts")],
      ["/.porthole/doorway.js", await bundle("doorway/doorway.ts")],
      ["/.porthole/inject.js", await bundle("inject/inject.ts")],
    ]),
  };
}

/** Serves by Host, as the rendezvous does. `strays` are the requests that nobody should have made. */
class Edge {
  readonly strays: string[] = [];
  /** Every path that was answered. */
  readonly served: string[] = [];
  readonly #files: Files;
  readonly #site: string;
  readonly #server: Server;

  /** `site` is the part of a content host behind its label. */
  constructor(files: Files, site: string) {
    this.#files = files;
    this.#site = site;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get shell(): string {
    return `http://porthole.localhost:${this.#port}`;
  }

  content(label: string): string {
    return `http://${label}.${this.#site}:${this.#port}`;
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "";
    const shell = request.headers.host === new URL(this.shell).host;
    const file = (shell ? this.#files.shell : this.#files.content).get(path);
    if (file === undefined) {
      if (path !== "/favicon.ico") this.strays.push(`${request.headers.host}${path}`);
      response.writeHead(404).end();
      return;
    }
    this.served.push(path);
    const script = path.endsWith(".js");
    response.writeHead(200, {
      "content-type": script ? "text/javascript" : "text/html; charset=utf-8",
      "service-worker-allowed": "/",
      "origin-agent-cluster": "?1",
      // As the rendezvous has it: none on scripts, where it would bind the service worker's own requests.
      ...(script ? {} : { "content-security-policy": this.#policy(shell) }),
    });
    response.end(file.replaceAll("__SHELL_ORIGIN__", this.shell));
  }

  #policy(shell: boolean): string {
    const ours = "default-src 'none'; script-src 'self'; worker-src 'self'";
    return shell
      ? `${ours}; frame-src ${this.content("*")}`
      : `${ours}; frame-ancestors ${this.shell}`;
  }
}

/** A browser with the shell open and connected. */
class Bench {
  #browser!: Browser;
  #context!: BrowserContext;
  #edge!: Edge;
  page!: Page;
  origin = "";

  static async start(site: string): Promise<Bench> {
    const bench = new Bench();
    bench.#edge = new Edge(await build(), site);
    await bench.#edge.start();
    bench.origin = bench.#edge.content("x");
    bench.#browser = await launchChromium({
      args: ["--allow-loopback-in-peer-connection"],
      disabledFeatures: ["WebRtcHideLocalIpsWithMdns"], // no mDNS responder in a container
    });
    bench.#context = await bench.#browser.newContext(); // tabs of one person share their storage
    return bench;
  }

  get strays(): string[] {
    return this.#edge.strays;
  }

  get served(): string[] {
    return this.#edge.served;
  }

  get shellOrigin(): string {
    return this.#edge.shell;
  }

  /** A new tab with a session, a bridge and one frame at `path`. */
  async open(path: string): Promise<Frame> {
    this.page = await this.#context.newPage();
    await this.page.goto(this.shellOrigin);
    await this.shell("connect");
    await this.shell("open", this.origin);
    return await this.frame(path);
  }

  /** One more frame of the same service. */
  async frame(path: string): Promise<Frame> {
    const loaded = this.page.waitForEvent("framenavigated", {
      predicate: (frame) => frame.url() === this.origin + path,
    });
    await this.shell("frame", path);
    const frame = await loaded;
    await frame.waitForLoadState();
    return frame;
  }

  /** Calls the test shell (`web/testing/shell_page.ts`). */
  shell<T>(method: string, argument?: unknown): Promise<T> {
    return this.page.evaluate(
      // deno-lint-ignore no-explicit-any -- runs in the browser, where the test shell put itself
      ({ method, argument }) => (globalThis as any).shell[method](argument),
      { method, argument },
    ) as Promise<T>;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#edge.stop();
  }
}

/** Runs a function's text in a frame: the code is the browser's, its types are not ours. */
function within<T>(frame: Frame, code: string): Promise<T> {
  return frame.evaluate(code) as Promise<T>;
}

/** Waits until a question to the browser is answered with yes; the limit is a failure, not a verdict. */
async function until(what: string, question: () => Promise<boolean>): Promise<void> {
  const limit = Date.now() + 15_000;
  while (!await question()) {
    if (Date.now() > limit) throw new Error(`Cannot go on: waited 15 s until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Of the device's own: entries of localStorage, caches, databases. */
const WHAT_IS_KEPT = `(async () => {
  const names = [...await caches.keys(), ...(await indexedDB.databases()).map(({ name }) => name)];
  const count = (prefix) => names.filter((name) => name.startsWith(prefix)).length;
  return [localStorage.length, count("cache of"), count("database of")].join(" ");
})()`;
const KEEP_SOMETHING = `(async () => {
  localStorage.one = localStorage.two = "kept";
  await (await caches.open("cache of the device")).put("/x", new Response("kept"));
  await new Promise((resolve) => indexedDB.open("database of the device").onsuccess = resolve);
  return await ${WHAT_IS_KEPT};
})()`;

const lack = await chromiumMissing();
const missing = lack !== undefined;
if (missing) Deno.stderr.writeSync(new TextEncoder().encode(`content is skipped: ${lack}\n`));

Deno.test({
  name: "a device's pages run in Chromium through service worker, bridge and pump",
  ignore: missing,
  sanitizeOps: false, // playwright's own pipe and process
  sanitizeResources: false,
  async fn(t) {
    const bench = await Bench.start("porthole.localhost");
    try {
      const frame = await bench.open("/");

      await t.step("a page loads with its sub-resources and our script in front", async () => {
        assert.equal(
          await within(frame, "document.querySelector('h1').textContent"),
          "device page",
        );
        assert.equal(await within(frame, "globalThis.appRan"), true);
        const colour = "getComputedStyle(document.querySelector('h1')).color";
        assert.equal(await within(frame, colour), "rgb(1, 2, 3)");
        assert.equal(
          await within(frame, "document.scripts[0].src"),
          `${bench.origin}/.porthole/inject.js`,
        );
        assert.equal(await within(frame, "document.compatMode"), "CSS1Compat");
        assert.equal(await within(frame, "document.documentElement.lang"), "en");
      });

      await t.step("the shell hears where the page is", async () => {
        await within(frame, "history.pushState({}, '', '/here?q=1#part'); document.title = 'new'");
        const last = async () => {
          const { navigations } = await bench.shell<{ navigations: object[] }>("snapshot");
          return navigations.at(-1);
        };
        await until(
          "the shell heard",
          async () =>
            JSON.stringify(await last()) ===
              JSON.stringify({ path: "/here?q=1#part", title: "new" }),
        );
        await within(frame, "history.back()");
      });

      await t.step("the first bytes arrive before the last are sent", async () => {
        const first = await within<string>(
          frame,
          `(async () => {
            globalThis.reader = (await fetch("/slow")).body.pipeThrough(new TextDecoderStream()).getReader();
            return (await reader.read()).value;
          })()`,
        );
        assert.equal(first, "first ");
        await bench.shell("release", "/slow");
        const rest = await within(
          frame,
          "(async () => [(await reader.read()).value, (await reader.read()).done])()",
        );
        assert.deepEqual(rest, ["last", true]);
      });

      await t.step("a reader that gives up resets the stream at the device", async () => {
        await within(
          frame,
          `(async () => {
            const stop = new AbortController();
            const response = await fetch("/endless", { signal: stop.signal });
            await response.body.getReader().read();
            stop.abort();
          })()`,
        );
        await until(
          "the device saw a reset",
          async () => (await bench.shell<string[]>("resets")).includes("/endless"),
        );
      });

      await t.step("a body that is cut is an error, never an end", async () => {
        const outcome = await within(
          frame,
          `fetch("/cut").then((r) => r.text()).then((text) => "clean: " + text, (e) => e.name)`,
        );
        assert.equal(outcome, "TypeError");
      });

      await t.step("a large download and a compressed one arrive whole", async () => {
        const length = "(await (await fetch('/large?bytes=8000000')).arrayBuffer()).byteLength";
        assert.equal(await within(frame, `(async () => ${length})()`), 8_000_000);
        const text = "(async () => (await (await fetch('/gzip')).text()).length)()";
        assert.equal(await within(frame, text), "compressed ".length * 1000);
      });

      await t.step("a short body goes out with its length, a long one streams", async () => {
        const post = (size: number) =>
          `(async () => {
            const body = "z".repeat(${size});
            const text = await (await fetch("/echo", { method: "POST", body })).text();
            return text === body;
          })()`;
        assert.equal(await within(frame, post(5)), true);
        assert.equal(await within(frame, post(3_000_000)), true);
        const { heads } = await bench.shell<
          { heads: { path: string; headers: [string, string][] }[] }
        >("snapshot");
        const lengths = heads.filter(({ path }) => path === "/echo").map(({ headers }) =>
          headers.find(([name]) => name === "content-length")?.[1]
        );
        assert.deepEqual(lengths, ["5", undefined]);
      });

      await t.step("a request's head carries what the worker is not shown", async () => {
        const head = await within<{ path: string; headers: [string, string][]; service: string }>(
          frame,
          `fetch("/head?a=%2F&b=+&", { headers: { "x-own": "1" }, cache: "no-store" }).then((r) => r.json())`,
        );
        const headers = new Map(head.headers);
        assert.equal(head.path, "/head?a=%2F&b=+&");
        assert.equal(head.service, "ui");
        assert.equal(headers.get("x-own"), "1");
        assert.equal(headers.get("referer"), `${bench.origin}/`);
        assert.equal(headers.get("accept-encoding"), "gzip, deflate");
        assert.match(headers.get("accept-language") ?? "", /^en/);
        assert.match(headers.get("user-agent") ?? "", /Chrome/);
      });

      await t.step("redirects and empty answers behave as on a network", async () => {
        const redirected = `fetch("/redirect").then((r) => [r.redirected, r.url, r.status])`;
        assert.deepEqual(await within(frame, redirected), [true, `${bench.origin}/second`, 200]);
        assert.equal(await within(frame, `fetch("/empty").then((r) => r.status)`), 204);
        assert.equal(await within(frame, `fetch("/nothing").then((r) => r.status)`), 404);
      });

      await t.step("server-sent events arrive, and close reaches the device", async () => {
        const events = await within(
          frame,
          `new Promise((resolve) => {
            const source = new EventSource("/events");
            const seen = [];
            source.onmessage = ({ data }) => seen.push(data);
            source.addEventListener("named", ({ data }) => {
              source.close();
              resolve([...seen, data]);
            });
          })`,
        );
        assert.deepEqual(events, ["one", "two"]);
        await until(
          "the device saw the close",
          async () => (await bench.shell<string[]>("resets")).includes("/events"),
        );
      });

      await t.step(
        "a WebSocket echoes text, binary, empty and large messages and closes with its code",
        async () => {
          const seen = await within(
            frame,
            `new Promise((resolve) => {
            const seen = [];
            const socket = new WebSocket("/ws/chat", ["other", "chat"]);
            socket.binaryType = "arraybuffer";
            const large = new Uint8Array(1_000_000).fill(7);
            socket.onopen = () => {
              seen.push([socket.protocol, socket.readyState, socket instanceof WebSocket]);
              socket.send("grüß dich");
              socket.send(new Uint8Array([1, 2, 3]));
              socket.send("");
              socket.send(new Blob(["blob"]));
              socket.send(large);
            };
            socket.onmessage = ({ data }) => {
              if (typeof data === "string") return seen.push(data);
              const bytes = new Uint8Array(data);
              seen.push(bytes.length < 10 ? [...bytes] : bytes.length + ":" + bytes.every((b) => b === 7));
              if (bytes.length > 10) socket.close(3001, "enough");
            };
            socket.onclose = ({ code, reason, wasClean }) => resolve([...seen, [code, reason, wasClean]]);
          })`,
          );
          assert.deepEqual(seen, [
            ["chat", 1, true],
            "grüß dich",
            [1, 2, 3],
            "",
            [...Buffer.from("blob")],
            "1000000:true",
            [3001, "enough", true],
          ]);
        },
      );

      await t.step("a WebSocket hears the device's close and its refusal", async () => {
        const ending = (path: string) =>
          `new Promise((resolve) => {
            const seen = [];
            const socket = new WebSocket("ws://" + location.host + "${path}");
            for (const type of ["open", "error"]) socket.addEventListener(type, () => seen.push(type));
            socket.onclose = ({ code, reason, wasClean }) => resolve([...seen, code, reason, wasClean]);
          })`;
        assert.deepEqual(await within(frame, ending("/ws/bye")), [
          "open",
          4001,
          "device says bye",
          true,
        ]);
        assert.deepEqual(await within(frame, ending("/ws/refused")), ["error", 1006, "", false]);
      });

      await t.step("a strict policy lets our script in and keeps foreign ones out", async () => {
        const strict = await bench.frame("/strict");
        assert.equal(await within(strict, "globalThis.own"), true);
        assert.equal(await within(strict, "globalThis.foreign"), undefined);
        assert.equal(await within(strict, "WebSocket.name"), "WebSocket");
        assert.equal(await within(strict, "document.scripts[0].nonce !== ''"), true);
        assert.equal(await within(strict, "navigator.serviceWorker.controller"), null);
      });

      await t.step("a service that is down gets a page that names it and says why", async () => {
        const dead = await bench.frame("/dead");
        assert.match(
          await within(dead, "document.body.textContent"),
          /Gate <controller> is not available[\s\S]*Nothing answers at the service's address/,
        );
        const plain = await within(
          frame,
          `fetch("/dead").then(async (r) => [r.status, await r.text()])`,
        );
        assert.match(String(plain), /^502,Gate <controller>: Nothing answers/);
      });

      await t.step("a page's own service worker seems to register, and does nothing", async () => {
        const outcome = await within(
          frame,
          `navigator.serviceWorker.register("/sw.js").then(async (registration) => [
            registration.scope, registration.active.state, "pushManager" in registration,
            await navigator.serviceWorker.ready === registration, navigator.serviceWorker.controller,
          ])`,
        );
        assert.deepEqual(outcome, [`${bench.origin}/`, "activated", false, true, null]);
      });

      await t.step("the shell moves a frame, and a redirect of a page is followed", async () => {
        await bench.shell("navigate", "/redirect");
        await frame.waitForURL(`${bench.origin}/second`);
        assert.equal(await within(frame, "document.title"), "second");
        await bench.shell("navigate", "/");
        await frame.waitForURL(`${bench.origin}/`);
      });

      await t.step("a device's page cannot take the shell away", async () => {
        const outcome =
          `(() => { try { top.location.href = "about:blank"; } catch (e) { return e.name; } })()`;
        assert.equal(await within(frame, outcome), "SecurityError");
      });

      await t.step("pages get our script without asking the edge again", async () => {
        const asked = () => bench.served.filter((path) => path.endsWith("/inject.js")).length;
        const before = asked();
        const page = await bench.frame("/second");
        assert.equal(await within(page, "WebSocket.name"), "WebSocket");
        assert.equal(
          await within(page, "document.scripts[0].src"),
          `${bench.origin}/.porthole/inject.js`,
        );
        assert.equal(asked(), before);
      });

      await t.step("a form's POST navigates", async () => {
        const form = await bench.frame("/second");
        await Promise.all([
          form.waitForURL(`${bench.origin}/echo`),
          within(
            form,
            `(() => {
              const form = document.createElement("form");
              form.method = "POST";
              form.action = "/echo";
              form.innerHTML = "<input name=a value=b>";
              document.body.append(form);
              form.submit();
            })()`,
          ),
        ]);
        assert.equal(await within(form, "document.body.textContent"), "a=b");
      });

      await t.step("a reload and a second tab work", async () => {
        await frame.goto(`${bench.origin}/`);
        // An address that is typed meets the doorway first, which goes on by itself.
        const hasRun = () => within<boolean>(frame, "globalThis.appRan === true");
        await until("the app ran", () => hasRun().catch(() => false));
        const first = bench.page;
        const other = await bench.open("/second");
        assert.equal(await within(other, "document.title"), "second");
        await bench.page.close();
        bench.page = first;
        assert.equal(await within(frame, `fetch("/second").then((r) => r.status)`), 200);
      });

      await t.step("the shell believes a page nothing but its own path", async () => {
        const { navigations } = await bench.shell<{ navigations: unknown[] }>("snapshot");
        await within(
          frame,
          `(() => {
            const say = (href, title = "t") => parent.postMessage({ porthole: "navigated", href, title }, "*");
            const nested = document.createElement("iframe");
            document.body.append(nested);
            nested.contentWindow.eval("top.postMessage({ porthole: 'navigated', href: '" + location.href + "nested', title: '' }, '*')");
            say("https://evil.example/");
            say(location.origin + ".evil.example/");
            say("javascript:alert(1)");
            say(location.origin + "/" + "x".repeat(20000));
            parent.postMessage({ porthole: "bridge-hello" }, "*");
            parent.postMessage("navigated", "*");
            say(location.origin + "/last", "y".repeat(1000));
          })()`,
        );
        const heard = async () =>
          (await bench.shell<{ navigations: { path: string; title: string }[] }>("snapshot"))
            .navigations.slice(navigations.length);
        await until("the shell heard", async () => (await heard()).length > 0);
        assert.deepEqual(await heard(), [{ path: "/last", title: "y".repeat(256) }]);
      });

      await t.step("a service worker that was stopped finds its bridge again", async () => {
        const devtools = await bench.page.context().newCDPSession(bench.page);
        await devtools.send("ServiceWorker.enable");
        await devtools.send("ServiceWorker.stopAllWorkers");
        assert.equal(await within(frame, `fetch("/second").then((r) => r.status)`), 200);
        await devtools.detach();
      });

      await t.step("a bridge that loads again gets a new port", async () => {
        const bridge = bench.page.frames().find((one) => one.url().endsWith("/bridge.html"));
        await bridge?.goto(bridge.url());
        assert.equal(await within(frame, `fetch("/second").then((r) => r.status)`), 200);
      });

      await t.step("a lost session ends what is under way and says so", async () => {
        await within(
          frame,
          `(async () => {
            const reader = (await fetch("/endless")).body.getReader();
            await reader.read();
            globalThis.ended = reader.read().then(() => "clean", (e) => e.name);
            globalThis.socketClosed = new Promise((resolve) => {
              const socket = new WebSocket("/ws");
              socket.onopen = () => globalThis.opened = true;
              socket.onclose = ({ code }) => resolve(code);
            });
          })()`,
        );
        await until("the socket is open", () => within(frame, "globalThis.opened === true"));
        await bench.shell("disconnect");
        assert.equal(await within(frame, "globalThis.ended"), "TypeError");
        assert.equal(await within(frame, "globalThis.socketClosed"), 1006);
      });

      await t.step("a request made without a session waits for the next one", async () => {
        await within(frame, `void (globalThis.waiting = fetch("/second").then((r) => r.status))`);
        await bench.shell("connect");
        assert.equal(await within(frame, "globalThis.waiting"), 200);
      });

      await t.step("nothing of the device reached the edge", () => {
        assert.deepEqual(bench.strays, []);
      });
    } finally {
      await bench.close();
    }
  },
});

Deno.test({
  name: "a content origin of another site than the shell works the same in Chromium",
  ignore: missing,
  sanitizeOps: false, // playwright's own pipe and process
  sanitizeResources: false,
  async fn() {
    const bench = await Bench.start("porthole-content.localhost");
    try {
      const frame = await bench.open("/");
      assert.equal(await within(frame, "globalThis.appRan"), true);
      const echo = `fetch("/echo", { method: "POST", body: "hello" }).then((r) => r.text())`;
      assert.equal(await within(frame, echo), "hello");
      const socket = `new Promise((resolve) => {
        const socket = new WebSocket("/ws");
        socket.onopen = () => socket.send("across sites");
        socket.onmessage = ({ data }) => resolve(data);
      })`;
      assert.equal(await within(frame, socket), "across sites");
      assert.equal(await within(frame, KEEP_SOMETHING), "2 1 1");
      await bench.shell("forget", bench.origin);
      assert.equal(await within(await bench.open("/"), WHAT_IS_KEPT), "0 0 0");
      assert.deepEqual(bench.strays, []);
      // Storage of a frame is a partition of its own here: the origin itself knows of no service worker.
      const direct = await bench.page.context().newPage();
      await direct.goto(`${bench.origin}/.porthole/bridge.html`);
      const registered = await direct.evaluate(
        "navigator.serviceWorker.getRegistrations().then((all) => all.length)",
      );
      assert.equal(registered, 0);
    } finally {
      await bench.close();
    }
  },
});
