/**
 * THE Ed25519 predicate. Verifiers disagree about odd keys and signatures (security.md 3.1), so every signature, on the
 * device and in the browser, is verified here and nowhere else. Signing is WebCrypto's own.
 */
import { getPublicKeyAsync, Point, verifyAsync } from "@noble/ed25519";
import { type Bytes, concat } from "../lib/bytes.ts";

export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** Whether `signature` is the key's over `message`. False for every defect; never throws. */
export async function verify(
  publicKey: Bytes,
  message: Bytes,
  signature: Bytes,
): Promise<boolean> {
  if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  if (!isSoundPoint(publicKey) || !isSoundPoint(signature.subarray(0, 32))) return false;
  try {
    return await verifyAsync(signature, message, publicKey, { zip215: false });
  } catch {
    return false; // noble throws for some encodings and answers false for others: one verdict for both
  }
}

/**
 * Whether the bytes are a point that an honest signer could have made: canonical, of full order and without a torsion
 * component. The last one refuses mixed-order points too, on which cofactored verifiers and others differ.
 */
export function isSoundPoint(encoded: Uint8Array): boolean {
  try {
    const point = Point.fromBytes(encoded, false);
    return !point.isSmallOrder() && point.isTorsionFree();
  } catch {
    return false; // not a point, or not its canonical encoding
  }
}

/** A private key that can be used and not seen. */
export interface Signer {
  readonly publicKey: Bytes;
  sign(message: Bytes): Promise<Bytes>;
}

/** A new Ed25519 key. In a browser it is never extractable; a device must write its own to disk once. */
export async function generateSigningKey(extractable: boolean): Promise<CryptoKeyPair> {
  const keys = await crypto.subtle.generateKey({ name: "Ed25519" }, extractable, [
    "sign",
    "verify",
  ]);
  return keys as CryptoKeyPair; // Ed25519 always gives a pair; some type libraries say "or a key"
}

/** A private key (RFC 8032 5.1.5: any 32 bytes) as PKCS #8 wraps it (RFC 8410 7). */
const PKCS8_HEAD = new Uint8Array([
  0x30,
  0x2e,
  0x02,
  0x01,
  0x00,
  0x30,
  0x05,
  0x06,
  0x03,
  0x2b,
  0x65,
  0x70,
  0x04,
  0x22,
  0x04,
  0x20,
]);

/** The signer whose private key is this secret of 32 bytes. */
export async function signerFromSeed(seed: Bytes): Promise<Signer> {
  const pkcs8 = concat(PKCS8_HEAD, seed);
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
  return signerOf(key, new Uint8Array(await getPublicKeyAsync(seed)));
}

/** The key as a signer. */
export async function createSigner(keys: CryptoKeyPair): Promise<Signer> {
  const publicKey = await crypto.subtle.exportKey("raw", keys.publicKey);
  return signerOf(keys.privateKey, new Uint8Array(publicKey));
}

function signerOf(key: CryptoKey, publicKey: Bytes): Signer {
  return {
    publicKey,
    async sign(message) {
      return new Uint8Array(await crypto.subtle.sign({ name: "Ed25519" }, key, message));
    },
  };
}
