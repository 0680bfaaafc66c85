/** What service worker and agent tell each other in heads: put in here, taken out here, never shown to a page. Pure. */
import { COOKIES_HEADER } from "../../src/protocol/cookie_state.ts";
import {
  ELSEWHERE_HEADER,
  HOLDER_HEADER,
  OWN_HEADER_PREFIX,
  type ResponseHead,
} from "../../src/protocol/http.ts";
import { LOGIN_HEADER, type LoginQuestion, parseLoginQuestion } from "../../src/protocol/login.ts";
import type { StreamHead } from "./port_messages.ts";

/** From a page's script to its service worker: the number of the last cookie that it wrote and nobody confirmed. */
export const WRITE_HEADER = `${OWN_HEADER_PREFIX}write`;

/** A head as the page may see it, and what the agent said beside it. */
export interface OwnWords {
  readonly head: ResponseHead;
  /** The state of the cookies that scripts may see, if it is another than the one that was named. */
  readonly cookies: string | undefined;
  readonly question: LoginQuestion | undefined;
  /** Whose answer it is, for the cache. */
  readonly holder: string | undefined;
  /** Where a redirect leads that leaves this service for another one of the device. */
  readonly elsewhere: Elsewhere | undefined;
}

/** A page of another service of the same device. */
export interface Elsewhere {
  readonly service: string;
  /** Begins with "/". */
  readonly path: string;
}

/** Says which state of the cookies this side has. */
export function withCookieTag(head: StreamHead, tag: string): StreamHead {
  return { ...head, headers: [...head.headers.filter(isNotState), [COOKIES_HEADER, tag]] };
}

/** Takes apart what an agent answered. */
export function takeOwnWords(head: ResponseHead): OwnWords {
  const find = (wanted: string) =>
    head.headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  const question = find(LOGIN_HEADER);
  return {
    head: { status: head.status, headers: head.headers.filter(isNotOwn) },
    cookies: find(COOKIES_HEADER),
    question: question === undefined ? undefined : parseLoginQuestion(question),
    holder: find(HOLDER_HEADER),
    elsewhere: readElsewhere(find(ELSEWHERE_HEADER)),
  };
}

function readElsewhere(text: string | undefined): Elsewhere | undefined {
  const [, service, path] = /^([a-z0-9][a-z0-9-]{0,31}) (\/.*)$/.exec(text ?? "") ?? [];
  return service === undefined || path === undefined ? undefined : { service, path };
}

/** The number in `WRITE_HEADER`; 0 without one. */
export function writeNumber(headers: { get(name: string): string | null }): number {
  const number = Number(headers.get(WRITE_HEADER) ?? 0);
  return Number.isSafeInteger(number) && number > 0 ? number : 0;
}

function isNotState([name]: readonly [string, string]): boolean {
  return name.toLowerCase() !== COOKIES_HEADER;
}

function isNotOwn([name]: readonly [string, string]): boolean {
  return !name.toLowerCase().startsWith(OWN_HEADER_PREFIX);
}
