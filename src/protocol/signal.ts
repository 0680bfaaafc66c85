/**
 * Messages between the rendezvous and its two kinds of client, as JSON in WebSocket text messages. The rendezvous is
 * untrusted: whatever matters travels in `sealed`, which it cannot read, and in `presence`, which it cannot forge.
 *
 *   device                      rendezvous                      browser
 *     | -- connect /v1/device -----> |                              |
 *     | <-- challenge -------------- |                              |
 *     | -- register ---------------> |                              |
 *     | <-- registered ------------- |                              |
 *     | -- people -----------------> |                              |
 *     |                              | <-- connect /v1/browser ---- |
 *     |                              | <-- find ------------------- |
 *     |                              | -- found | absent ---------> |
 *     | <-- deliver (peer) --------- | <-- send ------------------- |   M1, then M3 ...
 *     | -- send (peer) ------------> | -- deliver ----------------> |   M2, then M3 ...
 *     | <-- gone (peer) ------------ |                              |
 *
 * All byte strings are base64url without padding. A peer number is chosen by the rendezvous, per device connection.
 * Each message has exactly the fields below: another version is another path, not another field.
 */
import { type Bytes, concat, utf8 } from "../lib/bytes.ts";

/** Length of a whole message, in characters: the largest sealed payload in base64url, and room for the rest. */
export const MAX_SIGNAL_LENGTH = 16 * 1024;
/** M1 is padded to 4 KiB at most and M2 is smaller (security.md 1.4); twice that leaves room for its envelope. */
export const MAX_SEALED_BYTES = 8 * 1024;
/** M0 is a COSE_Sign1, which may have 1024 bytes (security.md 1.2), and what names its keys. */
export const MAX_PRESENCE_BYTES = 2 * 1024;
/** More servers only slow ICE down: browsers warn from five on. */
export const MAX_ICE_SERVERS = 8;
/** What a rendezvous is told of a tag (trust/pass.ts): enough that nobody guesses one. */
export const SHORT_TAG_BYTES = 8;
/** As many as a device knows people (control/passes.ts): 10,923 characters. */
export const MAX_SHORT_TAGS = 1024;
export const NONCE_BYTES = 32;
const KEY_BYTES = 32; // RFC 8032 5.1.5
const SIGNATURE_BYTES = 64; // RFC 8032 5.1.6
const MAX_ICE_TEXT = 256; // characters of a URL, user name or credential; coturn's own are below 100

/** A STUN or TURN server as both ends get it. */
export interface IceServerEntry {
  readonly urls: string;
  readonly username?: string;
  readonly credential?: string;
}

/** Why the rendezvous refuses or drops. */
export type RefusalCode =
  | "malformed"
  | "too_large"
  | "too_many"
  | "bad_signature"
  | "already_registered"
  | "unknown_peer"
  | "internal";

export type ToDevice =
  | { readonly type: "challenge"; readonly nonce: string }
  | {
    readonly type: "registered";
    readonly iceServers: readonly IceServerEntry[];
    /** Origin of the shell that this rendezvous serves, for links that the device shows to people. */
    readonly shell: string;
  }
  | { readonly type: "ice-servers"; readonly iceServers: readonly IceServerEntry[] }
  | { readonly type: "deliver"; readonly peer: number; readonly sealed: string }
  | { readonly type: "gone"; readonly peer: number }
  | { readonly type: "refused"; readonly code: RefusalCode };

export type FromDevice =
  | {
    readonly type: "register";
    /** The device's Ed25519 public key; its id is derived from it. */
    readonly key: string;
    /** Over `registrationText(nonce, key)`. */
    readonly signature: string;
    /** M0, handed to every browser that asks. */
    readonly presence: string;
  }
  | { readonly type: "presence"; readonly presence: string }
  /** Short tags, one after the other: offers that begin with one of them are let through before strangers'. */
  | { readonly type: "people"; readonly tags: string }
  | { readonly type: "send"; readonly peer: number; readonly sealed: string };

export type ToBrowser =
  | {
    readonly type: "found";
    readonly device: string;
    readonly presence: string;
    readonly iceServers: readonly IceServerEntry[];
  }
  | { readonly type: "absent"; readonly device: string }
  | { readonly type: "deliver"; readonly device: string; readonly sealed: string }
  | { readonly type: "refused"; readonly code: RefusalCode };

export type FromBrowser =
  | { readonly type: "find"; readonly device: string }
  | { readonly type: "send"; readonly device: string; readonly sealed: string };

/**
 * What a device signs to register: the domain, the rendezvous' nonce, the key itself. It names no rendezvous, so a
 * hostile one may pass a challenge on and register the device elsewhere; it gains sealed mail it cannot read.
 */
export function registrationText(nonce: Bytes, key: Bytes): Bytes {
  return concat(utf8("porthole/register/v1"), nonce, key);
}

type Check = (value: unknown) => boolean;
type FieldsOf<Message, Type> = Exclude<keyof Extract<Message, { type: Type }>, "type">;
/** One check per field: the compiler refuses a table that forgets a message or a field. */
type Shapes<Message extends { type: string }> = {
  readonly [Type in Message["type"]]: { readonly [Field in FieldsOf<Message, Type>]: Check };
};

