/** Hashes and random bytes by WebCrypto: the same on the device and in the browser. */
import { type Bytes, concat, utf8 } from "../lib/bytes.ts";

/** SHA-256 over the parts joined: 32 bytes. Parts of changing length must be told apart by the caller. */
export async function sha256(...parts: readonly Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concat(...parts)));
}

/** HMAC-SHA-256 (RFC 2104) over the parts joined: 32 bytes. */
export async function hmacSha256(key: Bytes, ...parts: readonly Uint8Array[]): Promise<Bytes> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, concat(...parts)));
}

/** 32 bytes drawn from a secret for one purpose: HKDF-SHA-256 (RFC 5869) without salt. */
export async function hkdfSha256(secret: Bytes, label: string): Promise<Bytes> {
  const base = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const salt = new Uint8Array();
  const derivation = { name: "HKDF", hash: "SHA-256", salt, info: utf8(label) };
  return new Uint8Array(await crypto.subtle.deriveBits(derivation, base, 256));
}

/** Unguessable bytes. */
export function randomBytes(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}
