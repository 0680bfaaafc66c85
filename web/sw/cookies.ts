/**
 * The cookies that scripts may see, between the agent's jar and the pages. The agent's state comes with its answers and
 * goes to every page of the origin, so tabs agree; what pages write goes to the agent in their order, and no request
 * overtakes a write that was made before it. Nothing here must survive the worker: a new one asks again.
 *
 *   page -- cookie-write, number --> Cookies -- POST writes --> agent's jar
 *   page <-- cookies, written ------ Cookies <-- state -------- any answer
 */
import {
  type CookieState,
  encodeCookieState,
  NO_TAG,
  parseCookieState,
} from "../../src/protocol/cookie_state.ts";
import {
  type CookieWrite,
  encodeCookieWrites,
  MAX_WRITES,
  readCookieWrite,
} from "../../src/protocol/cookie_writes.ts";
import type { CookieNews, CookieQuestion } from "./port_messages.ts";

/** How long a request waits for the writes before it, in ms. */
const SETTLE_LIMIT_MS = 2000;

/** How long an answer waits until its page has read what it changed, in ms. A page that is busy reads late. */
const READ_LIMIT_MS = 2000;

/**
 * How long a navigation waits to hear of what pages wrote just before, in ms: a browser may show the worker the
 * navigation first. A page that is silent for so long is not asked again before it writes.
 */
const ASK_LIMIT_MS = 500;

/** Writes that wait for the agent. A page that makes more loses its oldest. */
const MAX_QUEUED = 1024;

/** Pages that are known, and whose writes are counted: those of a few tabs, with their frames. */
const MAX_PAGES = 64;

const QUESTION: CookieQuestion = { porthole: "cookies-ask" };

/** As much of a `Client` as is used. */
export interface CookieClient {
  readonly id: string;
  readonly type: string;
  postMessage(message: unknown, transfer?: Transferable[]): void;
}

/** As much of `Clients` as is used. */
export interface CookieClients {
  get(id: string): Promise<CookieClient | undefined>;
  matchAll(
    options: { includeUncontrolled: true; type: "window" },
  ): Promise<readonly CookieClient[]>;
}

interface QueuedWrite extends CookieWrite {
  readonly page: string;
  readonly number: number;
}

/** See the head of this file. */
export class Cookies {
  readonly #clients: CookieClients;
  readonly #send: (writes: string) => Promise<string | undefined>;
  readonly #settleLimit: number;
  readonly #readLimit: number;
  /** The state, and when it was told, in ms of `performance.now`. */
  #known: { state: CookieState; at: number } | undefined;
  readonly #queue: QueuedWrite[] = [];
  #sending: Promise<void> | undefined;
  /** Writes that came, and that the agent has taken, over all pages. */
  #came = 0;
  #passed = 0;
  /** By page: the number of its last write that the agent has taken. */
  readonly #written = new Map<string, number>();
  /** Pages that have our script, and so answer. */
  readonly #present = new Set<string>();
  readonly #waiting = new Set<() => void>();

  /** `send` posts writes to the agent and gives its state; undefined when it was not reached. Tests shorten the limits. */
  constructor(
    clients: CookieClients,
    options: {
      send(writes: string): Promise<string | undefined>;
      settleLimit?: number;
      readLimit?: number;
    },
  ) {
    this.#clients = clients;
    this.#send = options.send;
    this.#settleLimit = options.settleLimit ?? SETTLE_LIMIT_MS;
    this.#readLimit = options.readLimit ?? READ_LIMIT_MS;
  }

  /** The tag of the state that is known here. */
  get tag(): string {
    return this.#known?.state.tag ?? NO_TAG;
  }

