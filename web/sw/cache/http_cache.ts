/**
 * The private HTTP cache of a content origin (RFC 9111): synthesised responses never reach the browser's own. It stands
 * between a page's request and the tunnel. `plan.ts` decides; here the plan is carried out, answers are recorded and the
 * store is kept. Nothing here must survive the worker: the store has it all, and what is in memory is its index.
 *
 *   proxy -- request --> HttpCache -- head, maybe with preconditions --> service, by the tunnel
 *   proxy <-- answer --- HttpCache <-- answer, and whose it is --------- agent
 *                            |
 *                       CacheStore
 *
 * Whose is it? The agent names the holder with each answer (`HOLDER_HEADER`), and an answer is filed under that name. A
 * session whose holder is not known yet has its first request answered by the service, at most with a 304; after that
 * what bears the same name is served. So what an owner saw is never shown to a guest of the same browser, and a grant
 * that ended gets nothing: each answer from the store is given only after a bridge has said that its session is up.
 */
import type { Bytes } from "../../../src/lib/bytes.ts";
import type { ResponseHead } from "../../../src/protocol/http.ts";
import type { KeepAlive } from "../keepalive.ts";
import type { Answered, Outcome } from "../outcome.ts";
import type { StreamHead } from "../port_messages.ts";
import { CACHE_LIMITS, type CacheLimits, Entries } from "./entries.ts";
import { clearsCache, invalidatedPaths, isUnsafe } from "./invalidate.ts";
import { type CacheRequest, type Plan, plan } from "./plan.ts";
import { Recording, RecordingRoom } from "./recording.ts";
import { isStorable, storedHeaders } from "./storable.ts";
import type { CacheStore } from "./store.ts";
import type { StoredResponse } from "./stored_response.ts";
import { confirms, refreshed } from "./validate.ts";
import { sameVariant, varyingOf } from "./vary.ts";

/**
 * When the index is read after the worker's start, in ms. It costs 30 ms for 1600 answers, and more on a busy machine;
 * the requests that woke the worker look their own path up instead, which costs one.
 */
const LOAD_AFTER_MS = 1000;
/** How long such a look may take, in ms: then the request goes on as if nothing were stored. */
const LOOK_LIMIT_MS = 250;
/** How often the store is told that an answer was used, in ms: for the order of eviction an hour will do. */
const TOUCH_PAUSE_MS = 3_600_000;
/** Paths that are invalidated while the index is unread, which is a second. */
const MAX_DOUBTFUL = 256;
/** Sessions whose holder is remembered: those of a few tabs. */
const MAX_SESSIONS = 32;

/** A page's request on its way. */
export interface CacheQuestion {
  readonly request: Request;
  readonly head: StreamHead;
  /** The session that will carry it. */
  readonly session: string;
  /** Sends a head to the service. */
  ask(head: StreamHead): Promise<Outcome>;
  /** The session that is up at this moment; undefined for none. */
  live(): Promise<string | undefined>;
}

/** A question with what the plan is made of. */
interface Asked {
  readonly question: CacheQuestion;
  readonly request: CacheRequest;
}

/** See the head of this file. */
export class HttpCache {
  readonly #store: CacheStore;
  readonly #keepAlive: Pick<KeepAlive, "hold">;
  readonly #limits: CacheLimits;
  readonly #clock: () => number;
  readonly #entries: Entries;
  readonly #room = new RecordingRoom();
  readonly #recordings = new Map<Recording, string>();
  /** By session: whose it is. */
  readonly #holders = new Map<string, string>();
  #loading: Promise<void> | undefined;
  #state: "unread" | "read" = "unread";
  /** Paths that were invalidated before the index was read. */
  readonly #doubtful = new Set<string>();
  /** All were, or too many: nothing that is in the store is trusted. */
  #allDoubtful = false;

  constructor(
    store: CacheStore,
    { keepAlive, limits = CACHE_LIMITS, clock = Date.now }: {
      keepAlive: Pick<KeepAlive, "hold">;
      limits?: CacheLimits;
      /** In ms since 1970. */
      clock?: () => number;
    },
  ) {
    this.#store = store;
    this.#keepAlive = keepAlive;
    this.#limits = limits;
    this.#clock = clock;
    this.#entries = new Entries(limits);
  }

  /** Reads the index, soon. Call it as soon as the worker starts. Never rejects. */
  open(after = LOAD_AFTER_MS): Promise<void> {
    const pause = new Promise<void>((resolve) => setTimeout(resolve, after));
    this.#loading ??= pause.then(() => this.#load());
    return this.#loading;
  }

