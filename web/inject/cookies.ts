/**
 * The cookies of a page: no browser keeps a cookie of a tunnelled answer, and none of ours ever becomes a native one,
 * which would travel to the rendezvous with every request that bypasses the service worker. The agent has the jar; here
 * is the copy of what scripts may see, with the page's own writes on top until the agent has taken them.
 *
 *   document.cookie, cookieStore --> PageCookies -- cookie-write, number --> service worker --> agent
 *                                    PageCookies <-- cookies, written ------ service worker
 */
import { parseSetCookie } from "../../src/protocol/cookie.ts";
import { CookieJar, pairOf, type VisibleCookie } from "../../src/protocol/cookie_jar.ts";
import { type CookieState, parseCookieState } from "../../src/protocol/cookie_state.ts";
import { type CookieWrite, MAX_LINE_CHARACTERS } from "../../src/protocol/cookie_writes.ts";
import type { CookieMessage, CookieNews } from "../sw/port_messages.ts";

/** Writes that are kept until the agent has taken them. A page that makes more sees its oldest late. */
const MAX_PENDING = 256;

/** What it needs of the page. */
export interface CookiePage {
  /** Path of the document's address. */
  path(): string;
  /** Name in the document's address. */
  readonly host: string;
  /** To the service worker, in order. */
  post(message: CookieMessage): void;
}

interface PendingWrite extends CookieWrite {
  readonly number: number;
}

/** See the head of this file. */
export class PageCookies {
  readonly #page: CookiePage;
  readonly #jar = new CookieJar();
  #pending: PendingWrite[] = [];
  #number = 0;
  #changed: (() => void) | undefined;

  /** `initial` is the state as text, if the page was given one; else the service worker is asked. */
  constructor(page: CookiePage, initial?: string) {
    this.#page = page;
    const state = parseCookieState(initial);
    if (state === undefined) this.refresh();
    else this.#rebuild(state);
  }

  /** As `document.cookie` shows it. */
  get text(): string {
    return this.visible().map(pairOf).join("; ");
  }

  /** What scripts of this document see now. */
  visible(): VisibleCookie[] {
    return this.#jar.visible(performance.now(), this.#page.path());
  }

  /** Number of the last write that the agent may not have taken yet; 0 when it has all. */
  get unconfirmed(): number {
    return this.#pending.at(-1)?.number ?? 0;
  }

  /** Takes an assignment. What no browser would keep is ignored, as there. */
  write(line: string): void {
    const write: CookieWrite = { path: this.#page.path(), date: Date.now(), line };
    if (line.length > MAX_LINE_CHARACTERS || !this.#apply(write)) return;
    const pending = { ...write, number: ++this.#number };
    this.#pending.push(pending);
    if (this.#pending.length > MAX_PENDING) this.#pending.shift();
    this.#page.post({ porthole: "cookie-write", ...pending });
    this.#changed?.();
  }

  /** Takes what the service worker tells. */
  news({ state: text, written }: Omit<CookieNews, "porthole">): void {
    const state = parseCookieState(text);
    if (state === undefined) return;
    this.#pending = this.#pending.filter(({ number }) => number > written);
    this.#rebuild(state);
    this.#changed?.();
  }

  /** Asks for the state anew. */
  refresh(): void {
    this.#page.post({ porthole: "cookies-read" });
  }

  /** Tells when something may be different. At most one listener. */
  onChange(listener: () => void): void {
    this.#changed = listener;
  }

  #rebuild(state: CookieState): void {
    this.#jar.load(performance.now(), state.cookies, state.hidden);
    for (const write of this.#pending) this.#apply(write);
  }

  #apply({ line, path, date }: CookieWrite): boolean {
    const hosts = [this.#page.host];
    const cookie = parseSetCookie(line, { path, date, source: "script", hosts });
    if (cookie === undefined) return false;
    this.#jar.set(performance.now(), cookie, "script");
    return true;
  }
}

/** A document's realm: that of this page, or of a frame that it fills itself. */
export type CookieRealm = Pick<typeof globalThis, "document" | "Document" | "Navigator">;

/** Puts `document.cookie` in place of the browser's own, and says that there are cookies. */
export function replaceDocumentCookie(cookies: PageCookies, realm: CookieRealm = globalThis): void {
  const { document: own, Document, Navigator } = realm;
  const native = Object.getOwnPropertyDescriptor(Document.prototype, "cookie")!; // WebIDL puts it there
  Object.defineProperty(Document.prototype, "cookie", {
    configurable: true,
    enumerable: true,
    get(this: Document) {
      return this === own ? cookies.text : native.get?.call(this);
    },
    set(this: Document, value: unknown) {
      if (this === own) cookies.write(String(value));
    },
  });
  Object.defineProperty(Navigator.prototype, "cookieEnabled", {
    configurable: true,
    enumerable: true,
    get: () => true,
  });
}
