/**
 * What one person has at one service: a jar of cookies and logins. In memory only, bounded, never logged. Set-Cookie ends
 * here; what scripts may see of the jar goes on as a state of text (`protocol/cookie_state.ts`).
 */
import { randomBytes } from "node:crypto";
import { fromByteString, toByteString } from "../lib/http_auth.ts";
import { type CookieContext, parseSetCookie } from "../protocol/cookie.ts";
import { CookieJar } from "../protocol/cookie_jar.ts";
import { type CookieState, NO_TAG } from "../protocol/cookie_state.ts";
import type { CookieWrite } from "../protocol/cookie_writes.ts";
import type { Header, RequestHead } from "../protocol/http.ts";
import { valueOf } from "./headers.ts";
import { SESSION_IDLE_MS } from "./limits.ts";
import { Logins } from "./logins.ts";

/** A board's clock that says less was never set. */
const PLAUSIBLE_DATE = Date.UTC(2024, 0, 1);

/** Where the service is on its LAN. */
export interface Place {
  /** Its name or address. */
  readonly host: string;
  /** Empty for what browsers there could not reach either. */
  readonly origin: string;
}

/** See the head of this file. */
export class Account {
  readonly logins = new Logins();
  readonly #cookies = new CookieJar();
  /** Tells one run of the agent, and one account, from the next. */
  readonly #id = randomBytes(4).toString("hex");
  readonly #place: Place;
  #used = performance.now();

  constructor(place: Place) {
    this.#place = place;
  }

  /** The service's origin on its LAN; empty for none. */
  get origin(): string {
    return this.#place.origin;
  }

  /** Somebody is here. */
  touch(): void {
    const now = performance.now();
    if (now - this.#used > SESSION_IDLE_MS) {
      this.logins.clear();
      this.#cookies.endSession();
    }
    this.#used = now;
  }

  /** Value of the Cookie header for a request. */
  cookieHeader(path: string): string | undefined {
    return this.#cookies.header(performance.now(), path);
  }

  /** Takes the cookies of an answer to `asked`, which may have told the service our name for it as well. */
  take(headers: readonly Header[], asked: RequestHead): void {
    if (clearsCookies(headers)) this.#cookies.clear();
    const told = valueOf(asked.headers, "x-forwarded-host") ?? this.#place.host;
    const hosts = [this.#place.host, told.replace(/:\d*$/, "")];
    const date = dateOf(headers);
    const context: CookieContext = { path: asked.path, hosts, date, source: "service" };
    for (const [name, line] of headers) {
      if (name.toLowerCase() === "set-cookie") this.#set(line, context);
    }
  }

  /** Takes what scripts wrote, in their order. */
  write(writes: readonly CookieWrite[]): void {
    for (const { path, date, line } of writes) {
      this.#set(toByteString(line), { path, date, source: "script" });
    }
  }

  get tag(): string {
    const { revision } = this.#cookies;
    return revision === 0 ? NO_TAG : `${this.#id}.${revision}`;
  }

  get state(): CookieState {
    const now = performance.now();
    return {
      tag: this.tag,
      cookies: this.#cookies.allVisible(now).map((cookie) => ({
        ...toText(cookie),
        value: fromByteString(cookie.value),
      })),
      hidden: this.#cookies.allHidden(now).map(toText),
    };
  }

  #set(line: string, context: CookieContext): void {
    const cookie = parseSetCookie(line, context);
    if (cookie) this.#cookies.set(performance.now(), cookie, context.source);
  }
}

/** Expiry dates are of the service's clock, which an answer tells; ours may never have been set. */
function dateOf(headers: readonly Header[]): number | undefined {
  const told = headers.find(([name]) => name.toLowerCase() === "date")?.[1];
  const date = Date.parse(told ?? "");
  if (!Number.isNaN(date)) return date;
  const now = Date.now();
  return now < PLAUSIBLE_DATE ? undefined : now;
}

/** Clear-Site-Data (W3C): quoted words; the browser is not shown it, for its storage is ours as well. */
function clearsCookies(headers: readonly Header[]): boolean {
  return headers.some(([name, value]) =>
    name.toLowerCase() === "clear-site-data" && /"(?:cookies|\*)"/.test(value)
  );
}

function toText<T extends { readonly name: string; readonly path: string }>(cookie: T): T {
  const { name, path } = cookie;
  return { ...cookie, name: fromByteString(name), path: fromByteString(path) };
}
