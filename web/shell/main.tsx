/**
 * The shell: the page that holds this browser's key, its peer connection and its live pictures, and shows devices' pages in
 * frames of other origins. Entry file: it connects the parts and draws; what it does is told by `app.ts`.
 */
import { render } from "hono/jsx/dom";
import { createSigner, type Signer } from "../../src/trust/ed25519.ts";
import { BrowserHandshake } from "../../src/trust/handshake.ts";
import { deviceId } from "../../src/trust/key_id.ts";
import { App, type AppParts } from "./app.ts";
import { browserLabel } from "./browser_label.ts";
import { Cameras } from "./cameras.ts";
import { contentOrigin, forgetContent, openContent } from "./content.ts";
import { openDatabase } from "./database.ts";
import { exposeDiagnostics } from "./diagnostics.ts";
import { browserKey } from "./keys.ts";
import { readLink } from "./links.ts";
import { OwnerConsole } from "./owner_console.ts";
import { pageLife } from "./page_life.ts";
import { isSecret } from "./route.ts";
import { Session, type SessionOptions } from "./session.ts";
import { createSigning } from "./signing.ts";
import { Tunnel } from "./tunnel.ts";
import { AppView, ObstacleView } from "./views/app_view.tsx";

const SIGNALLING_PATH = "/v1/browser";

function signallingUrl(): string {
  const url = new URL(SIGNALLING_PATH, location.origin);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** The pattern that the server wrote into the page, like `https://*.content.example`. */
function contentPattern(): string {
  const meta = document.querySelector<HTMLMetaElement>("meta[name=porthole-content-origin]");
  return meta?.content ?? "";
}

function createSession(browser: () => Promise<Signer>): AppParts["createSession"] {
  return async (target, listener) => {
    const signer = await browser();
    const { id, publicKey, claim, grants, auditHead } = target;
    let pass = target.pass; // each greeting brings the one for the next offer
    const options: SessionOptions = {
      signallingUrl: signallingUrl(),
      device: id,
      hasClaim: claim !== undefined,
      cameras: new Cameras(),
      owner: new OwnerConsole({
        signing: createSigning({ signer, devicePublicKey: publicKey }),
        origin: location.origin,
        seen: auditHead,
        keepHead: listener.keepHead,
      }),
      page: pageLife,
      createTunnel: (ended) => new Tunnel(ended),
      openService: async (place, pump) => {
        const origin = await contentOrigin(
          contentPattern(),
          await deviceId(publicKey),
          place.service,
        );
        return openContent({ ...place, origin, pump });
      },
      greeted: (greeting, checkNumber) => {
        pass = greeting.pass;
        listener.greeted(greeting, checkNumber);
      },
      startHandshake: (presence, useClaim) =>
        BrowserHandshake.start({
          devicePublicKey: publicKey,
          presence,
          browser: signer,
          label: browserLabel(navigator.userAgent),
          time: Math.floor(Date.now() / 1000),
          ...(useClaim && claim !== undefined ? { claim } : {}),
          ...(grants === undefined ? {} : { grants }),
          ...(pass === undefined ? {} : { pass }),
        }),
    };
    return new Session(options);
  };
}

/** Each service in a frame of its own origin. A device has a few. */
async function forgetPages(
  { publicKey, services = [] }: {
    publicKey: Uint8Array<ArrayBuffer>;
    services?: readonly string[];
  },
): Promise<void> {
  const id = await deviceId(publicKey);
  await Promise.all(services.map(async (service) => {
    const origin = await contentOrigin(contentPattern(), id, service);
    await forgetContent(origin, document.body);
  }));
}

/**
 * The address bar. It is read before anything else happens and listened to at once: a link that lets in may come while the
 * page still starts, and leaves the address bar, and with it the history, as soon as it was read.
 */
class Address {
  #newest = "";
  #show: (hash: string) => void = () => {};

  constructor() {
    this.#take();
    addEventListener("hashchange", () => this.#take());
  }

  get newest(): string {
    return this.#newest;
  }

  /** From now on `show` is told of each address. */
  listen(show: (hash: string) => void): void {
    this.#show = show;
  }

  #take(): void {
    this.#newest = location.hash;
    if (isSecret(this.#newest)) history.replaceState(null, "", "/#/");
    this.#show(this.#newest);
  }
}

async function start(address: Address, root: HTMLElement): Promise<void> {
  const shown: { app?: App } = {};
  exposeDiagnostics(() => shown.app?.session.value);
  const database = await openDatabase();
  const browser = async () => await createSigner(await browserKey(database));
  const app = new App({
    database,
    readLink: (kind, text) => readLink({ kind, text, browser }),
    createSession: createSession(browser),
    forgetPages,
  });
  shown.app = app;
  addEventListener("pagehide", () => app.session.value?.goodbye());
  await app.start();
  address.listen((hash) => void app.show(hash)); // `show` never rejects
  await app.show(address.newest);
  render(<AppView app={app} />, root);
}

const address = new Address();

const root = document.getElementById("app");
if (root !== null) {
  start(address, root).catch((error: unknown) => {
    reportError(error);
    render(<ObstacleView obstacle="failed" />, root);
  });
}
