/**
 * Basic and Digest (RFC 7617, RFC 7616, and RFC 2069 without qop), the client's side: challenges in, the value of an
 * Authorization header out. Pure; HTTP services and RTSP cameras share it. Left out: qop=auth-int and mutual
 * authentication, which nothing on a LAN asks for.
 *
 * All strings are bytes: one character stands for one byte, as heads are read. `toByteString` makes one of text.
 */
import { createHash } from "node:crypto";

/** Characters of one header that are looked at. */
const MAX_CHALLENGE_CHARACTERS = 4096;

/** One challenge of a WWW-Authenticate header. Names are in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

type DigestHash = "md5" | "sha256";

/** Digest as a server wants it. */
export interface DigestMethod {
  readonly type: "digest";
  readonly realm: string;
  readonly hash: DigestHash;
  /** RFC 7616 3.4.2: the session's key is made of both nonces. */
  readonly isSession: boolean;
  /** As the server wrote it, or undefined: RFC 2069 servers do not expect it back. */
  readonly algorithm: string | undefined;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly qop: boolean;
  /** Whether the server says that only the nonce was too old. */
  readonly stale: boolean;
  /** The paths that the same password is for; undefined: the whole server. */
  readonly domain: string | undefined;
}

/** How a server wants to be told a password. */
export type AuthMethod = { readonly type: "basic"; readonly realm: string } | DigestMethod;

/** What a person knows. Both are bytes. */
export interface UserPassword {
  readonly user: string;
  readonly password: string;
}

/** What a Digest answer is about. `count` rises with every use of a nonce; `clientNonce` is fresh random text. */
export interface DigestUse {
  readonly method: string;
  readonly uri: string;
  readonly count: number;
  readonly clientNonce: string;
}

const ALGORITHMS: ReadonlyMap<string, { hash: DigestHash; isSession: boolean }> = new Map([
  ["md5", { hash: "md5", isSession: false }],
  ["md5-sess", { hash: "md5", isSession: true }],
  ["sha-256", { hash: "sha256", isSession: false }],
  ["sha-256-sess", { hash: "sha256", isSession: true }],
]);

/** Text as the bytes of its UTF-8, a character each. */
export function toByteString(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}

/** Bytes, a character each, as the text that they are in UTF-8. */
export function fromByteString(bytes: string): string {
  return new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}

/** The challenges of all WWW-Authenticate headers, in order (RFC 9110 11.6.1). What cannot be read is left out. */
export function parseChallenges(headers: readonly string[]): Challenge[] {
  return headers.flatMap((header) => parseChallenge(header.slice(0, MAX_CHALLENGE_CHARACTERS)));
}

function parseChallenge(text: string): Challenge[] {
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  for (const [, name, quoted, plain, scheme] of text.matchAll(PARAMETER_OR_SCHEME)) {
    if (scheme !== undefined) found.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
    if (name === undefined) continue;
    const value = quoted === undefined ? plain! : quoted.replace(/\\(.)/g, "$1");
    found.at(-1)?.parameters.set(name.toLowerCase(), value);
  }
  return found;
}

const PARAMETER_OR_SCHEME =
  /[\s,]*(?:([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))|([A-Za-z0-9-]+)(?=\s|,|$))/gy;

/** SHA-256 before MD5 before Basic, whatever the order in which the server names them; undefined if none fits. */
export function pickMethod(challenges: readonly Challenge[]): AuthMethod | undefined {
  const methods = challenges.map(readMethod).filter((method) => method !== undefined);
  const digests = methods.filter((method) => method.type === "digest");
  return digests.find(({ hash }) => hash === "sha256") ?? digests[0] ?? methods[0];
}

function readMethod({ scheme, parameters }: Challenge): AuthMethod | undefined {
  if (scheme === "basic") return { type: "basic", realm: parameters.get("realm") ?? "" };
  if (scheme !== "digest") return undefined;
  const algorithm = parameters.get("algorithm");
  const known = ALGORITHMS.get(algorithm?.toLowerCase() ?? "md5");
  const realm = parameters.get("realm");
  const nonce = parameters.get("nonce");
  if (known === undefined || realm === undefined || nonce === undefined) return undefined;
  const offered = parameters.get("qop")?.split(",").map((value) => value.trim().toLowerCase());
  const qop = offered?.includes("auth") ?? false;
  if (offered !== undefined && !qop) return undefined;
  return {
    ...{ type: "digest", realm, nonce, algorithm, ...known, qop },
    opaque: parameters.get("opaque"),
    stale: parameters.get("stale")?.toLowerCase() === "true",
    domain: parameters.get("domain"),
  };
}

/** The value of an Authorization header. */
export function basicAuthorization({ user, password }: UserPassword): string {
  return `Basic ${btoa(`${user}:${password}`)}`;
}

/** The value of an Authorization header (RFC 7616 3.4). */
export function digestAuthorization(
  method: DigestMethod,
  who: UserPassword,
  use: DigestUse,
): string {
  const { realm, nonce, algorithm, opaque, qop } = method;
  const count = use.count.toString(16).padStart(8, "0");
  const between = qop ? `${nonce}:${count}:${use.clientNonce}:auth` : nonce;
  const asked = hashOf(method, `${use.method}:${use.uri}`);
  const response = hashOf(method, `${secretOf(method, who, use)}:${between}:${asked}`);
  const fields = [
    `username=${quote(who.user)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(use.uri)}`,
    `response="${response}"`,
  ];
  if (algorithm !== undefined) fields.push(`algorithm=${algorithm}`);
  if (opaque !== undefined) fields.push(`opaque=${quote(opaque)}`);
  if (qop) fields.push("qop=auth", `nc=${count}`);
  if (qop || method.isSession) fields.push(`cnonce="${use.clientNonce}"`);
  return `Digest ${fields.join(", ")}`;
}

/** RFC 7616 3.4.2. */
function secretOf(
  method: DigestMethod,
  { user, password }: UserPassword,
  { clientNonce }: DigestUse,
): string {
  const secret = hashOf(method, `${user}:${method.realm}:${password}`);
  return method.isSession ? hashOf(method, `${secret}:${method.nonce}:${clientNonce}`) : secret;
}

function hashOf({ hash }: DigestMethod, bytes: string): string {
  return createHash(hash).update(bytes, "latin1").digest("hex");
}

/** The next nonce that a server names in an Authentication-Info header (RFC 7616 3.5); undefined if it names none. */
export function nextNonce(header: string): string | undefined {
  const [challenge] = parseChallenge(`info ${header.slice(0, MAX_CHALLENGE_CHARACTERS)}`);
  return challenge?.parameters.get("nextnonce");
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
