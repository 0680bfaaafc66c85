/**
 * Every view with doubles instead of a device, for looking at and for the smoke test: `/?view=NAME`. Not part of the
 * shell: bundled by `shell_browser_test.ts` alone.
 */
import { render } from "hono/jsx/dom";
import type { Pairing } from "../app.ts";
import type { CameraView } from "../cameras.ts";
import type { Content, Navigation } from "../content.ts";
import type { Device } from "../devices.ts";
import { Observable } from "../observable.ts";
import type { Route } from "../route.ts";
import type { ServicePlace, SessionState } from "../session.ts";
import { AppView, type Model } from "../views/app_view.tsx";

const ID = "abcdefghijklmnopqrstuvwxyz";
const OTHER = "zyxwvutsrqponmlkjihgfedcba";
const NOW = Date.now();

const DEVICES: readonly Device[] = [
  device(ID, "Front gate", 0),
  device(OTHER, "3D printer in the workshop", 26 * 3_600_000),
];

const SERVICES = [
  { id: "ui", title: "Gate controller" },
  { id: "node-red", title: "Node-RED" },
  { id: "files", title: "Files" },
];

const CAMERAS = [{ id: "front", title: "Front gate" }, { id: "yard", title: "Yard" }];

const LIVE: SessionState = {
  phase: "live",
  name: "Front gate",
  services: SERVICES,
  cameras: CAMERAS,
  roundTrip: 23.4,
};

function device(id: string, name: string, ago: number): Device {
  const publicKey = new Uint8Array(32);
  return { id, name, publicKey, pairedAt: NOW - 86_400_000, lastSeen: NOW - ago };
}

/** A moving picture from a canvas. */
function picture(): MediaStream {
  const canvas = document.createElement("canvas");
  canvas.width = 1280;
  canvas.height = 720;
  const context = canvas.getContext("2d")!;
  let step = 0;
  setInterval(() => {
    context.fillStyle = "#54707c";
    context.fillRect(0, 0, 1280, 720);
    context.fillStyle = "#2c4a3e";
    context.fillRect(0, 480, 1280, 240);
    context.fillStyle = "#e8c468";
    context.fillRect((step += 8) % 1280, 300, 160, 240);
  }, 33);
  return canvas.captureStream(30);
}

/** Cameras that say what they are told to. */
class CamerasDouble {
  readonly views: Observable<ReadonlyMap<string, CameraView>>;
  /** Cameras that views show now. */
  readonly wanted: string[] = [];
  constructor(views: Record<string, CameraView>) {
    this.views = new Observable(new Map(Object.entries(views)));
  }
  want(camera: string): () => void {
    this.wanted.push(camera);
    return () => void this.wanted.splice(this.wanted.indexOf(camera), 1);
  }
}

/** A session that stays in the state it was made with. */
class SessionDouble {
  readonly device = ID;
  readonly state: Observable<SessionState>;
  readonly cameras: CamerasDouble;
  constructor(state: SessionState, cameras: Record<string, CameraView> = {}) {
    this.state = new Observable(state);
    this.cameras = new CamerasDouble(cameras);
  }
  retryNow(): void {
    this.state.set({ phase: "finding" });
  }
  openService(place: ServicePlace): Promise<Content> {
    return Promise.resolve(new ContentDouble(place.container));
  }
}

