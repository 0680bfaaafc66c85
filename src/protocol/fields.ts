/**
 * One field of a control message: from `unknown` to a checked value. Whatever cannot be such a field throws a
 * ProtocolError. Who writes `optional` into an object leaves the field out where the peer did.
 */
import { type Bytes, utf8 } from "../lib/bytes.ts";
import { ProtocolError } from "./errors.ts";

/** A map of the wire whose fields nobody looked at yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** Services, cameras, media sections, people: a page cannot show more sensibly. */
export const MAX_LIST = 64;
/** UTF-16 units of what a person configured on the device. */
export const MAX_TITLE = 128;
/** Bytes of what a browser or a lender calls itself or a grant; `src/trust/label.ts` has the same. */
export const MAX_LABEL_BYTES = 64;
/** A signed object: an invite's token has some 250 bytes, with 32 services and 32 cameras 450. */
export const MAX_TOKEN_BYTES = 1024;

const ID = /^[a-z0-9][a-z0-9-]{0,31}$/;
/** Controls, direction overrides and the like, line and paragraph separators. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
/** What `Date` can show, in seconds (ECMA-262 21.4.1.1). */
const MAX_SECONDS = 8.64e12;

/** A map. */
export function record(value: unknown): Fields {
  const plain = typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
  if (plain) return value as Fields;
  throw unreadable("not a map");
}

/** A list, each item read by `read`. */
export function list<T>(value: unknown, read: (item: unknown) => T, most: number = MAX_LIST): T[] {
  if (Array.isArray(value) && value.length <= most) return value.map((item) => read(item));
  throw unreadable(`not a list of at most ${most}`);
}

/** To be spread into an object: `{[name]: …}`, or nothing where the field is absent. */
export function optional<N extends string, T>(
  fields: Fields,
  name: N,
  read: (value: unknown) => T,
): { readonly [K in N]?: T } {
  const value = fields[name];
  if (value === undefined) return {};
  return { [name]: read(value) } as { readonly [K in N]: T }; // a computed name loses its type
}

/** Text that a pattern with both anchors describes. */
export function matching(value: unknown, pattern: RegExp): string {
  if (typeof value === "string" && pattern.test(value)) return value;
  throw unreadable("malformed text");
}

/** Id of a service or camera. */
export function id(value: unknown): string {
  return matching(value, ID);
}

/** Text for people: any characters but controls, since the page shows it as text and logs escape it. */
export function title(value: unknown): string {
  if (typeof value === "string" && value.length <= MAX_TITLE && !/\p{Cc}/u.test(value)) {
    return value;
  }
  throw unreadable("malformed title");
}

/** Text that a stranger may have chosen and others read: nothing in it is invisible or turns the direction around. */
export function line(value: unknown, mostBytes: number): string {
  if (typeof value === "string" && !UNSEEN.test(value) && utf8(value).length <= mostBytes) {
    return value;
  }
  throw unreadable("malformed line of text");
}

/** Name of a browser, a person or a grant. */
export function label(value: unknown): string {
  return line(value, MAX_LABEL_BYTES);
}

/** So many bytes as lower-case hexadecimal digits. */
export function hex(value: unknown, bytes: number): string {
  const text = matching(value, /^[0-9a-f]*$/);
  if (text.length === 2 * bytes) return text;
  throw unreadable(`not ${2 * bytes} hexadecimal digits`);
}

export function uint(value: unknown): number {
  return whole(value, 2 ** 32 - 1);
}

/** Seconds, as a time or a span. */
export function seconds(value: unknown): number {
  return whole(value, MAX_SECONDS);
}

/** A whole number from 0. */
export function whole(value: unknown, most: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most) {
    return value;
  }
  throw unreadable(`not a whole number of at most ${most}`);
}

export function flag(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw unreadable("neither true nor false");
}

export function byteString(value: unknown): Bytes {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  throw unreadable("not bytes");
}

/** A byte string of one length. */
export function exactBytes(value: unknown, length: number): Bytes {
  const bytes = byteString(value);
  if (bytes.length === length) return bytes;
  throw unreadable(`not ${length} bytes`);
}

/** A signed object, read by those who know the signer. */
export function token(value: unknown): Bytes {
  const bytes = byteString(value);
  if (bytes.length > 0 && bytes.length <= MAX_TOKEN_BYTES) return bytes;
  throw unreadable(`not a token of 1 to ${MAX_TOKEN_BYTES} bytes`);
}

/** One of a few words. */
export function oneOf<T extends string>(value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((word) => word === value);
  if (found !== undefined) return found;
  throw unreadable("unknown word");
}

/** Some of a few words, none of them twice. */
export function someOf<T extends string>(value: unknown, allowed: readonly T[]): T[] {
  const words = list(value, (item) => oneOf(item, allowed), allowed.length);
  if (new Set(words).size === words.length) return words;
  throw unreadable("a word comes twice");
}

/** The error for a message that is none; `why` without a word of the message itself. */
export function unreadable(why: string): ProtocolError {
  return new ProtocolError(`Cannot read a control message: ${why}`);
}
