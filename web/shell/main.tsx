/**
 * The shell: the page that holds this browser's key, its peer connection and its live pictures, and shows devices' pages in
 * frames of other origins. Entry file: it connects the parts and draws; what it does is told by `app.ts`.
 */
import { render } from "hono/jsx/dom";
import { deviceId, deviceIdText } from "../../src/trust/key_id.ts";
import { createSigner } from "../../src/trust/ed25519.ts";
import { BrowserHandshake } from "../../src/trust/handshake.ts";
import { decodePairLink, type PairLink } from "../../src/trust/pair_link.ts";
import { App, type AppParts, type ReadLink } from "./app.ts";
import { browserLabel } from "./browser_label.ts";
import { Cameras } from "./cameras.ts";
import { contentOrigin, openContent } from "./content.ts";
import { openDatabase } from "./database.ts";
import { exposeDiagnostics } from "./diagnostics.ts";
import { browserKey } from "./keys.ts";
import { pageLife } from "./page_life.ts";
import { Session, type SessionOptions } from "./session.ts";
import { Tunnel } from "./tunnel.ts";
import { AppView, ObstacleView } from "./views/app_view.tsx";

interface Link extends ReadLink {
  readonly claim: { readonly secret: PairLink["secret"]; readonly token: PairLink["claim"] };
}

const SIGNALLING_PATH = "/v1/browser";

async function readLink(text: string): Promise<Link> {
  const { devicePublicKey, secret, claim } = await decodePairLink(text);
  const device = deviceIdText(await deviceId(devicePublicKey));
  return { device, publicKey: devicePublicKey, claim: { secret, token: claim } };
}

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

function createSession(
  database: IDBDatabase,
): AppParts<Link>["createSession"] {
  return async (device, { link, greeted }) => {
    const browser = await createSigner(await browserKey(database));
    const options: SessionOptions = {
      signallingUrl: signallingUrl(),
      device: device.id,
      hasClaim: link !== undefined,
      cameras: new Cameras(),
      page: pageLife,
      createTunnel: (ended) => new Tunnel(ended),
      openService: async (place, pump) => {
        const id = await deviceId(device.publicKey);
        const origin = await contentOrigin(contentPattern(), id, place.service);
        return openContent({ ...place, origin, pump });
      },
      greeted,
      startHandshake: (presence, useClaim) =>
        BrowserHandshake.start({
          devicePublicKey: device.publicKey,
          presence,
          browser,
          label: browserLabel(navigator.userAgent),
          ...(useClaim && link !== undefined ? { claim: link.claim } : {}),
        }),
    };
    return new Session(options);
  };
}

async function start(hash: string, root: HTMLElement): Promise<void> {
  const shown: { app?: App<Link> } = {};
  exposeDiagnostics(() => shown.app?.session.value);
  const database = await openDatabase();
  const app = new App<Link>({ database, readLink, createSession: createSession(database) });
  shown.app = app;
  await run(app, { hash, root });
}

async function run(
  app: App<Link>,
  { hash, root }: { hash: string; root: HTMLElement },
): Promise<void> {
  addEventListener("hashchange", () => void app.show(location.hash)); // `show` never rejects
  addEventListener("pagehide", () => app.session.value?.goodbye());
  await app.start(hash);
  render(<AppView app={app} />, root);
}

const firstHash = location.hash;
// A pairing link holds a secret: it leaves the address bar, and with it the history, before anything else happens.
if (firstHash.startsWith("#pair=")) history.replaceState(null, "", "/#/");

const root = document.getElementById("app");
if (root !== null) {
  start(firstHash, root).catch((error: unknown) => {
    reportError(error);
    render(<ObstacleView obstacle="failed" />, root);
  });
}
