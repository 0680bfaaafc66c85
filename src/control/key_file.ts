/**
 * Private keys on disk, one file for each purpose, readable by nobody else. A file is replaced whole: written beside, flushed,
 * renamed, and the folder flushed, so that a pulled plug leaves the old one or the new one (style.md 5, rule 26).
 *
 *     { "format": "porthole-keys-v1", "algorithm": "Ed25519", "keys": [{ "epoch": 1, "public": …, "private": … }] }
 *
 * Keys are base64url, private ones as PKCS#8. The public half stands there so that a flipped bit shows as damage and not
 * as another identity.
 */
import { chmod, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { type Bytes, equalBytes, fromBase64Url, toBase64Url, toHex, utf8 } from "../lib/bytes.ts";
import { randomBytes } from "../trust/digest.ts";

export type KeyAlgorithm = "Ed25519" | "X25519";

/** One key as it stands in a file. */
export interface StoredKey {
  /** Counts the keys of one purpose. */
  readonly epoch: number;
  readonly public: string;
  readonly private: string;
}

/** The file is there and is not what it should be. */
export class KeyFileError extends Error {
  override name = "KeyFileError";
}

const FORMAT = "porthole-keys-v1";
const MAX_FILE_BYTES = 4096;
const MAX_KEYS = 2;
const OWNER_ONLY = 0o600;
const USAGES: Readonly<Record<KeyAlgorithm, { private: KeyUsage[]; public: KeyUsage[] }>> = {
  Ed25519: { private: ["sign"], public: ["verify"] },
  X25519: { private: ["deriveBits"], public: [] },
};

/** Reads a file of keys; undefined if there is none. Rejects with a KeyFileError if it is damaged. */
export async function readKeyFile(
  path: string,
  algorithm: KeyAlgorithm,
): Promise<readonly StoredKey[] | undefined> {
  let text: string;
  try {
    const { mode, size } = await stat(path);
    if (size > MAX_FILE_BYTES) throw new KeyFileError("it is too long");
    if ((mode & 0o077) !== 0) await chmod(path, OWNER_ONLY); // a backup came back readable by others
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  return parseKeys(text, algorithm);
}

/** Replaces a file of keys, and returns when it would survive a pulled plug. */
export async function writeKeyFile(
  path: string,
  content: { readonly algorithm: KeyAlgorithm; readonly keys: readonly StoredKey[] },
): Promise<void> {
  const text = JSON.stringify({ format: FORMAT, ...content }, undefined, 2) + "\n";
  const beside = `${path}.${toHex(randomBytes(4))}.new`;
  try {
    await writeFlushed(beside, utf8(text));
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  await flushFolder(dirname(path));
}

/** Makes an extractable pair into what a file holds. */
export async function exportKey(pair: CryptoKeyPair, epoch: number): Promise<StoredKey> {
  const publicKey = await crypto.subtle.exportKey("raw", pair.publicKey);
  const privateKey = await crypto.subtle.exportKey("pkcs8", pair.privateKey);
  return {
    epoch,
    public: toBase64Url(new Uint8Array(publicKey)),
    private: toBase64Url(new Uint8Array(privateKey)),
  };
}

/** Makes a stored key usable. Rejects with a KeyFileError if its halves do not belong together. */
export async function importKey(
  stored: StoredKey,
  algorithm: KeyAlgorithm,
): Promise<{ readonly pair: CryptoKeyPair; readonly publicKey: Bytes }> {
  const usages = USAGES[algorithm];
  const name = { name: algorithm };
  try {
    const secret = fromBase64Url(stored.private);
    const publicKey = fromBase64Url(stored.public);
    const readable = await crypto.subtle.importKey("pkcs8", secret, name, true, usages.private);
    const { x } = await crypto.subtle.exportKey("jwk", readable);
    if (!equalBytes(fromBase64Url(x ?? ""), publicKey)) throw new KeyFileError("its halves differ");
    const pair = {
      privateKey: await crypto.subtle.importKey("pkcs8", secret, name, false, usages.private),
      publicKey: await crypto.subtle.importKey("raw", publicKey, name, true, usages.public),
    };
    return { pair, publicKey };
  } catch (cause) {
    if (cause instanceof KeyFileError) throw cause;
    throw new KeyFileError(`it holds no ${algorithm} key`, { cause });
  }
}

function parseKeys(text: string, algorithm: KeyAlgorithm): readonly StoredKey[] {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (cause) {
    throw new KeyFileError("it is not whole", { cause });
  }
  const { format, algorithm: found, keys } = asRecord(file);
  const isKnown = format === FORMAT && found === algorithm;
  if (!isKnown || !Array.isArray(keys) || keys.length < 1 || keys.length > MAX_KEYS) {
    throw new KeyFileError("it has another form");
  }
  return keys.map(parseKey);
}

function parseKey(value: unknown): StoredKey {
  const { epoch, public: publicKey, private: privateKey } = asRecord(value);
  const isKey = typeof epoch === "number" && Number.isSafeInteger(epoch) && epoch > 0 &&
    typeof publicKey === "string" && typeof privateKey === "string";
  if (!isKey) throw new KeyFileError("it has another form");
  return { epoch, public: publicKey, private: privateKey };
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw new KeyFileError("it has another form");
  return value as Readonly<Record<string, unknown>>;
}

async function writeFlushed(path: string, bytes: Bytes): Promise<void> {
  const file = await open(path, "wx", OWNER_ONLY);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
