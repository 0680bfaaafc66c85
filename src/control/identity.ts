/**
 * Who this device is: its signing key `D`, from which its name follows, and its sealing key `K`, to which browsers seal
 * their offers (security.md 1.4). Both live in the state folder, in files of their own; losing `D` means that everyone
 * must pair again.
 */
import { mkdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Bytes, toHex, utf8 } from "../lib/bytes.ts";
import { sha256 } from "../trust/digest.ts";
import { createSigner, generateSigningKey, type Signer } from "../trust/ed25519.ts";
import type { SealingKey } from "../trust/handshake.ts";
import { deviceId, deviceIdText, keyId } from "../trust/key_id.ts";
import { generateExchangeKey } from "../trust/seal.ts";
import {
  exportKey,
  importKey,
  type KeyAlgorithm,
  KeyFileError,
  readKeyFile,
  type StoredKey,
  writeKeyFile,
} from "./key_file.ts";

const SIGNING_FILE = "device_key.json";
const SEALING_FILE = "sealing_keys.json";

const PASS_DOMAIN = utf8("porthole/pass-secret/v1");

const REMEDIES: Readonly<Record<string, string>> = {
  [SIGNING_FILE]: "Restore it from a backup; if there is none, remove it: the device then gets " +
    "a new identity, and everyone must pair again",
  [SEALING_FILE]: "Remove it: a new one is made, and everyone stays paired",
};

/** Words for what the file system says. */
const CAUSES: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOENT: "the file system takes no folder there", // folders above are made too: /proc and the like
  ENOTDIR: "a part of the path is not a folder",
  EEXIST: "a part of the path is not a folder",
  ENOSPC: "the disk is full",
  NotCapable: "porthole may not write there", // Deno, once porthole has given up what it does not need
};

/** The device's keys, ready to use; none of them can be read out. */
export class Identity {
  readonly signer: Signer;
  /** 16 bytes. */
  readonly id: Bytes;
  /** The id as people and host names carry it: 26 characters. */
  readonly name: string;
  /** SHA-256 of the signing key, in groups of four digits: to compare by eye, with a backup or another screen. */
  readonly fingerprint: string;
  /** Key id of the signing key: what grants of the device name as their issuer. 8 bytes. */
  readonly keyId: Bytes;
  /**
   * 32 bytes from which everybody's pass is made (`src/trust/pass.ts`). Drawn from the signing key, whose signatures are
   * the same each time (RFC 8032 5.1.6): no file more to keep, to back up and to lose. The text signed is nothing else's.
   */
  readonly passSecret: Bytes;
  readonly #folder: string;
  #sealing: readonly SealingKey[];

  private constructor(
    signer: Signer,
    own: {
      id: Bytes;
      fingerprint: string;
      keyId: Bytes;
      passSecret: Bytes;
      folder: string;
      sealing: readonly SealingKey[];
    },
  ) {
    this.signer = signer;
    this.id = own.id;
    this.name = deviceIdText(own.id);
    this.fingerprint = own.fingerprint;
    this.keyId = own.keyId;
    this.passSecret = own.passSecret;
    this.#folder = own.folder;
    this.#sealing = own.sealing;
  }

  /**
   * Loads the identity from the state folder, and makes what is missing there. Rejects with an error that tells a
   * person what to do if the folder cannot be written or a file is damaged.
   */
  static async load(folder: string): Promise<Identity> {
    await inFolder(folder, () => mkdir(folder, { recursive: true, mode: 0o700 }));
    const [stored] = await loadOrMake(folder, SIGNING_FILE);
    const { pair } = await usable(folder, SIGNING_FILE, stored!); // a file has one key at least
    const signer = await createSigner(pair);
    return new Identity(signer, {
      id: await deviceId(signer.publicKey),
      fingerprint: toHex(await sha256(signer.publicKey)).replace(/....(?!$)/g, "$& "),
      keyId: await keyId(signer.publicKey),
      passSecret: await sha256(PASS_DOMAIN, await signer.sign(PASS_DOMAIN)),
      folder,
      sealing: await loadSealing(folder),
    });
  }

  /** The sealing key of now, and the one before, to which offers may still be on their way. */
  get sealing(): readonly SealingKey[] {
    return this.#sealing;
  }

  /** When the current sealing key was made, by the system's clock of that time: Unix seconds. */
  async sealingKeyMadeAt(): Promise<number> {
    return Math.floor((await stat(join(this.#folder, SEALING_FILE))).mtimeMs / 1000);
  }

  /** Makes a new sealing key; the one before the current one is forgotten. A new presence must go out after. */
  async rotateSealingKey(): Promise<void> {
    const [current] = await loadOrMake(this.#folder, SEALING_FILE);
    const next = await makeKey("X25519", current!.epoch + 1); // a file has one key at least
    const content = { algorithm: "X25519" as const, keys: [next, current!] };
    await inFolder(this.#folder, () => writeKeyFile(join(this.#folder, SEALING_FILE), content));
    this.#sealing = await loadSealing(this.#folder);
  }
}

async function loadSealing(folder: string): Promise<readonly SealingKey[]> {
  const stored = await loadOrMake(folder, SEALING_FILE);
  return await Promise.all(stored.map(async (key) => ({
    epoch: key.epoch,
    ...await usable(folder, SEALING_FILE, key),
  })));
}

async function loadOrMake(folder: string, file: string): Promise<readonly StoredKey[]> {
  const path = join(folder, file);
  const algorithm = algorithmOf(file);
  const found = await readable(path, () => readKeyFile(path, algorithm));
  if (found !== undefined) return found;
  const keys = [await makeKey(algorithm, 1)];
  await inFolder(folder, () => writeKeyFile(path, { algorithm, keys }));
  return keys;
}

async function makeKey(algorithm: KeyAlgorithm, epoch: number): Promise<StoredKey> {
  const pair = algorithm === "Ed25519"
    ? await generateSigningKey(true)
    : (await generateExchangeKey(true)).pair;
  return await exportKey(pair, epoch);
}

function algorithmOf(file: string): KeyAlgorithm {
  return file === SIGNING_FILE ? "Ed25519" : "X25519";
}

function usable(folder: string, file: string, key: StoredKey): ReturnType<typeof importKey> {
  return readable(join(folder, file), () => importKey(key, algorithmOf(file)));
}

async function readable<Result>(path: string, step: () => Promise<Result>): Promise<Result> {
  try {
    return await step();
  } catch (cause) {
    const remedy = cause instanceof KeyFileError
      ? REMEDIES[basename(path)]
      : "Give the user that runs porthole read access, or name another folder with --state";
    throw new Error(`Cannot read the device's keys in '${path}': ${words(cause)}. ${remedy}`, {
      cause,
    });
  }
}

async function inFolder<Result>(folder: string, step: () => Promise<Result>): Promise<Result> {
  try {
    return await step();
  } catch (cause) {
    throw new Error(
      `Cannot create the device's identity in '${folder}': ${words(cause)}. ` +
        "Give the user that runs porthole write access, or name another folder with --state",
      { cause },
    );
  }
}

function words(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = "code" in cause ? String(cause.code) : "";
  return CAUSES[code] ?? CAUSES[cause.name] ?? cause.message;
}
