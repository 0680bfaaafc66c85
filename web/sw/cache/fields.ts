/** Header fields that a cache reads (RFC 9111 5, RFC 9110). Pure; hostile input gives the careful answer. */
import { parseCookieDate } from "../../../src/protocol/cookie_date.ts";
import type { Header } from "../../../src/protocol/http.ts";

/** Largest age that is told apart, in seconds (RFC 9111 1.2.2). */
export const MAX_SECONDS = 2 ** 31;

/** Directives by name, lower case; the value is empty where there is none. Of a repeated one the strictest counts. */
export type Directives = ReadonlyMap<string, string>;

const DIRECTIVE = /([!#$%&'*+\-.^_`|~0-9a-z]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/gi;

/** All values of a field in one, as RFC 9110 5.3 combines them; undefined without one. */
export function valueOf(headers: readonly Header[], wanted: string): string | undefined {
  const values = headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) =>
    value
  );
  return values.length === 0 ? undefined : values.join(", ");
}

/** Reads Cache-Control (RFC 9111 5.2). */
export function cacheControl(headers: readonly Header[]): Directives {
  const directives = new Map<string, string>();
  for (const match of (valueOf(headers, "cache-control") ?? "").matchAll(DIRECTIVE)) {
    const [, name = "", quoted, plain] = match;
    const key = name.toLowerCase();
    const value = quoted ?? plain ?? "";
    const before = directives.get(key);
    // Ages, that is: the smaller is the stricter (RFC 9111 4.2.1); min-fresh alone would be stricter if larger.
    const keepsBefore = before !== undefined && (seconds(before) ?? 0) <= (seconds(value) ?? 0);
    if (!keepsBefore) directives.set(key, value);
  }
  return directives;
}

/** A number of seconds (RFC 9111 1.2.2); undefined for what is none. */
export function seconds(value: string | undefined): number | undefined {
  if (value === undefined || !/^\d{1,64}$/.test(value)) return undefined;
  return Math.min(Number(value), MAX_SECONDS);
}

/** A date in ms since 1970; undefined without one, or for what is no date. The loose grammar takes all forms of RFC 9110 5.6.7. */
export function dateOf(headers: readonly Header[], name: string): number | undefined {
  const value = valueOf(headers, name);
  return value === undefined ? undefined : parseCookieDate(value);
}

/** The members of a comma-separated list of tokens, lower case. */
export function tokens(value: string | undefined): string[] {
  return (value ?? "").toLowerCase().split(",").map((token) => token.trim()).filter((token) =>
    token !== ""
  );
}