  /** Answers a request from the store, or by asking the service. Rejects only as `ask` does. */
  async answer(question: CacheQuestion): Promise<Outcome> {
    const request = cacheRequest(question);
    if (this.#state === "unread" && !isUnsafe(request.method)) await this.#lookUp(request.path);
    const asked = { question, request };
    const decided = this.#plan(request, question.session);
    switch (decided.type) {
      case "bypass":
        return this.#passed(await this.#ask(question), asked);
      case "unsatisfiable":
        return decided.why === "mode" ? { type: "uncached" } : stored(GATEWAY_TIMEOUT);
      case "serve":
        return await this.#serve(decided, asked);
      case "validate":
        return await this.#validate(decided, asked);
      case "fetch":
        return await this.#fetch(asked);
    }
  }

  #plan(request: CacheRequest, session: string): Plan {
    const holder = this.#holders.get(session);
    const all = this.#entries.at(request.path);
    const theirs = holder === undefined ? all : all.filter((one) => one.holder === holder);
    return plan(request, { stored: theirs, mayServe: holder !== undefined, now: this.#clock() });
  }

  async #load(): Promise<void> {
    const entries = await this.#store.load().catch(() => []); // refused or broken: nothing is stored
    this.#adopt(entries.sort((a, b) => a.usedAt - b.usedAt));
    this.#state = "read";
    this.#doubtful.clear();
    const holders = new Set(this.#holders.values());
    this.#forget(this.#entries.idsOf(({ holder }) => holders.size > 0 && !holders.has(holder)));
  }

  async #lookUp(path: string): Promise<void> {
    const looking = this.#store.find(path).then((found) => this.#adopt(found));
    await withinLimit(looking.catch(() => {})); // refused: nothing is stored
  }

  /** Takes entries of the store into the index, but for those that something newer stands for. */
  #adopt(entries: readonly StoredResponse[]): void {
    if (this.#state === "read") return; // a look that was overtaken
    const gone = entries.filter(({ id }) => !this.#entries.has(id)).flatMap((entry) => {
      const isOlder = this.#entries.at(entry.path).some((one) =>
        one.respondedAt >= entry.respondedAt && sameVariant(one, entry)
      );
      const isDoubtful = this.#allDoubtful || this.#doubtful.has(entry.path);
      return isDoubtful || isOlder ? [entry.id] : this.#entries.put(entry);
    });
    this.#forget(gone);
  }

  /** Only while the session is up, and still the same person's. */
  async #serve({ stored: entry, age }: Plan & { type: "serve" }, asked: Asked): Promise<Outcome> {
    const [session, body] = await Promise.all([asked.question.live(), this.#body(entry)]);
    const isTheirs = session !== undefined && this.#holders.get(session) === entry.holder;
    if (!isTheirs || body === undefined) return await this.#fetch(asked);
    this.#touch(entry);
    const headers = entry.headers.filter(([name]) => name !== "age");
    return stored({ status: entry.status, headers: [...headers, ["age", String(age)]] }, body);
  }

  async #validate(
    { stored: entry, headers }: Plan & { type: "validate" },
    asked: Asked,
  ): Promise<Outcome> {
    const { head } = asked.question;
    const requestedAt = this.#clock();
    const answer = await this.#ask(asked.question, {
      ...head,
      headers: [...head.headers, ...headers],
    });
    if (answer.type !== "answered") return answer;
    if (answer.head.status !== 304) return this.#took(answer, { ...asked, requestedAt });
    drain(answer.body);
    const isTheirs = answer.holder === entry.holder && confirms(answer.head, entry);
    const body = isTheirs ? await this.#body(entry) : undefined;
    if (body === undefined) return await this.#fetch(asked);
    const times = { requestedAt, respondedAt: this.#clock() };
    const varying = varyingOf(entry.headers, head.headers);
    const confirmed = { ...refreshed(entry, answer.head, times), varying };
    this.#update(confirmed);
    return stored(confirmed, body);
  }

  async #fetch(asked: Asked): Promise<Outcome> {
    const requestedAt = this.#clock();
    const answer = await this.#ask(asked.question);
    return answer.type === "answered" ? this.#took(answer, { ...asked, requestedAt }) : answer;
  }

  /** Asks the service, and learns whose the session is. */
  async #ask({ ask, head, session }: CacheQuestion, changed = head): Promise<Outcome> {
    const answer = await ask(changed);
    const holder = answer.type === "answered" ? answer.holder : undefined;
    if (holder !== undefined) this.#know(session, holder);
    return answer;
  }

  /** What somebody else saw in this browser is not kept any longer. */
  #know(session: string, holder: string): void {
    if (this.#holders.get(session) === holder) return;
    this.#holders.set(session, holder);
    for (const oldest of this.#holders.keys()) {
      if (this.#holders.size <= MAX_SESSIONS) break;
      this.#holders.delete(oldest);
    }
    this.#forget(this.#entries.idsOf((entry) => entry.holder !== holder));
  }

  /** An answer that is not stored may still say what else is not to be used any more. */
  #passed(answer: Outcome, { question, request }: Asked): Outcome {
    if (answer.type !== "answered") return answer;
    if (clearsCache(answer.head)) this.#invalidate("all");
    if (isUnsafe(request.method)) {
      this.#invalidate(invalidatedPaths(question.request.url, answer.head));
    }
    return answer;
  }

  /** A whole answer: its body is recorded on the way, if it may be stored. */
  #took(answer: Answered, { question, request, requestedAt }: Asked & { requestedAt: number }) {
    const { head, holder, elsewhere } = answer;
    if (clearsCache(head)) this.#invalidate("all");
    const respondedAt = this.#clock();
    const isKept = holder !== undefined && elsewhere === undefined;
    if (!isKept || !isStorable(request, head, respondedAt)) {
      this.#replaced(request, head);
      return answer;
    }
    const entry: Omit<StoredResponse, "bodyBytes"> = {
      ...{ id: crypto.randomUUID(), holder, path: request.path, status: head.status },
      headers: storedHeaders(head.headers),
      varying: varyingOf(head.headers, question.head.headers),
      ...{ requestedAt, respondedAt, usedAt: respondedAt },
    };
    return { ...answer, body: this.#record(answer.body, entry) };
  }

  /** A newer answer that may not be kept: the older one is not the service's word any more. */
  #replaced(request: CacheRequest, { status }: ResponseHead): void {
    if (status < 500) this.#invalidate([request.path]);
  }

  #record(body: ReadableStream<Bytes>, entry: Omit<StoredResponse, "bodyBytes">) {
    const release = this.#keepAlive.hold(() => {});
    const recording = new Recording(body, {
      room: this.#room,
      limit: Math.min(this.#limits.body, this.#limits.total),
      whole: (bytes) => this.#put({ ...entry, bodyBytes: bytes.length }, bytes),
      ended: () => {
        release();
        this.#recordings.delete(recording);
      },
    });
    this.#recordings.set(recording, entry.path);
    return recording.stream;
  }

  #put(entry: StoredResponse, body: Bytes): void {
    this.#settle(this.#store.put(entry, body), entry);
    this.#forget(this.#entries.put(entry));
  }

  #update(entry: StoredResponse): void {
    if (!this.#entries.has(entry.id)) return; // invalidated while it was asked about
    this.#settle(this.#store.update(entry), entry);
    this.#forget(this.#entries.put(entry));
  }

  #touch(entry: StoredResponse): void {
    const now = this.#clock();
    if (now - entry.usedAt > TOUCH_PAUSE_MS) return this.#update({ ...entry, usedAt: now });
    this.#entries.touch(entry);
  }

  /** What cannot be written is not there: the disk is full, or storage was refused. */
  #settle(written: Promise<void>, { id }: StoredResponse): void {
    const release = this.#keepAlive.hold(() => {});
    written.catch(() => this.#entries.remove([id])).finally(release);
  }

  async #body(stored: StoredResponse): Promise<Bytes | undefined> {
    const body = await this.#store.body(stored.id).catch(() => undefined);
    if (body?.length === stored.bodyBytes) return body;
    this.#forget([stored.id]);
    return undefined;
  }

  /** Also what is on its way, for it was asked for before; and what is still unread. */
  #invalidate(paths: readonly string[] | "all"): void {
    const isMeant = (path: string) => paths === "all" || paths.includes(path);
    for (const [recording, path] of [...this.#recordings]) {
      if (isMeant(path)) recording.drop();
    }
    if (this.#state === "unread") this.#doubt(paths);
    const here = paths === "all"
      ? this.#entries.idsOf(() => true)
      : paths.flatMap((path) => this.#entries.at(path).map(({ id }) => id));
    this.#forget(here);
  }

  #doubt(paths: readonly string[] | "all"): void {
    if (paths !== "all") paths.forEach((path) => this.#doubtful.add(path));
    if (paths === "all" || this.#doubtful.size > MAX_DOUBTFUL) this.#allDoubtful = true;
  }

  #forget(ids: readonly string[]): void {
    if (ids.length === 0) return;
    this.#entries.remove(ids);
    const release = this.#keepAlive.hold(() => {});
    // What could not be removed is found again by the next worker, at worst as an answer that fails its own checks.
    this.#store.remove(ids).catch(() => {}).finally(release);
  }
}

function cacheRequest({ request, head }: CacheQuestion): CacheRequest {
  const { method, cache, destination, mode } = request;
  const isDocument = mode === "navigate";
  return {
    ...{ method, path: head.path, mode: cache, isDocument },
    byScript: destination === "" && !isDocument,
    headers: [...request.headers],
    sent: head.headers,
  };
}

const GATEWAY_TIMEOUT: ResponseHead = { status: 504, headers: [] };

function stored({ status, headers }: ResponseHead, body: Bytes = new Uint8Array(0)): Answered {
  const stream = new ReadableStream<Bytes>({
    start(controller) {
      if (body.length > 0) controller.enqueue(body);
      controller.close();
    },
  });
  return { type: "answered", head: { status, headers }, body: stream, question: undefined };
}

function drain(body: ReadableStream<Bytes>): void {
  body.pipeTo(new WritableStream()).catch(() => {}); // a 304 has none
}

async function withinLimit(work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, LOOK_LIMIT_MS));
  await Promise.race([work, late]);
  clearTimeout(timer);
}
