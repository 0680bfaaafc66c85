/**
 * Byte strings and their text forms. Pure: the only part of `lib/` that the browser code, `protocol/`
 * and `trust/` may import (ARCHITECTURE.md, import table).
 */

/** Bytes in memory of their own: what WebCrypto and transfer lists accept. */
export type Bytes = Uint8Array<ArrayBuffer>;

const BASE32_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"; // RFC 4648 6, lower case: fit for host names
const HEX_BYTE = /^[0-9a-f]{2}$/i;

/** Joins byte strings into one. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Bytes of a text in UTF-8. */
export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text);
}

/** Whether both hold the same bytes. Time depends on the length only, so that secrets may be compared. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

/** base64url without padding (RFC 4648 5). */
export function toBase64Url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Reads base64url without padding. Throws a SyntaxError for any text that `toBase64Url` would not write. */
export function fromBase64Url(text: string): Bytes {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) {
    throw new SyntaxError("Cannot read base64url: foreign character");
  }
  let binary: string;
  try {
    binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch (cause) {
    throw new SyntaxError("Cannot read base64url: impossible length", { cause });
  }
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  if (toBase64Url(bytes) !== text) {
    throw new SyntaxError("Cannot read base64url: loose bits at the end");
  }
  return bytes;
}

/** base32, lower case, without padding (RFC 4648 6). */
export function toBase32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += BASE32_ALPHABET[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) text += BASE32_ALPHABET[(held << (5 - bits)) & 31];
  return text;
}

/** Reads what `toBase32` writes; throws a SyntaxError for anything else. */
export function fromBase32(text: string): Bytes {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let length = 0;
  let bits = 0;
  let held = 0;
  for (const character of text) {
    const value = BASE32_ALPHABET.indexOf(character);
    if (value < 0) throw new SyntaxError("Cannot read base32: foreign character");
    held = (held << 5) | value;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[length++] = (held >> bits) & 255;
    held &= (1 << bits) - 1;
  }
  if (toBase32(bytes) !== text) {
    throw new SyntaxError("Cannot read base32: impossible length or loose bits");
  }
  return bytes;
}

/** Lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Reads hexadecimal digits, two a byte; throws a SyntaxError for anything else. */
export function fromHex(text: string): Bytes {
  const pairs = text.match(/../g) ?? [];
  if (text.length % 2 !== 0 || !pairs.every((pair) => HEX_BYTE.test(pair))) {
    throw new SyntaxError("Cannot read hexadecimal digits: odd length or foreign character");
  }
  return Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
}
