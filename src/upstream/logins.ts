/**
 * What one person has logged in to at one service by Basic or Digest, and the answers to its challenges. In memory only.
 * A password that the service refuses is forgotten at once: it is never offered twice.
 *
 *   401 --challenged--> ask (no password, or it was refused) | retry (there is one, or only its nonce was too old) | pass
 */
import { randomBytes } from "node:crypto";
import {
  type AuthMethod,
  basicAuthorization,
  digestAuthorization,
  type DigestMethod,
  fromByteString,
  nextNonce,
  parseChallenges,
  pickMethod,
  toByteString,
  type UserPassword,
} from "../lib/http_auth.ts";
import type { Header } from "../protocol/http.ts";
import type { LoginAnswer, LoginQuestion } from "../protocol/login.ts";
import { LOGIN_SPACES, LOGINS, STALE_RETRIES } from "./limits.ts";

/** As much of a request as an answer to a challenge is about. */
export interface Asked {
  readonly method: string;
  readonly path: string;
}

/** A password that went along with a request. */
export interface Offer {
  readonly realm: string;
  readonly login: Login;
  readonly nonce: string | undefined;
  /** Value of the Authorization header: a secret. */
  readonly value: string;
}

/** What to do about a 401. */
export type Verdict =
  | { readonly type: "retry"; readonly offer: Offer }
  | { readonly type: "ask"; readonly question: LoginQuestion }
  /** Nothing that a password would help with. */
  | { readonly type: "pass" };

/** One area of the service. */
interface Login {
  readonly who: UserPassword;
  readonly clientNonce: string;
  method: AuthMethod | undefined;
  /** Uses of the nonce. */
  count: number;
  /** Whether the service has taken this password yet. */
  accepted: boolean;
  /** Path prefixes for which it is sent unasked (RFC 7617 2.2, RFC 7616 3.3 "domain"). */
  readonly spaces: Set<string>;
}

/** See the head of this file. */
export class Logins {
  /** By realm as text; the longest unused first. */
  readonly #logins = new Map<string, Login>();

  get size(): number {
    return this.#logins.size;
  }

  /** Keeps a person's answer. It is tried with the next request. */
  keep({ realm, user, password }: LoginAnswer): void {
    this.#logins.delete(realm);
    this.#logins.set(realm, {
      who: { user: toByteString(user), password: toByteString(password) },
      clientNonce: randomBytes(16).toString("hex"),
      method: undefined,
      count: 0,
      accepted: false,
      spaces: new Set(),
    });
    for (const oldest of this.#logins.keys()) {
      if (this.#logins.size <= LOGINS) return;
      this.#logins.delete(oldest);
    }
  }

  clear(): void {
    this.#logins.clear();
  }

  /** The password for a path that belongs to an area that asked before. */
  offer(asked: Asked): Offer | undefined {
    let best: { realm: string; login: Login; length: number } | undefined;
    for (const [realm, login] of this.#logins) {
      for (const space of login.spaces) {
        const isBetter = asked.path.startsWith(space) && space.length > (best?.length ?? 0);
        if (isBetter) best = { realm, login, length: space.length };
      }
    }
    return best && makeOffer(best.realm, best.login, asked);
  }

  /** Takes the headers of a 401. `retries` counts those that `asked` has cost already. */
  challenged(
    headers: readonly Header[],
    { asked, offer, retries }: { asked: Asked; offer: Offer | undefined; retries: number },
  ): Verdict {
    const method = pickMethod(parseChallenges(valuesOf(headers, "www-authenticate")));
    if (method === undefined) return { type: "pass" };
    const realm = realmText(method.realm);
    const login = this.#logins.get(realm);
    const isSame = login !== undefined && offer?.login === login;
    if (login !== undefined && (!isSame || isRenewed(method, { offer, retries }))) {
      enter(login, method, asked.path);
      const next = makeOffer(realm, login, asked);
      if (next !== undefined) return { type: "retry", offer: next };
    }
    const isStale = method.type === "digest" && method.stale;
    if (isSame && login.accepted && isStale) { // requests in parallel age the nonce faster than one can follow
      return { type: "ask", question: { realm, refused: false } };
    }
    this.#logins.delete(realm);
    const refused = offer?.realm === realm;
    return { type: "ask", question: { realm, refused } };
  }

  /** The service answered with something else than 401. */
  accepted({ login }: Offer, headers: readonly Header[]): void {
    login.accepted = true;
    const nonce = valuesOf(headers, "authentication-info").map(nextNonce).at(0);
    if (nonce === undefined || login.method?.type !== "digest") return;
    renew(login, { ...login.method, nonce });
  }
}

/** Whether the password may be right and only the nonce was too old. Not every server says so (RFC 7616 3.3, "stale"). */
function isRenewed(
  method: AuthMethod,
  { offer, retries }: { offer: Offer | undefined; retries: number },
): boolean {
  if (method.type !== "digest" || method.nonce === offer?.nonce) return false;
  return method.stale ? retries < STALE_RETRIES : offer?.login.accepted === true && retries === 0;
}

function makeOffer(realm: string, login: Login, asked: Asked): Offer | undefined {
  const { method, who, clientNonce } = login;
  if (method === undefined) return undefined;
  if (method.type === "basic") {
    return { realm, login, nonce: undefined, value: basicAuthorization(who) };
  }
  const use = { method: asked.method, uri: asked.path, count: ++login.count, clientNonce };
  const value = digestAuthorization(method, who, use);
  return { realm, login, nonce: method.nonce, value };
}

function enter(login: Login, method: AuthMethod, path: string): void {
  if (method.type === "digest") renew(login, method);
  else login.method = method;
  const spaces = method.type === "digest" ? domainOf(method) : [folderOf(path)];
  for (const space of spaces) login.spaces.add(space);
  if (!spaces.some((space) => path.startsWith(space))) login.spaces.add(folderOf(path));
  if (login.spaces.size <= LOGIN_SPACES) return;
  login.spaces.clear();
  login.spaces.add("/");
}

function renew(login: Login, method: DigestMethod): void {
  const before = login.method;
  if (before?.type !== "digest" || before.nonce !== method.nonce) login.count = 0;
  login.method = method;
}

/** The paths of a Digest area; those of other servers are none of ours. */
function domainOf({ domain }: DigestMethod): string[] {
  const paths = (domain ?? "/").split(/\s+/).filter((uri) => /^\/(?!\/)/.test(uri));
  return paths.length === 0 ? ["/"] : paths.slice(0, LOGIN_SPACES);
}

/** All up to the last slash of the path (RFC 7617 2.2). */
function folderOf(path: string): string {
  const bare = path.split("?", 1)[0]!;
  return bare.slice(0, bare.lastIndexOf("/") + 1);
}

/** Bytes as the text that they are in UTF-8, or else in Latin-1, which servers use as well. */
function realmText(bytes: string): string {
  const text = fromByteString(bytes);
  return text.includes("\ufffd") ? bytes : text;
}

function valuesOf(headers: readonly Header[], wanted: string): string[] {
  return headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
}
