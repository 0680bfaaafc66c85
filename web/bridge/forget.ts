/**
 * Removes all that a content origin keeps in this browser, the device's own data and our cache alike: the device is being
 * forgotten. Clear-Site-Data would do the same, but needs a server that answers, and browsers differ in frames.
 */

/** How long a part may take, in ms: a page of the device that still holds a database makes its removal wait. */
const LIMIT_MS = 3000;

/** Removes what can be removed; never rejects. */
export async function forgetOrigin(): Promise<void> {
  const parts = [clearStorage, removeCaches, removeDatabases, unregisterWorkers];
  await Promise.all(parts.map((part) => withinLimit(part())));
}

function clearStorage(): Promise<void> {
  return Promise.resolve().then(() => {
    localStorage.clear();
    sessionStorage.clear();
  });
}

async function removeCaches(): Promise<void> {
  await Promise.all((await caches.keys()).map((name) => caches.delete(name)));
}

async function removeDatabases(): Promise<void> {
  const databases = await indexedDB.databases();
  await Promise.all(databases.map(({ name = "" }) =>
    new Promise<void>((resolve) => {
      const request = indexedDB.deleteDatabase(name);
      request.onsuccess = request.onerror = () => resolve();
    })
  ));
}

async function unregisterWorkers(): Promise<void> {
  const registrations = await navigator.serviceWorker.getRegistrations();
  await Promise.all(registrations.map((registration) => registration.unregister()));
}

async function withinLimit(work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, LIMIT_MS));
  await Promise.race([work.catch(() => {}), late]); // what is refused here keeps nothing either
  clearTimeout(timer);
}
