/**
 * The browser's own Ed25519 key: what a device knows this browser by. Made once, never extractable, kept in IndexedDB.
 * A browser that cannot do this is told so; there is no weaker way in (security.md 3.2).
 */
import { committed, KEYS, result } from "./database.ts";

const KEY_NAME = "browser";

/** This browser has no Ed25519 in WebCrypto, or keeps no keys. */
export class KeyError extends Error {
  override name = "KeyError";
}

/** The key of this browser; makes it at the first call. Two tabs at once get the same one. Throws a KeyError. */
export async function browserKey(database: IDBDatabase): Promise<CryptoKeyPair> {
  return await storedKey(database) ?? await storeFirst(database, await generate());
}

async function storedKey(database: IDBDatabase): Promise<CryptoKeyPair | undefined> {
  const found: unknown = await result(
    database.transaction(KEYS).objectStore(KEYS).get(KEY_NAME),
  );
  return found === undefined ? undefined : keyPair(found);
}

async function generate(): Promise<CryptoKeyPair> {
  try {
    return keyPair(await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]));
  } catch (cause) {
    throw new KeyError("Cannot make a key: this browser has no Ed25519", { cause });
  }
}

/** Keeps the key unless another tab was quicker; gives the one that counts. */
async function storeFirst(database: IDBDatabase, pair: CryptoKeyPair): Promise<CryptoKeyPair> {
  const transaction = database.transaction(KEYS, "readwrite", { durability: "strict" });
  const done = committed(transaction);
  const store = transaction.objectStore(KEYS);
  const [, existing] = await Promise.all([
    done,
    result<unknown>(store.get(KEY_NAME)).then((found) => {
      if (found === undefined) store.put(pair, KEY_NAME);
      return found;
    }),
  ]).catch((cause: unknown) => {
    throw new KeyError("Cannot keep a key in this browser", { cause });
  });
  return existing === undefined ? pair : keyPair(existing);
}

function keyPair(value: unknown): CryptoKeyPair {
  const pair = value as Partial<CryptoKeyPair> | null;
  if (pair?.privateKey instanceof CryptoKey && pair.publicKey instanceof CryptoKey) {
    return { privateKey: pair.privateKey, publicKey: pair.publicKey };
  }
  throw new KeyError("Cannot use the stored key: it is not a key pair");
}

/** Asks the browser not to drop what we store when space runs out. It may say no; that is not an error. */
export async function askToPersist(): Promise<boolean> {
  try {
    return await navigator.storage.persisted() || await navigator.storage.persist();
  } catch {
    return false; // no storage manager: an insecure context, or an old browser
  }
}

/** Whether the browser has promised not to drop what we store. Undefined where it does not say. */
export async function isKept(): Promise<boolean | undefined> {
  try {
    return await navigator.storage.persisted();
  } catch {
    return undefined;
  }
}