  /** The state for a page that begins, lives as of now; undefined while nobody knows it. */
  get text(): string | undefined {
    if (this.#known === undefined) return undefined;
    const { state: { tag, cookies, hidden }, at } = this.#known;
    const elapsed = performance.now() - at;
    return encodeCookieState({
      tag,
      cookies: living(cookies, elapsed),
      hidden: living(hidden, elapsed),
    });
  }

  /** Takes a page's message. Resolves when there is nothing left to do for it. Never rejects. */
  async message(page: string, message: Readonly<Record<string, unknown>>): Promise<void> {
    if (message.porthole === "cookies-here") return this.#arrived(page);
    if (message.porthole === "cookies-read") return await this.#read(page);
    if (message.porthole !== "cookie-write") return;
    const write = readCookieWrite(message);
    const { number } = message;
    if (write === undefined || !isNumber(number)) return;
    this.#arrived(page);
    this.#came++;
    this.#queue.push({ ...write, page, number });
    if (this.#queue.length > MAX_QUEUED) this.#pass(this.#queue.splice(0, 1));
    this.#sending ??= this.#sendAll().finally(() => this.#sending = undefined);
    await this.#sending;
  }

  /** Waits, within a limit, until all writes have passed that were made before this request of `page`. */
  async settled(page: string, number: number): Promise<void> {
    const before = this.#came;
    const isOver = () =>
      this.#passed >= before && (number === 0 || (this.#written.get(page) ?? 0) >= number);
    const end = performance.now() + this.#settleLimit;
    while (!isOver() && performance.now() < end) await this.#sleep(end - performance.now());
  }

  /** Waits likewise for a navigation, which cannot say what it follows: the pages are asked. */
  async settledBeforeNavigation(): Promise<void> {
    await Promise.all([...this.#present].map(async (page) => {
      const number = await this.#ask(page);
      if (number === undefined) this.#present.delete(page);
      else await this.settled(page, number);
    }));
  }

  /** Takes what an answer says of the state. Resolves when the page that asked has read it, or soon after. */
  async take(text: string | undefined, page: string): Promise<void> {
    if (text === undefined) return this.#assumeNone();
    if (this.#adopt(text)) await this.#tellAll(page);
  }

  /** The agent has nothing to add to what we named: at the beginning that is nothing. */
  #assumeNone(): void {
    if (this.#known !== undefined) return;
    this.#known = { state: { tag: NO_TAG, cookies: [], hidden: [] }, at: performance.now() };
  }

  async #read(page: string): Promise<void> {
    if (this.#known === undefined) {
      const text = await this.#send(encodeCookieWrites([]));
      if (text !== undefined) this.#adopt(text);
    }
    const client = await this.#clients.get(page);
    if (client !== undefined) this.#tell(client);
  }

  #arrived(page: string): void {
    this.#present.delete(page);
    this.#present.add(page);
    for (const oldest of this.#present) {
      if (this.#present.size <= MAX_PAGES) return;
      this.#present.delete(oldest);
    }
  }

  /** The last write that a page has made and not seen confirmed, 0 for none; undefined from a page that says nothing. */
  async #ask(page: string): Promise<number | undefined> {
    const client = await this.#clients.get(page);
    if (client === undefined) return undefined;
    const answer = await this.#answerOf(
      (port) => client.postMessage(QUESTION, [port]),
      ASK_LIMIT_MS,
    );
    return isNumber(answer) ? answer : answer === 0 ? 0 : undefined;
  }

  /** Whether it is news. Answers may overtake each other: an older state of the same jar is none. */
  #adopt(text: string): boolean {
    const state = parseCookieState(text);
    if (state === undefined || !isNewer(state.tag, this.#known?.state.tag)) return false;
    this.#known = { state, at: performance.now() };
    return true;
  }

  /** One after the other, so that the order stays; what comes meanwhile goes together. */
  async #sendAll(): Promise<void> {
    while (this.#queue.length > 0) {
      const writes = this.#queue.splice(0, MAX_WRITES);
      const text = await this.#send(encodeCookieWrites(writes));
      if (text !== undefined) this.#adopt(text);
      this.#pass(writes);
      await this.#tellAll("");
    }
  }

  #pass(writes: readonly QueuedWrite[]): void {
    this.#passed += writes.length;
    for (const { page, number } of writes) {
      const before = this.#written.get(page) ?? 0;
      this.#written.delete(page);
      this.#written.set(page, Math.max(before, number));
    }
    for (const oldest of this.#written.keys()) {
      if (this.#written.size <= MAX_PAGES) break;
      this.#written.delete(oldest);
    }
    for (const wake of [...this.#waiting]) wake();
  }

  /** Tells every page; waits for the one that asked. */
  async #tellAll(asking: string): Promise<void> {
    const clients = await this.#clients.matchAll({ includeUncontrolled: true, type: "window" });
    const told = clients.map((client) =>
      client.id === asking ? this.#tellAndWait(client) : this.#tell(client)
    );
    await Promise.all(told);
  }

  #tell(client: CookieClient, port?: MessagePort): void {
    const state = this.text;
    if (state === undefined) return;
    const news: CookieNews = {
      porthole: "cookies",
      state,
      written: this.#written.get(client.id) ?? 0,
    };
    client.postMessage(news, port === undefined ? [] : [port]);
  }

  async #tellAndWait(client: CookieClient): Promise<void> {
    await this.#answerOf((port) => this.#tell(client, port), this.#readLimit);
  }

  /** What comes back on a port that `give` sends away; undefined when nothing does in `limit` ms. */
  async #answerOf(give: (port: MessagePort) => void, limit: number): Promise<unknown> {
    const { port1, port2 } = new MessageChannel();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const answer = await new Promise<unknown>((resolve) => {
      timer = setTimeout(() => resolve(undefined), limit);
      port1.onmessage = ({ data }) => resolve(data);
      give(port2);
    });
    clearTimeout(timer);
    port1.close();
    return answer;
  }

  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.max(0, milliseconds));
      this.#waiting.add(wake);
    });
  }
}

function living<T extends { readonly life: number | undefined }>(
  cookies: readonly T[],
  elapsed: number,
): T[] {
  return cookies
    .map((cookie) =>
      cookie.life === undefined ? cookie : { ...cookie, life: cookie.life - elapsed }
    )
    .filter(({ life }) => life === undefined || life > 0);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

/** Tags are a jar's name and a number that rises; of two jars the one that was heard of last counts. */
function isNewer(tag: string, known: string | undefined): boolean {
  if (known === undefined) return true;
  const [jar, revision] = tag.split(".");
  const [knownJar, knownRevision] = known.split(".");
  return jar !== knownJar || Number(revision ?? 0) > Number(knownRevision ?? 0);
}
