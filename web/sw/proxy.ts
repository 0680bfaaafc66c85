/**
 * A request of a device's page in, the device's answer out: `(Request) => Promise<Response>`. Here the parts meet: body,
 * head, bridge, exchange, adapted headers, injected script. A request that fails gets a page that says why; it never
 * goes to the network instead.
 */
import { type Bytes, toBase64Url } from "../../src/lib/bytes.ts";
import type { Bridge, Bridges } from "./bridges.ts";
import type { HttpCache } from "./cache/http_cache.ts";
import type { Cookies } from "./cookies.ts";
import { elsewhereResponse } from "./elsewhere_page.ts";
import { errorResponse, type Failure } from "./error_page.ts";
import type { EventIds } from "./event_ids.ts";
import { Exchange } from "./exchange.ts";
import { decode } from "./decode.ts";
import { type AdaptedHeaders, adaptHeaders, toHeaders } from "./headers.ts";
import { holdFramesStream } from "./held_frames.ts";
import { INJECT_PATH, injectStream, injectTag, mayInject } from "./inject_html.ts";
import type { KeepAlive } from "./keepalive.ts";
import type { LanRequests } from "./lan_requests.ts";
import { loginResponse } from "./login_page.ts";
import type { Outcome } from "./outcome.ts";
import type { PageRequests } from "./page_requests.ts";
import { takeOwnWords, withCookieTag, writeNumber } from "./own_headers.ts";
import type { StreamHead } from "./port_messages.ts";
import { type RequestBody, takeBody } from "./request_body.ts";
import { type BrowserTraits, requestHead } from "./request_head.ts";
import { withUrgency } from "./urgency.ts";
import { isWorkerScript, workerScriptStream } from "./worker_script.ts";

/** What the proxy needs of the worker around it. */
export interface ProxyContext {
  readonly bridges: Bridges;
  readonly keepAlive: KeepAlive;
  readonly cookies: Cookies;
  readonly cache: HttpCache;
  readonly events: EventIds;
  readonly requests: PageRequests;
  readonly browser: BrowserTraits;
  readonly shellOrigin: string;
  readonly lan: Pick<LanRequests, "known" | "soon">;
  /** The client that asked; empty for a navigation, of which only the browser knows who waits for it. */
  readonly page: string;
  /** Text of our script, for workers. */
  injectedScript(): Promise<string>;
  /** Whether this client is still there. */
  pageLives(page: string): Promise<boolean>;
}

/** Statuses whose responses may not have a body (Fetch 2.2.3); 101 and 103 are no answer to a fetch at all. */
const NULL_BODY = new Set([204, 205, 304]);
const DOCUMENTS = new Set(["document", "iframe", "frame"]);
const NONCE_BYTES = 16;
/** A bridge that answered so long ago, in ms, is as good as one that is asked now: a page's files come in bursts. */
const CONFIRMED_MS = 50;

/** Answers one request through a bridge. Rejects only when the page's own body cannot be read. */
export async function proxy(request: Request, context: ProxyContext): Promise<Response> {
  const body = await takeBody(request); // before any other await: see there
  if (body === undefined) return fail("body_too_large", { request, context });
  const place = DOCUMENTS.has(request.destination) ? context.lan.soon() : undefined; // beside the request itself
  if (request.mode === "navigate") await context.cookies.settledBeforeNavigation();
  await context.cookies.settled(context.page, writeNumber(request.headers));
  const first = await attempt(request, { context, body });
  const outcome = mayRepeat(request, first) ? await attempt(request, { context, body }) : first;
  if (outcome.type === "answered") await place;
  return respond(outcome, { request, context });
}

/** A session that ends takes requests with it that another one can answer, unless they may have changed something. */
function mayRepeat({ method }: Request, outcome: Titled): boolean {
  const safe = method === "GET" || method === "HEAD";
  return safe && outcome.type === "failed" && outcome.failure === "session_closed";
}

async function attempt(
  request: Request,
  { context, body }: { context: ProxyContext; body: RequestBody },
): Promise<Titled> {
  const { bridges, cache, cookies, browser, events } = context;
  const bridge = await bridges.find();
  if (bridge === undefined) return { type: "failed", failure: "no_bridge", title: "", address: "" };
  const plain = events.resumed(
    requestHead(request, { browser, bodyLength: body.length }),
    events.keyOf(request.url, context.page),
  );
  const outcome = await cache.answer({
    request,
    head: withCookieTag(plain, cookies.tag),
    session: bridge.session,
    ask: (head) => ask(bridge, { head, body, request, context }),
    live: async () => (await bridges.answering(CONFIRMED_MS))?.session,
  });
  const leaves = request.mode === "navigate" && outcome.type === "answered" && outcome.elsewhere;
  const address = leaves ? await bridges.where(bridge) : "";
  return { ...outcome, title: bridge.title, address };
}