// Canonical base64url: groups of four, then a tail whose unused bits are zero (RFC 4648 3.5).
const BASE64URL = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/;
const DEVICE_ID = /^[a-z2-7]{26}$/; // base32 of 16 bytes (trust/key_id.ts)
const ORIGIN = /^https?:\/\/[a-z0-9.[\]:-]{1,255}$/; // RFC 6454 6.1, as browsers write it
// RFC 7064 3.1 and RFC 7065 3.1, narrowed to what browsers take.
const ICE_URL = /^(?:stuns?|turns?):[A-Za-z0-9.:[\]-]+(?:\?transport=(?:udp|tcp))?$/;
const REFUSAL_CODES: ReadonlySet<unknown> = new Set<RefusalCode>([
  "malformed",
  "too_large",
  "too_many",
  "bad_signature",
  "already_registered",
  "unknown_peer",
  "internal",
]);

const isKey = exactBytes(KEY_BYTES);
const isPresence = atMostBytes(MAX_PRESENCE_BYTES);
const isSealed = atMostBytes(MAX_SEALED_BYTES);

const TO_DEVICE: Shapes<ToDevice> = {
  challenge: { nonce: exactBytes(NONCE_BYTES) },
  registered: { iceServers: isIceServers, shell: isOrigin },
  "ice-servers": { iceServers: isIceServers },
  deliver: { peer: isPeer, sealed: isSealed },
  gone: { peer: isPeer },
  refused: { code: isRefusalCode },
};

const FROM_DEVICE: Shapes<FromDevice> = {
  register: { key: isKey, signature: exactBytes(SIGNATURE_BYTES), presence: isPresence },
  presence: { presence: isPresence },
  people: { tags: areShortTags },
  send: { peer: isPeer, sealed: isSealed },
};

const TO_BROWSER: Shapes<ToBrowser> = {
  found: { device: isDevice, presence: isPresence, iceServers: isIceServers },
  absent: { device: isDevice },
  deliver: { device: isDevice, sealed: isSealed },
  refused: { code: isRefusalCode },
};

const FROM_BROWSER: Shapes<FromBrowser> = {
  find: { device: isDevice },
  send: { device: isDevice, sealed: isSealed },
};

/** Reads a message that the rendezvous sent to a device; undefined for anything else. */
export function parseToDevice(text: string): ToDevice | undefined {
  return parse<ToDevice>(text, TO_DEVICE);
}

/** Reads a message of a device; undefined for anything else. */
export function parseFromDevice(text: string): FromDevice | undefined {
  return parse<FromDevice>(text, FROM_DEVICE);
}

/** Reads a message that the rendezvous sent to a browser; undefined for anything else. */
export function parseToBrowser(text: string): ToBrowser | undefined {
  return parse<ToBrowser>(text, TO_BROWSER);
}

/** Reads a message of a browser; undefined for anything else. */
export function parseFromBrowser(text: string): FromBrowser | undefined {
  return parse<FromBrowser>(text, FROM_BROWSER);
}

function parse<Message extends { type: string }>(
  text: string,
  shapes: Readonly<Record<string, Readonly<Record<string, Check>>>>,
): Message | undefined {
  if (text.length > MAX_SIGNAL_LENGTH) return undefined;
  const value = readJson(text);
  if (!isRecord(value) || typeof value.type !== "string") return undefined;
  if (!Object.hasOwn(shapes, value.type)) return undefined;
  const { type: _, ...fields } = value;
  return hasShape(fields, shapes[value.type]!) ? value as Message : undefined;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // what is not JSON is not a message: the caller tells the sender
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Exactly these fields, each passing its check. */
function hasShape(
  fields: Record<string, unknown>,
  shape: Readonly<Record<string, Check>>,
): boolean {
  const names = Object.keys(shape);
  return Object.keys(fields).length === names.length &&
    names.every((name) => Object.hasOwn(fields, name) && shape[name]!(fields[name]));
}

function exactBytes(length: number): Check {
  const characters = Math.ceil((length * 4) / 3);
  return (value) =>
    typeof value === "string" && value.length === characters && BASE64URL.test(value);
}

function atMostBytes(limit: number): Check {
  const characters = Math.ceil((limit * 4) / 3);
  return (value) =>
    typeof value === "string" && value.length > 0 && value.length <= characters &&
    BASE64URL.test(value);
}

function areShortTags(value: unknown): boolean {
  return atMostBytes(MAX_SHORT_TAGS * SHORT_TAG_BYTES)(value) &&
    Math.floor((value as string).length * 3 / 4) % SHORT_TAG_BYTES === 0;
}

function isPeer(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isDevice(value: unknown): boolean {
  return typeof value === "string" && DEVICE_ID.test(value);
}

function isRefusalCode(value: unknown): boolean {
  return REFUSAL_CODES.has(value);
}

function isOrigin(value: unknown): boolean {
  return typeof value === "string" && ORIGIN.test(value);
}

function isIceServers(value: unknown): boolean {
  return Array.isArray(value) && value.length <= MAX_ICE_SERVERS && value.every(isIceServer);
}

function isIceServer(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { urls, username, credential, ...unknown } = value;
  if (Object.keys(unknown).length > 0 || !isShortText(urls) || !ICE_URL.test(urls)) return false;
  return [username, credential].every((text) => text === undefined || isShortText(text));
}

function isShortText(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_ICE_TEXT;
}
