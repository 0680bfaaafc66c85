/**
 * How the cookies that scripts may see travel from the agent to a page: the state of a jar, with a tag that changes
 * whenever the state does. Pure. A service worker says in each request which tag it has; an answer whose jar has another
 * one brings the state along. So neither side keeps an account of what the other was told.
 */
import type { VisibleCookie } from "./cookie_jar.ts";
import { MAX_COOKIES } from "./cookie_jar.ts";
import { parseJson } from "./json.ts";

/** In a request: the tag that the service worker has. In an answer: the state, if it is another. */
export const COOKIES_HEADER = "x-porthole-cookies";

/** Of nothing: a jar that never had a cookie, a page that was told of none. */
export const NO_TAG = "-";

/** What scripts may see at one moment. */
export interface CookieState {
  readonly tag: string;
  readonly cookies: readonly VisibleCookie[];
}

const TAG = /^[a-z0-9]{1,16}\.\d{1,15}$/;

/** Characters of a state as text: a full jar, each of its characters escaped. */
export const MAX_STATE_CHARACTERS = 48 << 10;

/** Writes a state as JSON: one line without control characters, so that it may stand in a header. */
export function encodeCookieState({ tag, cookies }: CookieState): string {
  const rows = cookies.map(({ name, value, path, life, secure }) => [
    name,
    value,
    path,
    life === undefined ? null : Math.max(0, Math.round(life)),
    secure,
  ]);
  return JSON.stringify([tag, rows]);
}

/** Reads a state; undefined for what is none. */
export function parseCookieState(text: unknown): CookieState | undefined {
  if (typeof text !== "string" || text.length > MAX_STATE_CHARACTERS) return undefined;
  const value = parseJson(text);
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [tag, rows] = value as unknown[];
  if (!isTag(tag) || !Array.isArray(rows) || rows.length > MAX_COOKIES) return undefined;
  const cookies = rows.map(readRow);
  return cookies.every((cookie) => cookie !== undefined) ? { tag, cookies } : undefined;
}

/** Whether a value is a tag. */
export function isTag(value: unknown): value is string {
  return typeof value === "string" && (value === NO_TAG || TAG.test(value));
}

function readRow(row: unknown): VisibleCookie | undefined {
  if (!Array.isArray(row) || row.length !== 5) return undefined;
  const [name, value, path, life, secure] = row as unknown[];
  if (typeof name !== "string" || typeof value !== "string" || typeof path !== "string") {
    return undefined;
  }
  if (life !== null && (typeof life !== "number" || !Number.isSafeInteger(life))) return undefined;
  return { name, value, path, life: life ?? undefined, secure: secure === true };
}
