/**
 * Every view with doubles instead of a device, for looking at and for the smoke test: `/?view=NAME`. Not part of the
 * shell: bundled by `shell_browser_test.ts` alone.
 */
import { render } from "hono/jsx/dom";
import type { CheckNumber, Pairing } from "../app.ts";
import type { CameraView } from "../cameras.ts";
import type { Content, Navigation } from "../content.ts";
import type { Device } from "../devices.ts";
import { diagnose, type Leg } from "../diagnosis.ts";
import type { LostCode } from "../lost.ts";
import { Observable } from "../observable.ts";
import type { Route } from "../route.ts";
import type { ServicePlace, SessionState } from "../session.ts";
import { AppView, type Model } from "../views/app_view.tsx";
import { alone, ConsoleDouble } from "./console_double.ts";

const ID = "abcdefghijklmnopqrstuvwxyz";
const OTHER = "zyxwvutsrqponmlkjihgfedcba";
const NOW = Date.now();

const LENT = "bcdefghijklmnopqrstuvwxyza";
const OVER = "cdefghijklmnopqrstuvwxyzab";
const GONE = "defghijklmnopqrstuvwxyzabc";

const DEVICES: readonly Device[] = [
  device(ID, "Front gate", 0),
  device(OTHER, "3D printer in the workshop", 26 * 3_600_000),
  guestOf(LENT, "Boathouse", { expires: NOW + 5_400_000 }),
  guestOf(OVER, "Greenhouse", { expires: NOW - 3_600_000, ended: "grant_expired" }),
  { ...device(GONE, "Old shed", 9 * 86_400_000), ended: "removed" },
];

/** This browser is a guest of the device that scenes show. */
const AS_GUEST: readonly Device[] = [guestOf(ID, "Front gate", { expires: NOW + 2_580_000 })];

const SERVICES = [
  { id: "ui", title: "Gate controller", number: 1 },
  { id: "node-red", title: "Node-RED", number: 2 },
  { id: "files", title: "Files", number: 5 },
];

const CAMERAS = [
  { id: "front", title: "Front gate", number: 3 },
  { id: "yard", title: "Yard", number: 4 },
];

type Live = SessionState & { phase: "live" };

const LIVE: Live = {
  phase: "live",
  name: "Front gate",
  services: SERVICES,
  cameras: CAMERAS,
  access: { role: "owner" },
  roundTrip: 23.4,
  path: { kind: "direct", family: 4, local: true },
};

const LIVE_GUEST: Live = {
  ...LIVE,
  services: SERVICES.slice(0, 1),
  cameras: CAMERAS.slice(0, 1),
  access: { role: "guest", operations: ["view"], remainingSeconds: 2580 },
  endsAt: NOW + 2_580_000,
};

function device(id: string, name: string, ago: number): Device {
  const publicKey = new Uint8Array(32);
  return { id, name, publicKey, pairedAt: NOW - 86_400_000, lastSeen: NOW - ago, role: "owner" };
}

function guestOf(
  id: string,
  name: string,
  { expires, ended }: { expires: number; ended?: LostCode },
): Device {
  const loan = { grants: [], operations: ["view"], expires } as const;
  return { ...device(id, name, 0), role: "guest", loan, ended };
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
  readonly owner: ConsoleDouble;
  constructor(
    state: SessionState,
    cameras: Record<string, CameraView> = {},
    owner: ConsoleDouble = new ConsoleDouble(),
  ) {
    this.state = new Observable(state);
    this.cameras = new CamerasDouble(cameras);
    this.owner = owner;
  }
  /** Paths that were to open in a tab of their own. */
  readonly detached: string[] = [];
  retryNow(): void {
    this.state.set({ phase: "finding" });
  }
  diagnose(): Promise<Leg[]> {
    const facts = { reached: "agreed", code: "no_path", decodes: true, unsupported: [] } as const;
    return Promise.resolve(diagnose(facts));
  }
  openService(place: ServicePlace): Promise<Content> {
    return Promise.resolve(new ContentDouble(place.container, this.detached));
  }
}

