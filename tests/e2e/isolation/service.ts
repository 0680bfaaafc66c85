/**
 * A device's web server of the isolation tests, and a log of every request that reached it. Behind porthole it is a
 * device's page; reached directly it is the positive control, a design without isolation.
 *
 *   /            the page with probes.js: hostile, or a victim with baits, as the test uses it
 *   /naive       a shell that frames the page from its own origin, without a sandbox: there every attempt must succeed
 *   /bait, /bait.js, /bait.svg     what a victim's page may read and others must not
 *   /hello.js    speaks as the bridge when it runs there
 *   /taken       where a page that can navigates the shell
 *   /alone       refuses frames, and in a tab of its own leads its opener to /taken?alone
 *   /redirect?to=URL               sends whoever asks there
 *   /walk        a page of its own without probes; ?policy= and ?meta= are the referrer policy of its header or its <meta>
 *   /worker.js, /shared.js         a service worker and a shared worker of the device
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { inCheckout } from "../checkout.ts";

const HOST = "127.0.0.1";

/** A request as it arrived. */
export interface Arrival {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

/** As a dedicated worker it says that it runs; as a shared one it keeps what it is given. */
const WORKER = `let kept = "";
globalThis.postMessage?.("running");
onconnect = ({ ports: [port] }) => port.onmessage = ({ data }) => {
  if (data.keep !== undefined) kept = data.keep;
  port.postMessage(kept);
};`;

const ALONE = `<!doctype html><title>alone</title><p>alone<script>
  if (top === self && opener) {
    document.title = (() => { try { return opener.document.title; } catch { return "alone"; } })();
    opener.location.href = location.origin + "/taken?alone";
  }
</script>`;

/** See the head of this file. Dispose of it. */
export class ProbedService implements AsyncDisposable {
  readonly arrivals: Arrival[] = [];
  readonly #name: string;
  readonly #probes: string;
  readonly #server: Server;

  private constructor(name: string, probes: string) {
    this.#name = name;
    this.#probes = probes;
    this.#server = createServer((request, response) => this.#serve(request, response));
    this.#server.on("upgrade", (_request, socket) => socket.destroy());
  }

  /** `name` is in the title of its page and in all its baits. */
  static async start(name: string): Promise<ProbedService> {
    const probes = await Deno.readTextFile(inCheckout("tests/e2e/isolation/probes.js"));
    const service = new ProbedService(name, probes);
    service.#server.listen(0, HOST);
    await once(service.#server, "listening");
    return service;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://${HOST}:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "";
    this.arrivals.push({ method: request.method ?? "", path, headers: request.headers });
    request.resume();
    const { pathname, searchParams } = new URL(path, this.url);
    const to = searchParams.get("to");
    if (pathname === "/redirect" && to !== null) {
      return void response.writeHead(302, { location: to }).end();
    }
    const [type, text] = pathname === "/walk"
      ? walk(`${request.method} ${path}`, searchParams.get("meta"))
      : this.#answer(pathname);
    const policy = searchParams.get("policy");
    if (policy !== null) response.setHeader("referrer-policy", policy);
    if (pathname === "/alone") response.setHeader("x-frame-options", "DENY");
    response.writeHead(text === undefined ? 404 : 200, { "content-type": type });
    response.end(text);
  }

  #answer(path: string): [type: string, text: string | undefined] {
    const bait = `bait of ${this.#name}`;
    switch (path) {
      case "/":
        return page(this.#name, "");
      case "/naive":
        return page(`naive ${this.#name}`, `<iframe src="/"></iframe>`);
      case "/probes.js":
        return ["text/javascript", this.#probes];
      case "/bait":
        return ["text/plain", bait];
      case "/bait.js":
        return ["text/javascript", `globalThis.baitRead = ${JSON.stringify(bait)};`];
      case "/hello.js":
        return ["text/javascript", `parent.postMessage({ porthole: "bridge-hello" }, "*");`];
      case "/bait.svg":
        return [
          "image/svg+xml",
          `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`,
        ];
      case "/taken":
        return ["text/plain", "taken"];
      case "/alone":
        return ["text/html", ALONE];
      case "/worker.js":
        return ["text/javascript", ""];
      case "/shared.js":
        return ["text/javascript", WORKER];
      default:
        return ["text/plain", undefined];
    }
  }
}

/** A page whose text is the request that it answers. */
function walk(request: string, policy: string | null): [type: string, text: string] {
  const meta = policy === null ? "" : `<meta name="referrer" content="${policy}">`;
  const text = request.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  return ["text/html", `<!doctype html><meta charset="utf-8">${meta}<title>walk</title><p>${text}`];
}

function page(title: string, body: string): [type: string, text: string] {
  const head = `<!doctype html><meta charset="utf-8"><title>${title}</title>`;
  return ["text/html", `${head}<script src="/probes.js"></script><h1>${title}</h1>${body}`];
}
