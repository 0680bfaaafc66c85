/** `cookieStore` over the cookies of this page (Cookie Store API), in browsers that have one. */
import { MAX_COOKIE_BYTES } from "../../src/protocol/cookie.ts";
import type { VisibleCookie } from "../../src/protocol/cookie_jar.ts";
import type { PageCookies } from "./cookies.ts";
import { defineEventHandlers } from "./event_handlers.ts";

// deno-lint-ignore no-control-regex -- the point is to refuse control characters
const NOT_IN_A_COOKIE = /[\x00-\x08\x0a-\x1f\x7f;]/;

/** What `set` takes. */
interface CookieInit {
  readonly name: string;
  readonly value: string;
  readonly path?: string;
  readonly expires?: number | null;
}

/** A cookie as the API shows it. */
interface CookieListItem {
  readonly name: string;
  readonly value: string;
  readonly domain: null;
  readonly path: string;
  readonly expires: number | null;
  readonly secure: boolean;
  readonly sameSite: "strict" | "lax" | "none";
  readonly partitioned: boolean;
}

type Query = string | { readonly name?: string } | undefined;

/** Puts our store in place of the browser's own, if it has one. */
export function replaceCookieStore(cookies: PageCookies): void {
  if (!("cookieStore" in globalThis)) return;
  const value = new PageCookieStore(cookies);
  Object.defineProperty(globalThis, "cookieStore", { get: () => value, configurable: true });
  Object.defineProperty(globalThis, "CookieStore", {
    value: PageCookieStore,
    configurable: true,
    writable: true,
  });
}

class PageCookieStore extends EventTarget {
  readonly #cookies: PageCookies;
  #seen: readonly VisibleCookie[];

  constructor(cookies: PageCookies) {
    super();
    this.#cookies = cookies;
    this.#seen = cookies.visible();
    cookies.onChange(() => this.#compare());
  }

  get [Symbol.toStringTag](): string {
    return "CookieStore";
  }

  // deno-lint-ignore require-await -- what is thrown must reject
  async get(query: Query): Promise<CookieListItem | null> {
    return this.#find(query)[0] ?? null;
  }

  // deno-lint-ignore require-await -- what is thrown must reject
  async getAll(query?: Query): Promise<CookieListItem[]> {
    return this.#find(query);
  }

  // deno-lint-ignore require-await -- what is thrown must reject
  async set(init: string | CookieInit, value?: string): Promise<void> {
    this.#write(typeof init === "string" ? { name: init, value: String(value) } : init);
  }

  // deno-lint-ignore require-await -- what is thrown must reject
  async delete(query: string | { readonly name: string; readonly path?: string }): Promise<void> {
    const { name, path } = typeof query === "string" ? { name: query, path: undefined } : query;
    this.#write({ name, value: "", expires: 0, ...(path === undefined ? {} : { path }) });
  }

  #find(query: Query): CookieListItem[] {
    const name = typeof query === "object" ? query.name : query;
    const all = this.#cookies.visible();
    return all.filter((one) => name === undefined || one.name === String(name)).map(toItem);
  }

  #write({ name, value, path = "/", expires }: CookieInit): void {
    const isBad = NOT_IN_A_COOKIE.test(name + value + path) || name.includes("=") ||
      (name === "" && (value === "" || value.includes("="))) ||
      name.length + value.length > MAX_COOKIE_BYTES || !path.startsWith("/");
    if (isBad) throw new TypeError("A cookie cannot have this name, value or path.");
    const end = expires === undefined || expires === null
      ? ""
      : `; expires=${new Date(expires).toUTCString()}`;
    this.#cookies.write(`${name}=${value}; path=${path}${end}; secure; samesite=strict`);
  }

  #compare(): void {
    const before = this.#seen;
    const now = this.#cookies.visible();
    this.#seen = now;
    const has = (list: readonly VisibleCookie[], { name, value, path }: VisibleCookie) =>
      list.some((one) => one.name === name && one.path === path && one.value === value);
    const changed = now.filter((one) => !has(before, one));
    const deleted = before.filter(({ name, path }) =>
      !now.some((one) => one.name === name && one.path === path)
    );
    if (changed.length + deleted.length > 0) queueMicrotask(() => this.#tell({ changed, deleted }));
  }

  #tell(lists: { changed: readonly VisibleCookie[]; deleted: readonly VisibleCookie[] }): void {
    const event = new CookieChangeEvent("change", {
      changed: lists.changed.map(toItem),
      deleted: lists.deleted.map(toItem),
    });
    this.dispatchEvent(event);
  }
}

Object.defineProperty(PageCookieStore, "name", { value: "CookieStore" });
defineEventHandlers(PageCookieStore.prototype, ["change"]);

function toItem({ name, value, path, life, secure }: VisibleCookie): CookieListItem {
  const expires = life === undefined ? null : Date.now() + life;
  return {
    ...{ name, value, domain: null, path, expires, secure },
    ...{ sameSite: "strict", partitioned: false },
  };
}