/** A page of a device, made here; it "navigates" once it is shown. */
class ContentDouble implements Content {
  readonly ready = Promise.resolve();
  readonly #container: HTMLElement;
  readonly #detached: string[];
  constructor(container: HTMLElement, detached: string[]) {
    this.#container = container;
    this.#detached = detached;
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
  detach(path: string): boolean {
    this.#detached.push(path);
    return true;
  }
  onWantsTab(): void {}
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
  readonly checkNumber?: CheckNumber;
  readonly kept?: boolean;
}

const AT_DEVICE: Route = { view: "device", device: ID };
const AT_SERVICE: Route = { view: "service", device: ID, service: "ui", path: "/" };
const AT_PAIR: Route = { view: "pair", link: "" };
const AT_BORROW: Route = { view: "borrow", link: "" };
const AT_PEOPLE: Route = { view: "people", device: ID };
const AT_LEND: Route = { view: "lend", device: ID };
const CLOSED = (code: LostCode) => new SessionDouble({ phase: "closed", code });
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
  "check-number": () => ({
    route: AT_DEVICE,
    session: new SessionDouble({ ...LIVE, cameras: [] }),
    checkNumber: { device: ID, digits: "048213" },
  }),
  "second-owner": () => ({
    route: AT_DEVICE,
    session: new SessionDouble(
      { ...LIVE, cameras: [] },
      {},
      new ConsoleDouble({ people: alone() }),
    ),
  }),
  "not-kept": () => ({
    route: AT_DEVICE,
    session: new SessionDouble({ ...LIVE, cameras: [] }),
    kept: false,
  }),
  "rolled-back": () => ({
    route: AT_DEVICE,
    session: new SessionDouble(LIVE, PICTURES(), new ConsoleDouble({ history: "older" })),
  }),
  "other-history": () => ({
    route: AT_PEOPLE,
    session: new SessionDouble(LIVE, {}, new ConsoleDouble({ history: "different" })),
  }),
  "people": () => ({ route: AT_PEOPLE, session: new SessionDouble(LIVE) }),
  "people-alone": () => ({
    route: AT_PEOPLE,
    session: new SessionDouble(LIVE, {}, new ConsoleDouble({ people: alone() })),
  }),
  "people-unknown": () => ({
    route: AT_PEOPLE,
    session: new SessionDouble(LIVE, {}, new ConsoleDouble({ people: "unknown" })),
  }),
  "people-failed": () => ({
    route: AT_PEOPLE,
    session: new SessionDouble(LIVE, {}, new ConsoleDouble({ people: "failed" })),
  }),
  "people-lost": () => ({
    route: AT_PEOPLE,
    session: new SessionDouble({ phase: "lost", code: "silent", retryAt: NOW + 9000 }),
  }),
  "people-refused": () => ({
    route: AT_PEOPLE,
    session: new SessionDouble(LIVE, {}, new ConsoleDouble({ refuses: true })),
  }),
  "people-guest": () => ({
    route: AT_PEOPLE,
    devices: AS_GUEST,
    session: new SessionDouble(LIVE_GUEST),
  }),
  "owner-removed": () => ({ route: AT_DEVICE, session: CLOSED("removed") }),
  "lend": () => ({ route: AT_LEND, session: new SessionDouble(LIVE) }),
  "lend-nothing": () => ({
    route: AT_LEND,
    session: new SessionDouble({ ...LIVE, services: [], cameras: [] }),
  }),
  "lend-before": () => ({ route: AT_LEND, session: new SessionDouble({ phase: "finding" }) }),
  "lend-refused": () => ({
    route: AT_LEND,
    session: new SessionDouble(LIVE, {}, new ConsoleDouble({ refuses: true })),
  }),
  "borrowing": () => ({ route: AT_BORROW, session: new SessionDouble({ phase: "offering" }) }),
  "borrowing-used": () => ({ route: AT_BORROW, session: CLOSED("grant_used") }),
  "borrowing-expired": () => ({ route: AT_BORROW, session: CLOSED("grant_expired") }),
  "borrowing-revoked": () => ({ route: AT_BORROW, session: CLOSED("grant_revoked") }),
  "borrowing-damaged": () => ({ route: AT_BORROW, pairing: { phase: "failed", code: "bad_link" } }),
  "borrowing-owned": () => ({ route: AT_BORROW, pairing: { phase: "owned", device: ID } }),
  "borrowing-time": () => ({
    route: AT_BORROW,
    session: new SessionDouble({ phase: "lost", code: "time_unknown", retryAt: NOW + 9000 }),
  }),
  "guest": () => ({
    route: AT_DEVICE,
    devices: AS_GUEST,
    session: new SessionDouble(LIVE_GUEST, PICTURES()),
  }),
  "guest-nothing": () => ({
    route: AT_DEVICE,
    devices: AS_GUEST,
    session: new SessionDouble({ ...LIVE_GUEST, cameras: [], services: [] }),
  }),
  "guest-service": () => ({
    route: AT_SERVICE,
    devices: AS_GUEST,
    session: new SessionDouble(LIVE_GUEST, PICTURES()),
  }),
  "guest-lost": () => ({
    route: AT_DEVICE,
    devices: AS_GUEST,
    session: new SessionDouble({ phase: "lost", code: "absent", retryAt: NOW + 9000 }),
  }),
  "guest-expired": () => ({
    route: AT_DEVICE,
    devices: AS_GUEST,
    session: CLOSED("grant_expired"),
  }),
  "guest-revoked": () => ({
    route: AT_SERVICE,
    devices: AS_GUEST,
    session: CLOSED("grant_revoked"),
  }),
  "guest-removed": () => ({ route: AT_DEVICE, devices: AS_GUEST, session: CLOSED("removed") }),
  "guest-kicked": () => ({ route: AT_DEVICE, devices: AS_GUEST, session: CLOSED("kicked") }),
  "service-unknown": () => ({
    route: { ...AT_SERVICE, service: "old" } as Route,
    session: new SessionDouble(LIVE, PICTURES()),
  }),
};

function model(scene: Scene): Model {
  const { route, devices, session, pairing, obstacle, checkNumber, kept } = scene;
  const shown = new Observable(route);
  const title = new Observable("");
  const visit = new Observable(0);
  const double = {
    route: shown,
    devices: new Observable(devices ?? DEVICES),
    session: new Observable(session),
    pairing: new Observable(pairing ?? { phase: "running" }),
    obstacle: new Observable(obstacle),
    checkNumber: new Observable(checkNumber),
    dismissCheckNumber: () => double.checkNumber.set(undefined),
    kept: new Observable(kept),
    keepKey: () => Promise.resolve(),
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
