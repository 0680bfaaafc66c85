/**
 * The shell's IndexedDB: the browser's key and the devices that it is paired with or a guest of. The key is a `CryptoKey`
 * that cannot be extracted (security.md 3.2). What is a secret beside it, a device's pass, is worth nothing without the
 * key.
 *
 *   version 1   keys, devices
 *   version 2   devices have a role. Those of version 1 are all owned: there was nothing else.
 */

const NAME = "porthole";
const VERSION = 2;

/** Object stores, with what is in them. */
export const KEYS = "keys";
export const DEVICES = "devices";

/** Opens the database; creates it at the first visit. Rejects where the browser refuses to store anything. */
export function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, VERSION);
  request.onupgradeneeded = ({ oldVersion }) => {
    if (oldVersion < 1) create(request.result);
    else if (oldVersion < 2) addRoles(request.transaction?.objectStore(DEVICES));
  };
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      // Another tab with newer code must be able to upgrade.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(new Error("Cannot open the database", { cause: request.error }));
    request.onblocked = () => reject(new Error("Cannot open the database: another tab holds it"));
  });
}

function create(database: IDBDatabase): void {
  database.createObjectStore(KEYS);
  database.createObjectStore(DEVICES, { keyPath: "id" });
}

function addRoles(devices: IDBObjectStore | undefined): void {
  if (devices === undefined) return;
  const walk = devices.openCursor();
  walk.onsuccess = () => {
    const cursor = walk.result;
    if (cursor === null) return;
    cursor.update({ ...cursor.value, role: "owner" });
    cursor.continue();
  };
}

/** Outcome of one request. */
export function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new Error("Cannot use the database", { cause: request.error }));
  });
}

/** Resolves once a transaction is on disk. */
export function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () =>
      reject(new Error("Cannot write to the database", { cause: transaction.error }));
  });
}
