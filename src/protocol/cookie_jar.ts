/**
 * The cookies of one service for one person (RFC 6265bis 5.7, 5.8). Pure: time is `now` in ms of any clock that does not
 * jump. The agent holds the whole of it, a page the part that scripts may see.
 *
 * Strings are whatever the owner hands in: the agent's are bytes as Latin-1, so that a service gets back exactly what it
 * set; a page's are text.
 */
import { type CookieSource, type NewCookie, pathMatches } from "./cookie.ts";

/** Cookies of a jar; browsers keep 180 for a site. */
export const MAX_COOKIES = 180;

/** Characters of all names, values and paths of a jar: more than servers take in a head (Node 16 KiB, Apache 8 KiB). */
export const MAX_JAR_CHARACTERS = 16 << 10;

/** A cookie that scripts may see, as the copy in a page is told of it. */
export interface VisibleCookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  /** Milliseconds from now; undefined: as long as the session. */
  readonly life: number | undefined;
  readonly secure: boolean;
}

/** A cookie that scripts may not see: only that they cannot set one of its name, as the copy in a page is told of it. */
export type HiddenCookie = Pick<VisibleCookie, "name" | "path" | "life">;

interface Entry {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  /** In ms of `now`; Infinity: as long as the session. */
  readonly end: number;
  readonly secure: boolean;
  readonly httpOnly: boolean;
  /** Order of creation. */
  readonly born: number;
  used: number;
}

/** See the head of this file. */
export class CookieJar {
  readonly #entries = new Map<string, Entry>();
  #clock = 0;
  #revision = 0;

  /** Counts the changes that scripts can see, and which names are hidden from them, except that time passed. */
  get revision(): number {
    return this.#revision;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Adds, replaces or deletes a cookie. A script does not touch one that it cannot see (RFC 6265bis 5.7, step 23). */
  set(now: number, cookie: NewCookie, source: CookieSource): void {
    const key = keyOf(cookie);
    const present = this.#present(key, now);
    if (present?.httpOnly && source === "script") return;
    this.#entries.delete(key);
    if (cookie.life === undefined || cookie.life > 0) {
      this.#entries.set(key, this.#entry(now, cookie, present));
    }
    const after = this.#entries.get(key);
    const isSeen = [present, after].some((entry) => entry !== undefined && isVisible(entry));
    const isHidden = (entry: Entry | undefined) => entry?.httpOnly ?? false;
    if (isSeen || isHidden(present) !== isHidden(after)) this.#revision++;
    this.#evict(now);
  }

  /** The value of the Cookie header for a request; undefined without any. The longest path first, then the oldest. */
  header(now: number, path: string): string | undefined {
    const matching = this.#matching(now, path);
    const used = ++this.#clock;
    for (const entry of matching) entry.used = used;
    return matching.length === 0 ? undefined : matching.map(pairOf).join("; ");
  }

  /** What scripts of a document at `path` see, in the order of the header. */
  visible(now: number, path: string): VisibleCookie[] {
    return this.#matching(now, path).filter(isVisible).map((entry) => toVisible(entry, now));
  }

  /** All that any script may see, oldest first. */
  allVisible(now: number): VisibleCookie[] {
    this.#expire(now);
    const entries = [...this.#entries.values()].filter(isVisible).sort((a, b) => a.born - b.born);
    return entries.map((entry) => toVisible(entry, now));
  }

  /** The names that no script may set. */
  allHidden(now: number): HiddenCookie[] {
    this.#expire(now);
    const entries = [...this.#entries.values()].filter(({ httpOnly }) => httpOnly);
    return entries.map(({ name, path, end }) => ({ name, path, life: lifeOf(end, now) }));
  }

  /** Takes the place of all there is. */
  load(
    now: number,
    cookies: readonly VisibleCookie[],
    hidden: readonly HiddenCookie[] = [],
  ): void {
    this.#entries.clear();
    for (const cookie of cookies) this.set(now, { ...cookie, httpOnly: false }, "service");
    for (const cookie of hidden) {
      this.set(now, { ...cookie, value: "", secure: false, httpOnly: true }, "service");
    }
  }

  /** Forgets all cookies. */
  clear(): void {
    if (this.#entries.size > 0) this.#revision++;
    this.#entries.clear();
  }

  /** Forgets those that last as long as the session: nobody was here for long. */
  endSession(): void {
    for (const [key, entry] of this.#entries) {
      if (entry.end !== Infinity) continue;
      this.#entries.delete(key);
      this.#revision++;
    }
  }

  #present(key: string, now: number): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry && entry.end > now ? entry : undefined;
  }

  #entry(now: number, cookie: NewCookie, before: Entry | undefined): Entry {
    const { name, value, path, life, secure, httpOnly } = cookie;
    const end = life === undefined ? Infinity : now + life;
    const used = ++this.#clock;
    return { name, value, path, end, secure, httpOnly, born: before?.born ?? used, used };
  }

  #matching(now: number, path: string): Entry[] {
    this.#expire(now);
    const matching = [...this.#entries.values()].filter((entry) => pathMatches(entry.path, path));
    return matching.sort((a, b) => b.path.length - a.path.length || a.born - b.born);
  }

  #expire(now: number): void {
    for (const [key, entry] of this.#entries) if (entry.end <= now) this.#entries.delete(key);
  }

  /** Above a limit those that have expired go first, then what was not used for longest (RFC 6265 5.3). */
  #evict(now: number): void {
    if (!this.#isFull()) return;
    this.#expire(now);
    const oldest = [...this.#entries].sort(([, a], [, b]) => a.used - b.used);
    for (const [key] of oldest) {
      if (!this.#isFull()) return;
      this.#entries.delete(key);
      this.#revision++;
    }
  }

  #isFull(): boolean {
    if (this.#entries.size > MAX_COOKIES) return true;
    let characters = 0;
    for (const { name, value, path } of this.#entries.values()) {
      characters += name.length + value.length + path.length;
    }
    return characters > MAX_JAR_CHARACTERS;
  }
}

/** No name or path holds a control character. */
function keyOf({ name, path }: { name: string; path: string }): string {
  return `${name}\0${path}`;
}

function isVisible({ httpOnly }: Entry): boolean {
  return !httpOnly;
}

function toVisible({ name, value, path, end, secure }: Entry, now: number): VisibleCookie {
  return { name, value, path, life: lifeOf(end, now), secure };
}

function lifeOf(end: number, now: number): number | undefined {
  return end === Infinity ? undefined : end - now;
}

/** A cookie as it stands in a Cookie header and in `document.cookie` (RFC 6265bis 5.8.3). */
export function pairOf({ name, value }: { name: string; value: string }): string {
  return name === "" ? value : `${name}=${value}`;
}
