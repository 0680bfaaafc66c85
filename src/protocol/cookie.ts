/**
 * One cookie, from the line that sets it (RFC 6265bis 5.6). Pure; shared by the agent's jar and the copy of it in a page.
 *
 * A jar belongs to one service, so there is one host, by whatever names it is known: `Domain` must fit one of them, and
 * leads nowhere else. Every origin counts as secure: the page's own is, whatever the device speaks on its LAN. `SameSite`
 * says nothing here.
 */
import { parseCookieDate } from "./cookie_date.ts";

/** Bytes of name and value together (RFC 6265bis 5.6, step 5). */
export const MAX_COOKIE_BYTES = 4096;

/** Characters of an attribute's value; a longer attribute is as if it was not there (RFC 6265bis 5.6, step 8.5). */
const MAX_ATTRIBUTE_CHARACTERS = 1024;

/** Milliseconds that a cookie lives at most: 400 days (RFC 6265bis 5.5). */
export const MAX_LIFE_MS = 400 * 86_400_000;

// deno-lint-ignore no-control-regex -- the point is to refuse control characters
const CONTROLS = /[\x00-\x08\x0a-\x1f\x7f]/;

/** Where a cookie comes from: an answer of the service, or a script. */
export type CookieSource = "service" | "script";

/** A cookie as its line says it. */
export interface NewCookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  /** Milliseconds from now; 0 or less deletes. Undefined: as long as the session. */
  readonly life: number | undefined;
  readonly secure: boolean;
  readonly httpOnly: boolean;
}

/** What a line is read against. */
export interface CookieContext {
  /** Path of the request or document, with or without its query. */
  readonly path: string;
  /** Milliseconds since 1970 by the clock of whoever wrote `Expires`; undefined if nobody knows. */
  readonly date: number | undefined;
  readonly source: CookieSource;
  /** Names and addresses under which the service is known here. Undefined: whoever wrote the line has judged `Domain`. */
  readonly hosts?: readonly string[] | undefined;
}

interface Attributes {
  life?: number | undefined;
  maxAge?: number;
  path?: string;
  domain?: string;
  secure?: boolean;
  httpOnly?: boolean;
}

/** Reads a `Set-Cookie` line or what is assigned to `document.cookie`. Undefined for one that must be ignored. */
export function parseSetCookie(line: string, context: CookieContext): NewCookie | undefined {
  if (CONTROLS.test(line)) return undefined;
  const [pair = "", ...rest] = line.split(";");
  const equals = pair.indexOf("=");
  const name = trim(pair.slice(0, Math.max(0, equals)));
  const value = trim(pair.slice(equals + 1));
  if (name.length + value.length > MAX_COOKIE_BYTES || name + value === "") return undefined;
  const attributes = readAttributes(rest, context.date);
  if (!isOwnDomain(attributes.domain ?? "", context.hosts)) return undefined;
  const cookie: NewCookie = {
    name,
    value,
    path: attributes.path ?? defaultPath(context.path),
    life: attributes.maxAge ?? attributes.life,
    secure: attributes.secure ?? false,
    httpOnly: attributes.httpOnly ?? false,
  };
  if (cookie.httpOnly && context.source === "script") return undefined;
  return keepsPrefix(cookie, attributes) ? cookie : undefined;
}

function readAttributes(parts: readonly string[], date: number | undefined): Attributes {
  const attributes: Attributes = {};
  for (const part of parts) {
    const equals = part.indexOf("=");
    const value = equals < 0 ? "" : trim(part.slice(equals + 1));
    if (value.length > MAX_ATTRIBUTE_CHARACTERS) continue;
    readAttribute(attributes, {
      name: trim(equals < 0 ? part : part.slice(0, equals)),
      value,
      date,
    });
  }
  return attributes;
}

/** RFC 6265bis 5.7, step 10. An empty one is none. */
function isOwnDomain(attribute: string, hosts: readonly string[] | undefined): boolean {
  const domain = attribute.replace(/^\./, "").toLowerCase();
  if (domain === "" || hosts === undefined) return true;
  return hosts.some((host) => domainMatches(host.toLowerCase(), domain));
}

/** RFC 6265 5.1.3: an address has no parent. */
function domainMatches(host: string, domain: string): boolean {
  return host === domain || (host.endsWith(`.${domain}`) && !ADDRESS.test(host));
}

const ADDRESS = /^(?:[\d.]+|.*:.*)$/;

/** The last of a name counts. */
function readAttribute(
  attributes: Attributes,
  { name, value, date }: { name: string; value: string; date: number | undefined },
): void {
  switch (name.toLowerCase()) {
    case "expires": {
      const at = parseCookieDate(value);
      if (at !== undefined) attributes.life = lifeUntil(at, date);
      return;
    }
    case "max-age":
      if (/^-?\d+$/.test(value)) attributes.maxAge = Math.min(Number(value) * 1000, MAX_LIFE_MS);
      return;
    case "path":
      if (value.startsWith("/")) attributes.path = value;
      else delete attributes.path;
      return;
    case "domain":
      attributes.domain = value;
      return;
    case "secure":
      attributes.secure = true;
      return;
    case "httponly":
      attributes.httpOnly = true;
  }
}

/** Without a clock only an ancient date can be told from one to come. */
function lifeUntil(at: number, date: number | undefined): number {
  const life = date === undefined ? (at < DELETION_BEFORE ? 0 : MAX_LIFE_MS) : at - date;
  return Math.min(life, MAX_LIFE_MS);
}

/** Servers delete with dates near 1970 or 2000. */
const DELETION_BEFORE = Date.UTC(2001, 0, 1);

/** RFC 6265bis 4.1.3. A name without "=" must not look like a prefix either. */
function keepsPrefix({ name, value, path, secure }: NewCookie, { domain }: Attributes): boolean {
  const text = (name === "" ? value : name).toLowerCase();
  const isSecure = text.startsWith("__secure-");
  const isHost = text.startsWith("__host-");
  if (!isSecure && !isHost) return true;
  if (name === "" || !secure) return false;
  return isSecure || (path === "/" && (domain === undefined || domain === ""));
}

/** By hand: a pattern takes quadratic time on a long run of blanks. */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text, start)) start++;
  while (end > start && isBlank(text, end - 1)) end--;
  return text.slice(start, end);
}

function isBlank(text: string, index: number): boolean {
  return text[index] === " " || text[index] === "\t";
}

/** The path of a cookie whose line names none (RFC 6265 5.1.4). */
export function defaultPath(path: string): string {
  const bare = withoutQuery(path);
  const end = bare.lastIndexOf("/");
  return end <= 0 ? "/" : bare.slice(0, end);
}

/** Whether a cookie with this path goes to a request for `path` (RFC 6265 5.1.4). */
export function pathMatches(cookiePath: string, path: string): boolean {
  const bare = withoutQuery(path);
  if (!bare.startsWith(cookiePath)) return false;
  return bare.length === cookiePath.length || cookiePath.endsWith("/") ||
    bare[cookiePath.length] === "/";
}

function withoutQuery(path: string): string {
  return path.split(/[?#]/, 1)[0]!;
}
