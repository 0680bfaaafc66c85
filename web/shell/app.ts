/**
 * The page as a whole: which address is shown, which devices are known, which session is open. Views read it and call
 * it; it draws nothing. Its place: `main.tsx` makes it, `views/` shows it, `session.ts` does the work.
 */
import type { Bytes } from "../../src/lib/bytes.ts";
import {
  type AuditHead,
  changeDevice,
  type Device,
  listDevices,
  putDevice,
  removeDevice,
} from "./devices.ts";
import type { Greeting } from "./connection.ts";
import { askToPersist, isKept, KeyError } from "./keys.ts";
import { nextLoan, withLoan } from "./loans.ts";
import { endsAccess } from "./lost.ts";
import { Observable, type Observed } from "./observable.ts";
import { formatRoute, parseRoute, type Route } from "./route.ts";
import type { Session } from "./session.ts";

const MAX_SERVICES = 128; // twice as many as a device has: some were renamed
const MAX_TITLE_LENGTH = 200; // a device's page chooses its title: enough to read, too little to fill the bar

/** A link that was read: whose it is, and how it lets this browser in. */
export interface EntryLink {
  readonly device: string;
  readonly publicKey: Bytes;
  /** What this browser will show the device. Rejects with a KeyError where the browser cannot keep a key. */
  credentials(): Promise<Credentials>;
}

/** What a browser shows a device beside its own key. A claim and grants exclude each other. */
export interface Credentials {
  /** Of a pairing link. */
  readonly claim?: { readonly secret: Bytes; readonly token: Bytes };
  /** The chain of a guest. */
  readonly grants?: readonly Bytes[];
  /** Given by the device at the last session. */
  readonly pass?: Bytes | undefined;
}

/** Which device a session is to reach, and how. */
export interface Target extends Credentials {
  readonly id: string;
  readonly publicKey: Bytes;
  /** Newest entry of its log that this browser has seen. */
  readonly auditHead?: AuditHead | undefined;
}

/** What the app wants to hear of a session. */
export interface SessionListener {
  /** `checkNumber`: six digits that the device may show as well. */
  greeted(greeting: Greeting, checkNumber: string): void;
  keepHead(head: AuditHead): void;
}

/** What the app needs of the rest; `main.tsx` connects it. */
export interface AppParts {
  readonly database: IDBDatabase;
  /** Reads a pairing link or an invite; rejects when it is damaged. */
  readLink(kind: "pair" | "borrow", text: string): Promise<EntryLink>;
  /** Deletes what the device's services have left in this browser. Never rejects: what cannot be reached stays. */
  forgetPages(device: Pick<Device, "publicKey" | "services">): Promise<void>;
  /** A session that was not started. Rejects with a KeyError where the browser cannot keep a key. */
  createSession(target: Target, listener: SessionListener): Promise<Session>;
}

/** How pairing or borrowing goes, beside what its session says. */
export type Pairing =
  | { readonly phase: "running" }
  | { readonly phase: "failed"; readonly code: "bad_link" }
  /** An invite to a device that this browser owns: it is left for somebody who needs it. */
  | { readonly phase: "owned"; readonly device: string };

/** The page cannot work in this browser. */
export type Obstacle = "no_key" | "failed";

/** Six digits to compare with the device's, right after pairing with it. */
export interface CheckNumber {
  readonly device: string;
  readonly digits: string;
}

export class App {
  readonly #parts: AppParts;
  readonly #route = new Observable<Route>({ view: "devices" });
  readonly #devices = new Observable<readonly Device[]>([]);
  readonly #session = new Observable<Session | undefined>(undefined);
  readonly #pairing = new Observable<Pairing>({ phase: "running" });
  readonly #obstacle = new Observable<Obstacle | undefined>(undefined);
  readonly #visit = new Observable(0);
  readonly #title = new Observable("");
  readonly #checkNumber = new Observable<CheckNumber | undefined>(undefined);
  readonly #kept = new Observable<boolean | undefined>(undefined);
  /** Counts `show` calls: a slow one that was overtaken does nothing. */
  #turn = 0;
  /** Begun by a link, and not let in yet. */
  #entering: Session | undefined;
  #unwatch: () => void = () => {};

