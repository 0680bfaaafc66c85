/**
 * What scripts wrote to `document.cookie` or `cookieStore`, on its way to the agent: the body of a POST to
 * `COOKIES_PATH`, answered with 204 and the state. Pure.
 *
 *   [[path, date, line], ...]      path of the document, its clock in ms since 1970, what was assigned
 */
import { MAX_COOKIE_BYTES } from "./cookie.ts";
import { parseJson } from "./json.ts";

/** Lines of one POST. */
export const MAX_WRITES = 64;

/** Characters of a line: name, value and as much again of attributes. Browsers ignore what is longer. */
export const MAX_LINE_CHARACTERS = 2 * MAX_COOKIE_BYTES;

/** Characters of a document's path. */
const MAX_PATH_CHARACTERS = 8192;

/** Bytes of such a body. */
export const MAX_WRITES_BYTES = 1 << 20;

/** One assignment. */
export interface CookieWrite {
  readonly path: string;
  readonly date: number;
  readonly line: string;
}

/** Writes a body of at most `MAX_WRITES` writes. */
export function encodeCookieWrites(writes: readonly CookieWrite[]): string {
  return JSON.stringify(writes.map(({ path, date, line }) => [path, date, line]));
}

/** Reads a body; undefined for what is none. */
export function parseCookieWrites(text: string): CookieWrite[] | undefined {
  const rows = parseJson(text);
  if (!Array.isArray(rows) || rows.length > MAX_WRITES) return undefined;
  const writes = rows.map((row: unknown) => {
    if (!Array.isArray(row) || row.length !== 3) return undefined;
    const [path, date, line] = row as unknown[];
    return readCookieWrite({ path, date, line });
  });
  return writes.every((write) => write !== undefined) ? writes : undefined;
}

/** Checks one write; undefined for what is none. */
export function readCookieWrite(
  { path, date, line }: { path?: unknown; date?: unknown; line?: unknown },
): CookieWrite | undefined {
  if (typeof path !== "string" || !path.startsWith("/")) return undefined;
  if (path.length > MAX_PATH_CHARACTERS) return undefined;
  if (typeof date !== "number" || !Number.isFinite(date)) return undefined;
  if (typeof line !== "string" || line.length > MAX_LINE_CHARACTERS) return undefined;
  return { path, date, line };
}
