/**
 * THE Ed25519 predicate. Verifiers disagree about odd keys and signatures (security.md 3.1), so every signature, on the
 * device and in the browser, is verified here and nowhere else. Signing is WebCrypto's own.
 */
import { Point, verifyAsync } from "@noble/ed25519";
import type { Bytes } from "../lib/bytes.ts";

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

/** The key as a signer. */
export async function createSigner(keys: CryptoKeyPair): Promise<Signer> {
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey));
  return {
    publicKey,
    async sign(message) {
      const signature = await crypto.subtle.sign({ name: "Ed25519" }, keys.privateKey, message);
      return new Uint8Array(signature);
    },
  };
}