async function ask(
  bridge: Bridge,
  { head, body, request, context }: Asked & { head: StreamHead; body: RequestBody },
): Promise<Outcome> {
  const { bridges, keepAlive, cookies, page } = context;
  const outlivesPage = page === "" || request.keepalive; // Fetch 2.2.5: a beacon is meant to
  const watched = context.requests.watch(page, request);
  if (!await watched.mayLeave()) return { type: "failed", failure: "interrupted" };
  const exchange = new Exchange({
    keepAlive,
    exists: (id) => bridges.exists(id),
    wanted: async () => outlivesPage || await context.pageLives(page),
    watched,
  });
  const sent = withUrgency(head, request, page);
  const answer = await exchange.run(bridge, { head: sent, body: body.stream });
  watched.release(); // from here on the browser tells: it cancels the answer's body
  if (answer === "session_closed") bridges.distrust();
  if (typeof answer === "string") return { type: "failed", failure: answer };
  const words = takeOwnWords(answer);
  await cookies.take(words.cookies, page);
  return { ...words, type: "answered", body: exchange.body };
}

/** What became of a request, and of its service the title and the address in the shell; empty while unknown. */
type Titled = Outcome & { readonly title: string; readonly address: string };

interface Asked {
  readonly request: Request;
  readonly context: ProxyContext;
}

function fail(failure: Failure, { request, context, title = "" }: Asked & { title?: string }) {
  const { method, mode } = request;
  const { shellOrigin } = context;
  return errorResponse(failure, { title, navigation: mode === "navigate", method, shellOrigin });
}

function respond(outcome: Titled, asked: Asked): Response {
  const { title } = outcome;
  if (outcome.type === "uncached") return Response.error();
  if (outcome.type === "failed") return fail(outcome.failure, { ...asked, title });
  const { head, body, question, elsewhere } = outcome;
  const { request, context } = asked;
  const nonce = toBase64Url(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
  if (question !== undefined && request.mode === "navigate") {
    discard(body);
    return loginResponse(question, { title, shellOrigin: context.shellOrigin, nonce });
  }
  if (elsewhere !== undefined && request.mode === "navigate") {
    discard(body);
    return elsewhereResponse(elsewhere, { ...outcome, shellOrigin: context.shellOrigin });
  }
  const script = new URL(INJECT_PATH, request.url).href;
  const adapted = adaptHeaders(head, {
    ownUrl: request.url,
    needs: { shellOrigin: context.shellOrigin, script, nonce, lan: context.lan.known },
  });
  const failure = unusable(head.status, adapted.unknownCoding);
  if (failure !== undefined) {
    discard(body);
    return fail(failure, { ...asked, title });
  }
  const tag = injectTag({ nonce, cookies: context.cookies.text, lan: context.lan.known });
  const key = context.events.keyOf(request.url, context.page);
  const { injectedScript, events } = context;
  const read = key === undefined ? undefined : events.reading(key);
  return toResponse(head.status, adapted, { request, body, tag, injectedScript, read });
}

function toResponse(
  status: number,
  adapted: AdaptedHeaders,
  { request, body, tag, injectedScript, read }: Pick<ProxyContext, "injectedScript"> & {
    request: Request;
    body: ReadableStream<Bytes>;
    tag: string;
    /** Reads along. */
    read: TransformStream<Bytes, Bytes> | undefined;
  },
): Response {
  const headers = toHeaders(adapted.headers);
  if (request.method === "HEAD" || NULL_BODY.has(status)) {
    drain(body);
    return new Response(null, { status, headers });
  }
  let content = decode(body, adapted.coding);
  if (read !== undefined) content = content.pipeThrough(read);
  if (DOCUMENTS.has(request.destination) && mayInject(adapted.contentType)) {
    headers.delete("content-length");
    content = content.pipeThrough(injectStream(tag)).pipeThrough(holdFramesStream());
  } else if (isWorkerScript(request.destination) && status === 200) {
    headers.delete("content-length");
    content = content.pipeThrough(workerScriptStream(injectedScript));
  }
  return new Response(content, { status, headers });
}

function unusable(status: number, unknownCoding: string | undefined): Failure | undefined {
  if (status < 200 || status > 599) return "upstream_broken";
  return unknownCoding === undefined ? undefined : "unknown_coding";
}

/** Nobody will read it: the device need not send it. */
function discard(body: ReadableStream<Bytes>): void {
  body.cancel().catch(() => {}); // it may have failed already
}

/** There is nothing in it; to cancel it would cost the device its connection. */
function drain(body: ReadableStream<Bytes>): void {
  body.pipeTo(new WritableStream()).catch(() => {}); // the head is all that was asked for
}