  constructor(parts: AppParts) {
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
  /** After pairing, until a person has compared it. */
  get checkNumber(): Observed<CheckNumber | undefined> {
    return this.#checkNumber;
  }
  /** Whether the browser has promised to keep the key; undefined where it does not say. */
  get kept(): Observed<boolean | undefined> {
    return this.#kept;
  }

  /** Learns what this browser has. Before the first `show`. */
  async start(): Promise<void> {
    this.#devices.set(await listDevices(this.#parts.database));
    this.#kept.set(await isKept());
  }

  /** Shows an address that a person chose: a link, the address bar, back or forward. Never rejects. */
  async show(hash: string): Promise<void> {
    const route = parseRoute(hash);
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

  /** Removes a device from this browser, with what the pages of its services have left here. */
  async forget(device: string): Promise<void> {
    const known = this.#devices.value.find(({ id }) => id === device);
    this.#replaceSession(undefined);
    const pages = known === undefined ? undefined : this.#parts.forgetPages(known);
    await removeDevice(this.#parts.database, device);
    this.#devices.set(this.#devices.value.filter(({ id }) => id !== device));
    location.hash = "#/";
    await pages;
  }

  /** Asks the browser to keep the key. It may say no. Never rejects. */
  async keepKey(): Promise<void> {
    this.#kept.set(await askToPersist());
  }

  /** The check number was compared, or there is nothing to compare it with. */
  dismissCheckNumber(): void {
    this.#checkNumber.set(undefined);
  }

  async #openSession(route: Route, current: () => boolean): Promise<void> {
    switch (route.view) {
      case "devices":
      case "unknown":
        return this.#replaceSession(undefined);
      case "pair":
      case "borrow":
        return await this.#enter({ kind: route.view, text: route.link }, current);
      case "device":
      case "people":
      case "lend":
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
    const session = await this.#parts.createSession(
      { ...device, ...(device.loan === undefined ? {} : { grants: device.loan.grants }) },
      {
        greeted: (greeting) =>
          this.#change(id, this.#learnt(greeting, device.loan?.grants, device)),
        keepHead: (auditHead) => this.#change(id, { auditHead }),
      },
    );
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

  async #enter(
    { kind, text }: { kind: "pair" | "borrow"; text: string },
    current: () => boolean,
  ): Promise<void> {
    this.#replaceSession(undefined);
    this.#pairing.set({ phase: "running" });
    const link = await this.#parts.readLink(kind, text).catch(() => undefined);
    if (!current()) return;
    if (link === undefined) return this.#pairing.set({ phase: "failed", code: "bad_link" });
    const known = await this.#find(link.device);
    if (kind === "borrow" && known?.role === "owner" && known.ended === undefined) {
      return this.#pairing.set({ phase: "owned", device: link.device });
    }
    const { publicKey } = link;
    const credentials = await link.credentials();
    const target = {
      id: link.device,
      publicKey,
      pass: known?.pass,
      auditHead: known?.auditHead,
      ...credentials,
    };
    const session = await this.#parts.createSession(target, {
      greeted: (greeting, digits) => this.#entered({ link, credentials, greeting, digits }),
      keepHead: (auditHead) => this.#change(link.device, { auditHead }),
    });
    if (!current()) return session.close();
    this.#entering = session;
    this.#replaceSession(session);
    session.start();
  }

  #replaceSession(session: Session | undefined): void {
    this.#unwatch();
    this.#session.value?.close();
    this.#session.set(session);
    const unwatch = session?.state.subscribe(() => this.#noteEnd(session));
    this.#unwatch = unwatch ?? (() => {});
  }

  /**
   * What the device says of this browser's access outlives the session: the list of devices tells. A link that never let
   * anybody in says nothing of what this browser has already.
   */
  #noteEnd(session: Session): void {
    const { value } = session.state;
    if (value.phase !== "closed" || !endsAccess(value.code) || session === this.#entering) return;
    const device = this.#devices.value.find(({ id }) => id === session.device);
    const next = device && value.code !== "removed" ? nextLoan(device, Date.now()) : undefined;
    if (next) return this.#changeLoan(session.device, next);
    this.#change(session.device, { ended: value.code });
  }

  /** One loan is over, and another holds: the session begins anew with that one. */
  #changeLoan(device: string, next: Pick<Device, "loan" | "otherLoans">): void {
    this.#change(device, next);
    const route = this.#route.value;
    queueMicrotask(() => { // the session is telling that it ended: replaced after that
      if (this.#route.value === route) {
        void this.#openSession(route, () => this.#route.value === route);
      }
    });
  }

  /** Pairing's connection becomes the session (DESIGN 8): only the address changes. */
  #entered(
    { link, credentials, greeting, digits }: {
      link: EntryLink;
      credentials: Credentials;
      greeting: Greeting;
      digits: string;
    },
  ): void {
    this.#entering = undefined;
    const known = this.#devices.value.find(({ id }) => id === link.device);
    const learnt = this.#learnt(greeting, credentials.grants, known);
    const { device: id, publicKey } = link;
    this.#keep({ ...known, id, publicKey, pairedAt: known?.pairedAt ?? Date.now(), ...learnt });
    const { view } = this.#route.value;
    if (view !== "pair" && view !== "borrow") return; // a reconnect later on
    if (view === "pair") this.#checkNumber.set({ device: id, digits });
    const route: Route = { view: "device", device: id };
    history.replaceState(null, "", formatRoute(route));
    this.#route.set(route);
    this.keepKey().catch(() => {}); // it never rejects
  }

  /** What a greeting tells. `grants`: what this browser showed, which counts if it is let in as a guest. */
  #learnt(
    { name, access, pass, services }: Greeting,
    grants: readonly Bytes[] | undefined,
    known: Pick<Device, "loan" | "otherLoans" | "services"> = {},
  ): Omit<Device, "id" | "publicKey" | "pairedAt"> {
    const { role } = access;
    const ids = new Set([...services.map(({ id }) => id), ...(known.services ?? [])]);
    const common = {
      ...{ name, role, pass, lastSeen: Date.now(), ended: undefined },
      services: [...ids].slice(0, MAX_SERVICES),
    };
    if (role === "owner") return { ...common, loan: undefined, otherLoans: undefined };
    if (grants === undefined) return common; // cannot be: who shows no grants is let in as an owner
    const expires = Date.now() + access.remainingSeconds * 1000;
    const loan = { grants, operations: access.operations, expires };
    return { ...common, ...withLoan(known, loan, Date.now()) };
  }

  #keep(device: Device): void {
    const others = this.#devices.value.filter(({ id }) => id !== device.id);
    this.#devices.set([...others, device].sort((a, b) => a.name.localeCompare(b.name)));
    this.#written(putDevice(this.#parts.database, device));
  }

  #change(id: string, known: Partial<Device>): void {
    const change = (device: Device) => device.id === id ? { ...device, ...known } : device;
    this.#devices.set(this.#devices.value.map(change));
    this.#written(changeDevice(this.#parts.database, id, known));
  }

  #written(writing: Promise<void>): void {
    writing.catch((error: unknown) => {
      reportError(error);
      this.#obstacle.set("failed");
    });
  }
}
