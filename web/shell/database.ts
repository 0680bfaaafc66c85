/**
 * The shell's IndexedDB: the browser's key and the devices that it is paired with. Nothing else is kept, and no secret
 * that a script could read: the key is a `CryptoKey` that cannot be extracted (security.md 3.2).
 */

const NAME = "porthole";
const VERSION = 1;

/** Object stores, with what is in them. */
export const KEYS = "keys";
export const DEVICES = "devices";

/** Opens the database; creates it at the first visit. Rejects where the browser refuses to store anything. */
export function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, VERSION);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(KEYS);
    request.result.createObjectStore(DEVICES, { keyPath: "id" });
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
