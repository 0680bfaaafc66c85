/**
 * Firefox as the other end of a peer, with the same page as Chromium (`peer_page.js`). The browser's
 * candidates are told to nobody: its own checks show them, as they do for one that hides behind mDNS.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "puppeteer-core";
import { fromHex, toHex } from "../../src/lib/bytes.ts";
import { offerSdp, readTransport, type TransportFields } from "../../src/protocol/sdp.ts";
import type { PeerState, WeriftPeer } from "../../src/webrtc/peer.ts";
import { launchFirefox } from "./firefox.ts";
import { createPeer as ownPort } from "./peers.ts";

/** Firefox and a peer, connected or about to be. */
export class FirefoxSession implements AsyncDisposable {
  readonly peer: WeriftPeer;
  readonly states: PeerState[] = [];
  readonly #browser: Browser;
  readonly #page: Page;
  readonly #server: Server;
  /** Candidates of the peer, which wait until the page has its answer. */
  #early: string[] | undefined = [];

  private constructor(browser: Browser, page: Page, server: Server, peer: WeriftPeer) {
    this.#browser = browser;
    this.#page = page;
    this.#server = server;
    this.peer = peer;
  }

  static async open({ createPeer = ownPort } = {}): Promise<FirefoxSession> {
    const browser = await launchFirefox();
    const { server, url } = await serve(await pageScript());
    const page = await browser.newPage();
    const peer = await createPeer({
      iceServers: [],
      handlers: {
        candidate: (candidate) => session.#candidate(candidate),
        state: (state) => void session.states.push(state),
        keyFrameWanted() {},
      },
    });
    const session = new FirefoxSession(browser, page, server, peer);
    await page.goto(url);
    await page.waitForFunction("globalThis.page !== undefined");
    await session.#connect();
    return session;
  }

  /** Calls a function of `peer_page.js`. */
  call<Result>(name: string, ...values: unknown[]): Promise<Result> {
    return this.#page.evaluate(
      `globalThis.page[${JSON.stringify(name)}](...${JSON.stringify(values)})`,
    ) as Promise<Result>;
  }

  async version(): Promise<string> {
    return await this.#browser.version();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.peer.close();
    await this.#browser.close();
    this.#server.closeAllConnections();
    await new Promise<void>((closed) => this.#server.close(() => closed()));
  }

  #candidate(candidate: string): void {
    if (this.#early !== undefined) this.#early.push(candidate);
    else this.call("addCandidate", candidate).catch(() => {}); // the page may be gone
  }

  async #connect(): Promise<void> {
    const { transport } = await this.call<{ transport: WireTransport }>("start");
    const remote = { ...transport, fingerprint: fromHex(transport.fingerprint) };
    const answer = await this.peer.answer(offerSdp({ transport: remote, media: [] }));
    const local = readTransport(answer);
    await this.call("accept", { ...local, fingerprint: toHex(local.fingerprint) }, []);
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const candidate of early) await this.call("addCandidate", candidate);
  }
}

/** Fields as they cross into the page: bytes as hexadecimal digits. */
type WireTransport = Omit<TransportFields, "fingerprint"> & { readonly fingerprint: string };

/** The page, on an origin that browsers call secure: digests exist only there. */
async function serve(script: string): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    const isScript = request.url === "/page.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? script : PAGE);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

const PAGE = `<!doctype html>
<script>globalThis.sendCandidate = () => {};</script>
<script type="module" src="/page.js"></script>`;

async function pageScript(): Promise<string> {
  const entry = new URL("./peer_page.js", import.meta.url).pathname;
  const bundle = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "browser", entry],
  }).output();
  const { success, stdout, stderr } = bundle;
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
