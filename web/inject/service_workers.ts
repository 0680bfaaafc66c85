/**
 * A device's page cannot have a service worker of its own: ours holds the scope, and the browser would fetch theirs from
 * the rendezvous. To the page it looks as if there was none and registration failed, which pages must be able to take.
 */

/** Hides our service worker from the page; gives the way to ours. */
export function hideServiceWorker(
  container: ServiceWorkerContainer,
): () => Promise<ServiceWorker | null> {
  const prototype = Object.getPrototypeOf(container);
  const { get: controller } = Object.getOwnPropertyDescriptor(prototype, "controller")!; // WebIDL puts it there
  const { get: ready } = Object.getOwnPropertyDescriptor(prototype, "ready")!;
  const never = new Promise<never>(() => {});
  define(prototype, {
    register: {
      value: () =>
        Promise.reject(
          new DOMException(
            "Service workers of the device's page do not run through porthole.",
            "NotSupportedError",
          ),
        ),
    },
    getRegistration: { value: () => Promise.resolve(undefined) },
    getRegistrations: { value: () => Promise.resolve([]) },
    controller: { get: () => null },
    ready: { get: () => never },
  });
  return async () => {
    const own = controller?.call(container) as ServiceWorker | null;
    if (own !== null) return own;
    return (await (ready?.call(container) as Promise<ServiceWorkerRegistration>)).active;
  };
}

function define(target: object, properties: PropertyDescriptorMap): void {
  for (const [name, descriptor] of Object.entries(properties)) {
    Object.defineProperty(target, name, { ...descriptor, configurable: true, enumerable: true });
  }
}
