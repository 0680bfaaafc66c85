/**
 * The page as a whole: which address is shown, which devices are known, which session is open. Views read it and call
 * it; it draws nothing. Its place: `main.tsx` makes it, `views/` shows it, `session.ts` does the work.
 */
import { type Device, listDevices, putDevice, removeDevice } from "./devices.ts";
import type { Greeting } from "./connection.ts";
import { askToPersist, KeyError } from "./keys.ts";
import { Observable, type Observed } from "./observable.ts";
import { formatRoute, parseRoute, type Route } from "./route.ts";
import type { Session } from "./session.ts";

const MAX_TITLE_LENGTH = 200; // a device's page chooses its title: enough to read, too little to fill the bar

/** A pairing link that was read. */
export interface ReadLink {
  readonly device: string;
  readonly publicKey: Uint8Array<ArrayBuffer>;
}

/** What the app needs of the rest; `main.tsx` connects it. `L` is what a pairing link holds, which only trust knows. */
export interface AppParts<L extends ReadLink> {
  readonly database: IDBDatabase;
  /** Reads a pairing link; rejects when it is damaged. */
  readLink(text: string): Promise<L>;
  /** A session that was not started. Rejects with a KeyError where the browser cannot keep a key. */
  createSession(
    device: { id: string; publicKey: Uint8Array<ArrayBuffer> },
    options: { link?: L; greeted: (greeting: Greeting) => void },
  ): Promise<Session>;
}

/** How pairing goes, beside what its session says. */
export type Pairing = { readonly phase: "running" } | {
  readonly phase: "failed";
  readonly code: "bad_link";
};

/** The page cannot work in this browser. */
export type Obstacle = "no_key" | "failed";

export class App<L extends ReadLink = ReadLink> {
  readonly #parts: AppParts<L>;
  readonly #route = new Observable<Route>({ view: "devices" });
  readonly #devices = new Observable<readonly Device[]>([]);
  readonly #session = new Observable<Session | undefined>(undefined);
  readonly #pairing = new Observable<Pairing>({ phase: "running" });
  readonly #obstacle = new Observable<Obstacle | undefined>(undefined);
  readonly #visit = new Observable(0);
  readonly #title = new Observable("");
  /** Counts `#show` calls: a slow one that was overtaken does nothing. */
  #turn = 0;

  constructor(parts: AppParts<L>) {
    this.#parts = parts;
  }

  get route(): Observed<Route> {
    return this.#route;
  }
  get devices(): Observed<readonly Device[]> {
    return this.#devices;
  }
  get session(): Observed<Session | undefined> {
    return this.#session;
  }
  get pairing(): Observed<Pairing> {
    return this.#pairing;
  }
  get obstacle(): Observed<Obstacle | undefined> {
    return this.#obstacle;
  }
  /** Changes whenever the frame of a service must be made anew: a reload, or an address that a person chose. */
  get visit(): Observed<number> {
    return this.#visit;
  }
  /** Title of the page in the service's frame. */
  get title(): Observed<string> {
    return this.#title;
  }

  /** Shows the first address. `hash` was taken from the address bar before anything else ran. */
  async start(hash: string): Promise<void> {
    this.#devices.set(await listDevices(this.#parts.database));
    await this.show(hash);
  }

  /** Shows an address that a person chose: a link, the address bar, back or forward. Never rejects. */
  async show(hash: string): Promise<void> {
    const route = parseRoute(hash);
    if (route.view === "pair") history.replaceState(null, "", "#/"); // the secret is in nobody's history
    const turn = ++this.#turn;
    this.#title.set("");
    this.#obstacle.set(undefined);
    this.#route.set(route);
    this.#visit.set(this.#visit.value + 1);
    try {
      await this.#openSession(route, () => turn === this.#turn);
    } catch (error) {
      this.#obstacle.set(error instanceof KeyError ? "no_key" : "failed");
      reportError(error);
    }
  }

