/**
 * How the cookies that scripts may see travel from the agent to a page: the state of a jar, with a tag that changes
 * whenever the state does. Pure. A service worker says in each request which tag it has; an answer whose jar has another
 * one brings the state along. So neither side keeps an account of what the other was told.
 *
 *   [tag, [[name, value, path, life, secure], ...], [[name, path, life], ...]]     life in ms or null; the last list holds the
 *                                                                                  names of HttpOnly cookies, if there are any
 */
import type { HiddenCookie, VisibleCookie } from "./cookie_jar.ts";
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
  /** Cookies that they may neither see nor replace. */
  readonly hidden: readonly HiddenCookie[];
}

const TAG = /^[a-z0-9]{1,16}\.\d{1,15}$/;

/** Characters of a state as text: a full jar, each of its characters escaped. */
export const MAX_STATE_CHARACTERS = 48 << 10;

/** Writes a state as JSON: one line without control characters, so that it may stand in a header. */
export function encodeCookieState({ tag, cookies, hidden }: CookieState): string {
  const rows = cookies.map((
    { name, value, path, life, secure },
  ) => [name, value, path, writeLife(life), secure]);
  const names = hidden.map(({ name, path, life }) => [name, path, writeLife(life)]);
  return JSON.stringify([tag, rows, ...(names.length === 0 ? [] : [names])]);
}

function writeLife(life: number | undefined): number | null {
  return life === undefined ? null : Math.max(0, Math.round(life));
}

/** Reads a state; undefined for what is none. */
export function parseCookieState(text: unknown): CookieState | undefined {
  if (typeof text !== "string" || text.length > MAX_STATE_CHARACTERS) return undefined;
  const value = parseJson(text);
  if (!Array.isArray(value) || value.length < 2 || value.length > 3) return undefined;
  const [tag, rows, names = []] = value as unknown[];
  const cookies = readList(rows, readRow);
  const hidden = readList(names, readName);
  return isTag(tag) && cookies && hidden ? { tag, cookies, hidden } : undefined;
}

function readList<T>(rows: unknown, read: (row: unknown[]) => T | undefined): T[] | undefined {
  if (!Array.isArray(rows) || rows.length > MAX_COOKIES) return undefined;
  const list = rows.map((row: unknown) => Array.isArray(row) ? read(row) : undefined);
  return list.every((item) => item !== undefined) ? list : undefined;
}

/** Whether a value is a tag. */
export function isTag(value: unknown): value is string {
  return typeof value === "string" && (value === NO_TAG || TAG.test(value));
}

function readRow(row: unknown[]): VisibleCookie | undefined {
  const [name, value, path, life, secure] = row;
  const hidden = row.length === 5 ? readName([name, path, life]) : undefined;
  if (hidden === undefined || typeof value !== "string") return undefined;
  return { ...hidden, value, secure: secure === true };
}

function readName(row: unknown[]): HiddenCookie | undefined {
  const [name, path, life] = row;
  if (row.length !== 3 || typeof name !== "string" || typeof path !== "string") return undefined;
  if (life !== null && (typeof life !== "number" || !Number.isSafeInteger(life))) return undefined;
  return { name, path, life: life ?? undefined };
}
