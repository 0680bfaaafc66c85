/** A request with a person's cookies and login, sent again where the service wants a password that is known. */
import type { Header, RequestHead, ResponseHead } from "../protocol/http.ts";
import type { LoginQuestion } from "../protocol/login.ts";
import type { Account } from "./account.ts";
import { valueOf } from "./headers.ts";
import { CHALLENGES } from "./limits.ts";
import type { Offer } from "./logins.ts";

const IS_SET_COOKIE = /^set-cookie2?$/i;

/** One answer of a service. */
export interface Attempt<T> {
  readonly head: ResponseHead;
  readonly result: T;
  /** It is of no use: lets go of what it holds. */
  discard(): void;
}

/** The last answer; cookies are taken, and its headers have none. */
export interface Settled<T> {
  readonly headers: readonly Header[];
  readonly result: T;
  /** What the person must be asked, if anything would help. */
  readonly question: LoginQuestion | undefined;
}

/**
 * Sends a request until its answer is not a challenge that we can meet. `send` may be called again only if
 * `mayRepeat`. A page that brings its own Authorization answers for itself.
 */
export async function authenticate<T>(
  head: RequestHead,
  { account, mayRepeat, send }: {
    account: Account;
    mayRepeat: boolean;
    send(head: RequestHead): Promise<Attempt<T>>;
  },
): Promise<Settled<T>> {
  const isOurs = valueOf(head.headers, "authorization") === undefined;
  let offer = isOurs ? account.logins.offer(head) : undefined;
  for (let retries = 0;; retries++) {
    const attempt = await send(withAccount(head, account, offer));
    const { status } = attempt.head;
    account.take(attempt.head.headers, head);
    const headers = attempt.head.headers.filter(([name]) => !IS_SET_COOKIE.test(name));
    const settled = { headers, result: attempt.result, question: undefined };
    if (status !== 401 || !isOurs) {
      if (offer !== undefined) account.logins.accepted(offer, headers);
      return settled;
    }
    const verdict = account.logins.challenged(headers, { asked: head, offer, retries });
    if (verdict.type === "pass") return settled;
    if (verdict.type === "ask") return { ...settled, question: verdict.question };
    if (!mayRepeat || retries === CHALLENGES) return settled;
    attempt.discard();
    offer = verdict.offer;
  }
}

/** Cookies are ours alone: what a browser's side says of them is dropped. */
function withAccount(head: RequestHead, account: Account, offer: Offer | undefined): RequestHead {
  const headers = head.headers.filter(([name]) => !/^cookie2?$/i.test(name));
  const cookies = account.cookieHeader(head.path);
  if (cookies !== undefined) headers.push(["Cookie", cookies]);
  if (offer !== undefined) headers.push(["Authorization", offer.value]);
  return { ...head, headers };
}
