/**
 * A real browser as the other end of a peer: Debian's Chromium, headless, driven by
 * playwright-core, with the page in `peer_page.js`. Signalling is by function calls of both sides.
 */
import type { Browser, Page } from "playwright-core";
import { fromHex, toHex } from "../../src/lib/bytes.ts";
import {
  chooseCodec,
  h264Parameters,
  type MediaAnswer,
  type MediaOffer,
  offerSdp,
  readTransport,
  type TransportFields,
} from "../../src/protocol/sdp.ts";
import type { PeerState, WeriftPeer } from "../../src/webrtc/peer.ts";
import { launchChromium } from "../e2e/browser.ts";
import { createPeer as ownPort } from "./peers.ts";

const ORIGIN = "https://peer.test/";
/** Fields as they cross into the page: bytes as hexadecimal digits. */
export type Wire = Omit<TransportFields, "fingerprint"> & { readonly fingerprint: string };

/** What the page offers. */
interface Offer {
  readonly transport: Wire;
  readonly media: readonly MediaOffer[];
}

/** Browser and peer, connected or about to be. */
export class Session implements AsyncDisposable {
  readonly browser: Browser;
  readonly page: Page;
  readonly peer: WeriftPeer;
  readonly states: PeerState[] = [];
  readonly keyFramesWanted: string[] = [];
  /** How long the last `answer` took, in ms. */
  answerMs = 0;
  #remote: TransportFields | undefined;
  /** Candidates of the peer wait until the page has its answer. */
  #early: string[] | undefined = [];
  readonly #waiting = new Map<PeerState, () => void>();

  private constructor(browser: Browser, page: Page, peer: WeriftPeer) {
    this.browser = browser;
    this.page = page;
    this.peer = peer;
  }

  /**
   * Launches a browser, connects it, and gives both ends. With `mdns` Chromium hides its addresses,
   * as by default.
   */
  static async open(
    { mdns = false, createPeer = ownPort }: {
      readonly mdns?: boolean;
      readonly createPeer?: typeof ownPort;
    } = {},
  ): Promise<Session> {
    const browser = await launchChromium({
      args: ["--autoplay-policy=no-user-gesture-required"],
      disabledFeatures: mdns ? [] : ["WebRtcHideLocalIpsWithMdns"],
    });
    const page = await browser.newPage();
    const peer = await createPeer({
      iceServers: [],
      handlers: {
        candidate: (candidate) => session.#candidate(candidate),
        state: (state) => session.#state(state),
        keyFrameWanted: (mid) => void session.keyFramesWanted.push(mid),
      },
    });
    const session = new Session(browser, page, peer);
    await page.exposeFunction("sendCandidate", (text: string) => peer.addCandidate(text));
    await openPage(page);
    await session.#connect();
    return session;
  }

  #candidate(candidate: string): void {
    if (this.#early !== undefined) this.#early.push(candidate);
    else this.call("addCandidate", candidate).catch(() => {}); // the page may be gone
  }

  #state(state: PeerState): void {
    this.states.push(state);
    this.#waiting.get(state)?.();
  }

  async #connect(): Promise<void> {
    const local = await this.#answer(await this.call<Offer>("start"));
    await this.call("accept", { ...local, fingerprint: toHex(local.fingerprint) }, []);
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const candidate of early) await this.call("addCandidate", candidate);
  }

  async #answer({ transport, media }: Offer): Promise<TransportFields> {
    this.#remote ??= { ...transport, fingerprint: fromHex(transport.fingerprint) };
    const start = performance.now();
    const answer = await this.peer.answer(
      offerSdp({ transport: this.#remote, media }),
    );
    this.answerMs = performance.now() - start;
    return readTransport(answer);
  }

  /** The page re-offers; sections in `cameras` are answered with one, the others are left empty. */
  async renegotiate(cameras: readonly string[], profileLevelId: string): Promise<Offer> {
    const offer = await this.call<Offer>("offer");
    const media = offer.media.map((section) => ({
      ...section,
      camera: cameras.includes(section.mid) ? "camera" : null,
    }));
    for (const { mid, codecs } of media.filter(({ camera }) => camera !== null)) {
      const codec = chooseCodec(codecs, profileLevelId)!;
      this.peer.prepareVideo(mid, { ...codec, fmtp: h264Parameters(codec) });
    }
    const local = await this.#answer({ ...offer, media });
    const answers = media.map(({ mid, codecs }): MediaAnswer => {
      const sender = this.peer.video(mid);
      if (sender === undefined) return { mid, active: false };
      const { ssrc, rtxSsrc, cname } = sender;
      return {
        mid,
        active: true,
        codec: chooseCodec(codecs, profileLevelId)!,
        ssrc,
        rtxSsrc,
        cname,
      };
    });
    await this.call("accept", { ...local, fingerprint: toHex(local.fingerprint) }, answers);
    return offer;
  }

  /** Calls a function of `peer_page.js`. */
  call<Result>(name: string, ...values: unknown[]): Promise<Result> {
    return callPage(this.page, name, ...values);
  }

  reached(state: PeerState): Promise<void> {
    if (this.states.includes(state)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.set(state, resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.peer.close();
    await this.browser.close();
  }
}

/** Puts `peer_page.js` into a page, on an origin of its own. */
export async function openPage(page: Page): Promise<Page> {
  // Digests exist in secure contexts only. Nothing is fetched: the answer comes from here.
  await page.route(ORIGIN, (route) => route.fulfill({ contentType: "text/html", body: "" }));
  await page.goto(ORIGIN);
  await page.addScriptTag({ content: await pageScript(), type: "module" });
  await page.waitForFunction("globalThis.page !== undefined");
  return page;
}

/** Calls a function of `peer_page.js`. */
export function callPage<Result>(page: Page, name: string, ...values: unknown[]): Promise<Result> {
  return page.evaluate(
    `globalThis.page[${JSON.stringify(name)}](...${JSON.stringify(values)})`,
  ) as Promise<Result>;
}

let script: string | undefined;

/** The page and what it imports, as one module. */
async function pageScript(): Promise<string> {
  if (script !== undefined) return script;
  const entry = new URL("./peer_page.js", import.meta.url).pathname;
  const bundle = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "browser", entry],
  }).output();
  if (!bundle.success) throw new Error(new TextDecoder().decode(bundle.stderr));
  return script = new TextDecoder().decode(bundle.stdout);
}