  /** The page in the frame went elsewhere: the address bar follows, nothing is loaded. */
  navigated(path: string, title: string): void {
    const route = this.#route.value;
    if (route.view !== "service" || !path.startsWith("/")) return;
    const next: Route = { ...route, path };
    history.replaceState(null, "", formatRoute(next));
    this.#title.set(title.slice(0, MAX_TITLE_LENGTH));
    this.#route.set(next);
  }

  /** Loads the page in the frame again. */
  reload(): void {
    this.#visit.set(this.#visit.value + 1);
  }

  /** Removes a device from this browser. */
  async forget(device: string): Promise<void> {
    await removeDevice(this.#parts.database, device);
    this.#devices.set(this.#devices.value.filter(({ id }) => id !== device));
    location.hash = "#/";
  }

  async #openSession(route: Route, current: () => boolean): Promise<void> {
    switch (route.view) {
      case "devices":
      case "unknown":
        return this.#replaceSession(undefined);
      case "pair":
        return await this.#pair(route.link, current);
      case "device":
      case "service":
        return await this.#connect(route.device, current);
    }
  }

  async #connect(id: string, current: () => boolean): Promise<void> {
    const open = this.#session.value;
    if (open?.device === id && open.state.value.phase !== "closed") return;
    this.#replaceSession(undefined);
    const device = await this.#find(id);
    if (device === undefined || !current()) return; // the view says that it is unknown
    const greeted = (greeting: Greeting) => this.#greeted(device, greeting);
    const session = await this.#parts.createSession(device, { greeted });
    if (!current()) return session.close();
    this.#replaceSession(session);
    session.start();
  }

  /** A device of this browser; another tab may have paired it since this one started. */
  async #find(id: string): Promise<Device | undefined> {
    const known = this.#devices.value.find((one) => one.id === id);
    if (known !== undefined) return known;
    this.#devices.set(await listDevices(this.#parts.database));
    return this.#devices.value.find((one) => one.id === id);
  }

  async #pair(text: string, current: () => boolean): Promise<void> {
    this.#replaceSession(undefined);
    this.#pairing.set({ phase: "running" });
    const link = await this.#parts.readLink(text).catch(() => undefined);
    if (!current()) return;
    if (link === undefined) return this.#pairing.set({ phase: "failed", code: "bad_link" });
    const device = { id: link.device, publicKey: link.publicKey };
    const greeted = (greeting: Greeting) => this.#paired(link, greeting);
    const session = await this.#parts.createSession(device, { link, greeted });
    if (!current()) return session.close();
    this.#replaceSession(session);
    session.start();
  }

  #replaceSession(session: Session | undefined): void {
    this.#session.value?.close();
    this.#session.set(session);
  }

  /** Pairing's connection becomes the session (DESIGN 8): only the address changes. */
  #paired(link: L, greeting: Greeting): void {
    const now = Date.now();
    const known = this.#devices.value.find(({ id }) => id === link.device);
    const { device: id, publicKey } = link;
    const pairedAt = known?.pairedAt ?? now;
    this.#keep({ id, publicKey, pairedAt, name: greeting.name, lastSeen: now });
    if (this.#route.value.view !== "pair") return; // a reconnect later on
    const route: Route = { view: "device", device: link.device };
    history.replaceState(null, "", formatRoute(route));
    this.#route.set(route);
    askToPersist().catch(() => {}); // it never rejects; the answer changes nothing
  }

  #greeted(device: Device, greeting: Greeting): void {
    this.#keep({ ...device, name: greeting.name, lastSeen: Date.now() });
  }

  #keep(device: Device): void {
    const others = this.#devices.value.filter(({ id }) => id !== device.id);
    this.#devices.set([...others, device].sort((a, b) => a.name.localeCompare(b.name)));
    putDevice(this.#parts.database, device).catch((error: unknown) => {
      reportError(error);
      this.#obstacle.set("failed");
    });
  }
}
