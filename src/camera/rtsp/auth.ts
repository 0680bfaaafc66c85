/**
 * Basic and Digest (RFC 7617, RFC 7616 as RTSP uses it). Pure but for the client nonce, which is
 * handed in. Left out: `-sess` algorithms, qop=auth-int, mutual authentication: no camera asks for
 * them.
 */
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import type { Credentials } from "./url.ts";

const MAX_CHALLENGE_CHARACTERS = 4096;

export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

type DigestAlgorithm = "MD5" | "SHA-256";

type Method =
  | { readonly type: "basic" }
  | {
    readonly type: "digest";
    readonly algorithm: DigestAlgorithm;
    /** Whether the camera named it: RFC 2069 servers do not expect it back. */
    readonly named: string | undefined;
    readonly realm: string;
    readonly nonce: string;
    readonly opaque: string | undefined;
    readonly qop: boolean;
  };

/**
 * The challenges of all WWW-Authenticate headers, in order (RFC 9110 11.6.1). What cannot be read
 * is left out.
 */
export function parseChallenges(headers: readonly string[]): Challenge[] {
  return headers.flatMap((header) => parseChallenge(header.slice(0, MAX_CHALLENGE_CHARACTERS)));
}

function parseChallenge(text: string): Challenge[] {
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  const token =
    /\s*,?\s*(?:([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))|([A-Za-z0-9-]+)(?=\s|,|$))/y;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [, name, quoted, plain, scheme] = match;
    if (scheme !== undefined) found.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
    if (name === undefined) continue;
    const value = quoted === undefined ? plain! : quoted.replace(/\\(.)/g, "$1");
    found.at(-1)?.parameters.set(name.toLowerCase(), value);
  }
  return found;
}

/** Answers the challenges of one connection. */
export class Authenticator {
  readonly #credentials: Credentials | undefined;
  readonly #clientNonce: string;
  #method: Method | undefined;
  #count = 0;
  #accepted = false;

  /** `clientNonce` is a fresh random text of letters and digits. */
  constructor(credentials: Credentials | undefined, clientNonce: string) {
    this.#credentials = credentials;
    this.#clientNonce = clientNonce;
  }

  /**
   * Takes the challenges of a 401. False: there is no use in asking again, because the credentials
   * were refused, there are none, or no method fits. A password is offered once: cameras lock the
   * account after a few wrong ones.
   */
  challenge(headers: readonly string[]): boolean {
    const challenges = parseChallenges(headers);
    const strongest = pickMethod(challenges);
    if (this.#credentials === undefined || strongest === undefined) return false;
    const refused = this.#method !== undefined && !this.#accepted;
    if (refused && !(isStale(challenges) && isNewNonce(this.#method!, strongest))) return false;
    this.#method = strongest;
    this.#accepted = false;
    this.#count = 0;
    return true;
  }

  /** The camera took what `authorization` gave: a later 401 is about an old nonce. */
  accepted(): void {
    this.#accepted = true;
  }

  /** Value of the Authorization header; undefined before a challenge. */
  authorization(request: { method: string; url: string }): string | undefined {
    if (this.#method === undefined || this.#credentials === undefined) return undefined;
    if (this.#method.type === "digest") return this.#digest(this.#method, request);
    const { user, password } = this.#credentials;
    return `Basic ${Buffer.from(`${user}:${password}`, "utf8").toString("base64")}`;
  }

  #digest(
    method: Extract<Method, { type: "digest" }>,
    request: { method: string; url: string },
  ): string {
    const { user, password } = this.#credentials!;
    const hash = (text: string) => digestHex(method.algorithm, text);
    const count = (++this.#count).toString(16).padStart(8, "0");
    const secret = hash(`${user}:${method.realm}:${password}`);
    const asked = hash(`${request.method}:${request.url}`);
    const between = method.qop
      ? `${method.nonce}:${count}:${this.#clientNonce}:auth`
      : method.nonce;
    const fields = [
      `username=${quote(user)}`,
      `realm=${quote(method.realm)}`,
      `nonce=${quote(method.nonce)}`,
      `uri=${quote(request.url)}`,
      `response="${hash(`${secret}:${between}:${asked}`)}"`,
    ];
    if (method.named !== undefined) fields.push(`algorithm=${method.algorithm}`);
    if (method.opaque !== undefined) fields.push(`opaque=${quote(method.opaque)}`);
    if (method.qop) fields.push("qop=auth", `nc=${count}`, `cnonce="${this.#clientNonce}"`);
    return `Digest ${fields.join(", ")}`;
  }
}

function isStale(challenges: readonly Challenge[]): boolean {
  return challenges.some((one) => one.parameters.get("stale")?.toLowerCase() === "true");
}

function isNewNonce(before: Method, now: Method): boolean {
  return before.type === "digest" && now.type === "digest" && before.nonce !== now.nonce;
}

/** SHA-256 before MD5 before Basic, whatever the order in which the camera names them. */
function pickMethod(challenges: readonly Challenge[]): Method | undefined {
  const methods = challenges.map(readMethod).filter((method) => method !== undefined);
  const digests = methods.filter((method) => method.type === "digest");
  return digests.find((method) => method.algorithm === "SHA-256") ?? digests[0] ?? methods[0];
}

function readMethod({ scheme, parameters }: Challenge): Method | undefined {
  if (scheme === "basic") return { type: "basic" };
  if (scheme !== "digest") return undefined;
  const named = parameters.get("algorithm");
  const algorithm = named?.toUpperCase() ?? "MD5";
  const realm = parameters.get("realm");
  const nonce = parameters.get("nonce");
  if (algorithm !== "MD5" && algorithm !== "SHA-256") return undefined;
  if (realm === undefined || nonce === undefined) return undefined;
  const offered = parameters.get("qop")?.split(",").map((value) => value.trim().toLowerCase());
  const qop = offered?.includes("auth") ?? false;
  if (offered !== undefined && !qop) return undefined;
  return { type: "digest", algorithm, named, realm, nonce, opaque: parameters.get("opaque"), qop };
}

function digestHex(algorithm: DigestAlgorithm, text: string): string {
  const name = algorithm === "MD5" ? "md5" : "sha256";
  return createHash(name).update(text, "utf8").digest("hex");
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
