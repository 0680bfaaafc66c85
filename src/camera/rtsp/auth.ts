/**
 * Answers the challenges of a camera with its password (RFC 2326 uses HTTP's own Basic and Digest). Pure but for the
 * client nonce, which is handed in. How an answer is computed is in `lib/http_auth.ts`.
 */
import {
  type AuthMethod,
  basicAuthorization,
  digestAuthorization,
  fromByteString,
  parseChallenges,
  pickMethod,
  toByteString,
  type UserPassword,
} from "../../lib/http_auth.ts";
import type { Credentials } from "./url.ts";

/** Answers the challenges of one connection. */
export class Authenticator {
  readonly #credentials: UserPassword | undefined;
  readonly #clientNonce: string;
  #method: AuthMethod | undefined;
  #count = 0;
  #accepted = false;

  /** `clientNonce` is a fresh random text of letters and digits. */
  constructor(credentials: Credentials | undefined, clientNonce: string) {
    this.#credentials = credentials && {
      user: toByteString(credentials.user),
      password: toByteString(credentials.password),
    };
    this.#clientNonce = clientNonce;
  }

  /**
   * Takes the challenges of a 401. False: there is no use in asking again, because the credentials
   * were refused, there are none, or no method fits. A password is offered once: cameras lock the
   * account after a few wrong ones.
   */
  challenge(headers: readonly string[]): boolean {
    const method = pickMethod(parseChallenges(headers));
    if (this.#credentials === undefined || method === undefined) return false;
    const refused = this.#method !== undefined && !this.#accepted;
    if (refused && !isRenewed(this.#method!, method)) return false;
    this.#method = method;
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
    const method = this.#method;
    if (method === undefined || this.#credentials === undefined) return undefined;
    if (method.type === "basic") return basicAuthorization(this.#credentials);
    const { method: verb, url } = request;
    const use = { method: verb, uri: toByteString(url), count: ++this.#count };
    const bytes = digestAuthorization(method, this.#credentials, {
      ...use,
      clientNonce: this.#clientNonce,
    });
    return fromByteString(bytes); // messages are written in UTF-8
  }
}

/** The camera says that only the nonce was too old, and names another. */
function isRenewed(before: AuthMethod, now: AuthMethod): boolean {
  return now.type === "digest" && now.stale && before.type === "digest" &&
    before.nonce !== now.nonce;
}
