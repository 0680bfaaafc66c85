/**
 * A device's page cannot have a service worker of its own: ours holds the scope, and the browser would fetch theirs from
 * the rendezvous. Registering one seems to work, as pages expect it to, and it never does anything: the page stays without
 * a controller, and without push, synchronisation and fetches in the background.
 */
import { defineEventHandlers } from "./event_handlers.ts";

/** Registrations that one page may pretend to have. */
const MAX_REGISTRATIONS = 16;
/** What belongs to service workers and is not there. */
export const ABSENT: readonly string[] = [
  "PushManager",
  "PushSubscription",
  "SyncManager",
  "PeriodicSyncManager",
]
  .concat(["BackgroundFetchManager", "NavigationPreloadManager"]);

/** What of a container is replaced. */
export const PRETENDED: readonly string[] = ["controller", "ready", "register"]
  .concat(["getRegistration", "getRegistrations"]);

/**
 * Hides service workers from a global without a look at its container: one that was made for a frame's first document is
 * useless to the next that has the same global (Chromium).
 */
export function pretendServiceWorkers(realm: typeof globalThis): void {
  for (const name of ABSENT) Reflect.deleteProperty(realm, name);
  const prototype = realm.ServiceWorkerContainer?.prototype; // not there without a secure context
  if (prototype !== undefined) define(prototype, pretended());
}

/** Hides our service worker from this page; gives the way to ours. */
export function hideServiceWorker(
  container: ServiceWorkerContainer,
): () => Promise<ServiceWorker | null> {
  const prototype = Object.getPrototypeOf(container);
  const { get: controller } = Object.getOwnPropertyDescriptor(prototype, "controller")!; // WebIDL puts it there
  const { get: ready } = Object.getOwnPropertyDescriptor(prototype, "ready")!;
  const { getRegistration } = prototype as ServiceWorkerContainer;
  pretendServiceWorkers(globalThis);
  return async () => {
    const own = controller?.call(container) as ServiceWorker | null;
    if (own !== null) return own;
    // about:srcdoc is no address that a registration could be found by: Firefox has to be told one.
    const found = await getRegistration.call(container, `${self.origin}/`);
    if (found?.active) return found.active;
    return (await (ready?.call(container) as Promise<ServiceWorkerRegistration>)).active;
  };
}

/** What the page finds in the place of the container's own. */
function pretended(): PropertyDescriptorMap {
  const registrations = new Map<string, PretendedRegistration>();
  const first = Promise.withResolvers<PretendedRegistration>();
  const register = (url: unknown, options?: { scope?: string }) => {
    const { script, scope } = readScope(String(url), options?.scope);
    const present = registrations.get(scope);
    if (present !== undefined) return present;
    if (registrations.size >= MAX_REGISTRATIONS) registrations.clear();
    const registration = new PretendedRegistration(
      scope,
      { worker: new PretendedWorker(script), gone: () => registrations.delete(scope) },
    );
    registrations.set(scope, registration);
    first.resolve(registration);
    return registration;
  };
  const find = (url = "") => {
    const { href } = new URL(String(url), document.baseURI);
    const scopes = [...registrations.keys()].filter((scope) => href.startsWith(scope));
    const longest = scopes.sort((a, b) => b.length - a.length)[0];
    return longest === undefined ? undefined : registrations.get(longest);
  };
  return {
    register: {
      value: (url: unknown, options?: { scope?: string }) =>
        new Promise((resolve) => resolve(register(url, options))),
    },
    getRegistration: { value: (url?: string) => Promise.resolve(find(url)) },
    getRegistrations: { value: () => Promise.resolve([...registrations.values()]) },
    controller: { get: () => null },
    ready: { get: () => first.promise },
  };
}

/** Throws as the standard says for what no worker could be (Service Workers 3.4.3). */
function readScope(url: string, wanted: string | undefined): { script: string; scope: string } {
  const script = new URL(url, document.baseURI);
  const scope = new URL(wanted ?? "./", wanted === undefined ? script : document.baseURI);
  if (script.origin !== self.origin || scope.origin !== self.origin) {
    throw new DOMException("A service worker must be of its page's origin.", "SecurityError");
  }
  scope.hash = "";
  return { script: script.href, scope: scope.href };
}

class PretendedWorker extends EventTarget {
  readonly scriptURL: string;
  readonly state = "activated";

  constructor(scriptURL: string) {
    super();
    this.scriptURL = scriptURL;
  }

  get [Symbol.toStringTag](): string {
    return "ServiceWorker";
  }

  postMessage(): void {}
}

class PretendedRegistration extends EventTarget {
  readonly installing = null;
  readonly waiting = null;
  readonly active: PretendedWorker;
  readonly scope: string;
  readonly updateViaCache = "imports";
  readonly #gone: () => boolean;

  constructor(scope: string, { worker, gone }: { worker: PretendedWorker; gone: () => boolean }) {
    super();
    this.scope = scope;
    this.active = worker;
    this.#gone = gone;
  }

  get [Symbol.toStringTag](): string {
    return "ServiceWorkerRegistration";
  }

  update(): Promise<this> {
    return Promise.resolve(this);
  }

  unregister(): Promise<boolean> {
    return Promise.resolve(this.#gone());
  }

  getNotifications(): Promise<never[]> {
    return Promise.resolve([]);
  }

  showNotification(): Promise<never> {
    const why = "Notifications of the device's page do not come through porthole.";
    return Promise.reject(new TypeError(why));
  }
}

defineEventHandlers(PretendedRegistration.prototype, ["updatefound"]);
defineEventHandlers(PretendedWorker.prototype, ["statechange", "error"]);

function define(target: object, properties: PropertyDescriptorMap): void {
  for (const [name, descriptor] of Object.entries(properties)) {
    Object.defineProperty(target, name, { ...descriptor, configurable: true, enumerable: true });
  }
}
