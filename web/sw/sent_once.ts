/**
 * What a service worker must know of the one before it: which requests were on their way to the device. A browser whose
 * worker ends while it answers shows the request to the next one (Chromium, measured: a POST reached the device twice).
 * What may change something is therefore written down before it leaves, and what stands there already is not sent again.
 */

const DATABASE = "porthole-sent";
const VERSION = 1;
const STORE = "requests";
/** Left by workers that ended; a worker that finds more at its start begins anew. */
const MAX_ENTRIES = 1000;
/** How long it may take to write one down, in ms: then the request leaves without. */
const WRITE_LIMIT_MS = 500;

/** See the head of this file. */
export class SentOnce {
  readonly #factory: IDBFactory;
  readonly #limit: number;
  #opening: Promise<IDBDatabase> | undefined;

  constructor(factory: IDBFactory, limit = WRITE_LIMIT_MS) {
    this.#factory = factory;
    this.#limit = limit;
  }

  /** Writes a request down; false when it stands there. Where nothing can be written all are new. Never rejects. */
  async begin(key: string): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<true>((resolve) => {
      timer = setTimeout(() => resolve(true), this.#limit);
    });
    const written = this.#add(key).catch(() => true);
    return await Promise.race([written, late]).finally(() => clearTimeout(timer));
  }

  /** The browser has its answer. */
  end(key: string): void {
    this.#transaction()
      .then((transaction) => void transaction.objectStore(STORE).delete(key))
      .catch(() => {}); // it stays until there are too many
  }

  async #add(key: string): Promise<boolean> {
    const transaction = await this.#transaction();
    return await new Promise((resolve) => {
      transaction.oncomplete = () => resolve(true);
      transaction.onabort = () => resolve(transaction.error?.name !== "ConstraintError");
      transaction.objectStore(STORE).add(true, key);
    });
  }

  async #transaction(): Promise<IDBTransaction> {
    this.#opening ??= this.#open();
    const database = await this.#opening;
    return database.transaction(STORE, "readwrite", { durability: "relaxed" }); // a worker's end is no power cut
  }

  async #open(): Promise<IDBDatabase> {
    const request = this.#factory.open(DATABASE, VERSION);
    request.onupgradeneeded = () => void request.result.createObjectStore(STORE);
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () =>
        reject(new Error("Cannot remember requests", { cause: request.error }));
    });
    const forget = () => this.#opening = undefined;
    database.onversionchange = () => {
      database.close(); // the device is being forgotten
      forget();
    };
    database.onclose = forget;
    trim(database);
    return database;
  }
}

function trim(database: IDBDatabase): void {
  const store = database.transaction(STORE, "readwrite").objectStore(STORE);
  const counting = store.count();
  counting.onsuccess = () => {
    if (counting.result > MAX_ENTRIES) store.clear();
  };
}