/** A page of a device, made here; it "navigates" once it is shown. */
class ContentDouble implements Content {
  readonly ready = Promise.resolve();
  readonly #container: HTMLElement;
  constructor(container: HTMLElement) {
    this.#container = container;
  }
  frame(path: string): HTMLIFrameElement {
    const frame = document.createElement("iframe");
    frame.src = `/page.html?${encodeURIComponent(path)}`;
    this.#container.append(frame);
    queueMicrotask(() => this.#listener({ frame, path: "/gate?tab=log#top", title: "Gate log" }));
    return frame;
  }
  #listener: (navigation: Navigation) => void = () => {};
  navigate(): void {}
  detach(): boolean {
    return true;
  }
  onNavigate(listener: (navigation: Navigation) => void): void {
    this.#listener = listener;
  }
  close(): void {}
}

interface Scene {
  readonly route: Route;
  readonly devices?: readonly Device[];
  readonly session?: SessionDouble;
  readonly pairing?: Pairing;
  readonly obstacle?: "no_key" | "failed";
}

const AT_DEVICE: Route = { view: "device", device: ID };
const AT_SERVICE: Route = { view: "service", device: ID, service: "ui", path: "/" };
const AT_PAIR: Route = { view: "pair", link: "" };
const PICTURES = () => ({
  front: { state: "live", stream: picture() } as const,
  yard: { state: "failed", code: "unauthorised", since: NOW } as const,
});

const SCENES: Record<string, () => Scene> = {
  "empty": () => ({ route: { view: "devices" }, devices: [] }),
  "devices": () => ({ route: { view: "devices" } }),
  "unknown-device": () => ({ route: AT_DEVICE, devices: [] }),
  "no-key": () => ({ route: { view: "devices" }, obstacle: "no_key" }),
  "pairing": () => ({ route: AT_PAIR, session: new SessionDouble({ phase: "offering" }) }),
  "pairing-used": () => ({
    route: AT_PAIR,
    session: new SessionDouble({ phase: "closed", code: "claim_used" }),
  }),
  "pairing-absent": () => ({
    route: AT_PAIR,
    session: new SessionDouble({ phase: "lost", code: "absent", retryAt: NOW + 9000 }),
  }),
  "pairing-damaged": () => ({ route: AT_PAIR, pairing: { phase: "failed", code: "bad_link" } }),
  "connecting": () => ({ route: AT_DEVICE, session: new SessionDouble({ phase: "connecting" }) }),
  "device": () => ({ route: AT_DEVICE, session: new SessionDouble(LIVE, PICTURES()) }),
  "device-waiting": () => ({
    route: AT_DEVICE,
    session: new SessionDouble({ ...LIVE, cameras: CAMERAS.slice(0, 1) }, {
      front: { state: "waiting", code: "unreachable", since: NOW - 30_000, stream: picture() },
    }),
  }),
  "device-pages": () => ({
    route: AT_DEVICE,
    session: new SessionDouble({ ...LIVE, cameras: [] }),
  }),
  "device-nothing": () => ({
    route: AT_DEVICE,
    session: new SessionDouble({ ...LIVE, cameras: [], services: [] }),
  }),
  "lost": () => ({
    route: AT_DEVICE,
    session: new SessionDouble({ phase: "lost", code: "no_path", retryAt: NOW + 9000 }),
  }),
  "not-paired": () => ({
    route: AT_DEVICE,
    session: new SessionDouble({ phase: "closed", code: "not_paired" }),
  }),
  "service": () => ({ route: AT_SERVICE, session: new SessionDouble(LIVE, PICTURES()) }),
  "service-unknown": () => ({
    route: { ...AT_SERVICE, service: "old" } as Route,
    session: new SessionDouble(LIVE, PICTURES()),
  }),
};

function model({ route, devices, session, pairing, obstacle }: Scene): Model {
  const shown = new Observable(route);
  const title = new Observable("");
  const visit = new Observable(0);
  const double = {
    route: shown,
    devices: new Observable(devices ?? DEVICES),
    session: new Observable(session),
    pairing: new Observable(pairing ?? { phase: "running" }),
    obstacle: new Observable(obstacle),
    visit,
    title,
    navigated(path: string, text: string): void {
      if (shown.value.view === "service") shown.set({ ...shown.value, path });
      title.set(text);
    },
    reload: () => visit.set(visit.value + 1),
    forget: () => Promise.resolve(),
  };
  return double as unknown as Model; // views read these fields and no others
}

const name = new URL(location.href).searchParams.get("view") ?? "";
const scene = SCENES[name]?.();
const root = document.getElementById("app");
if (scene !== undefined && root !== null) {
  const app = model(scene);
  render(<AppView app={app} />, root);
  Object.defineProperty(globalThis, "gallery", {
    value: { scenes: Object.keys(SCENES), scene, app },
  });
} else {
  Object.defineProperty(globalThis, "gallery", { value: { scenes: Object.keys(SCENES) } });
}
