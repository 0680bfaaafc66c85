/**
 * The service worker of a content origin: turns every request of the device's page into a stream of the pump. It holds
 * no state that matters and never touches bytes of another origin. Entry file: listeners only.
 *
 *   device page --fetch--> service worker --port, by way of a bridge frame--> pump worker of the shell
 */
import { COOKIES_PATH, TARGET_PATH } from "../../src/protocol/http.ts";
import { type AgentAnswer, askAgent } from "./agent_request.ts";
import { answerBlobPage } from "./blob_page.ts";
import { Bridges } from "./bridges.ts";
import { HttpCache } from "./cache/http_cache.ts";
import { DatabaseStore } from "./cache/store.ts";
import { Cookies } from "./cookies.ts";
import { doorway, isForeignVisit, keepReferrersTrue } from "./doorway.ts";
import { answerDownload } from "./download.ts";
import { EventIds } from "./event_ids.ts";
import { injectTag, type TagWords } from "./inject_html.ts";
import { KeepAlive } from "./keepalive.ts";
import { LanRequests } from "./lan_requests.ts";
import { answerLogin } from "./login.ts";
import { OwnFiles } from "./own_files.ts";
import { type FromPump, isRecord, parseStreamHead, type ToWorker } from "./port_messages.ts";
import { PageRequests } from "./page_requests.ts";
import { proxy, type ProxyContext } from "./proxy.ts";
import { route, routes } from "./routes.ts";
import { SentOnce } from "./sent_once.ts";
import { SHELL_ORIGIN } from "./shell_origin.ts";
import { answerWorkerSocket } from "./worker_sockets.ts";

const worker = self as unknown as ServiceWorkerGlobalScope;

const bridges = new Bridges(worker.clients);
const agent = {
  bridges,
  keepAlive: new KeepAlive(() => {
    worker.registration.active?.postMessage({ porthole: "keepalive" } satisfies ToWorker);
    bridges.beat();
  }),
};
const ownFiles = new OwnFiles(worker.caches);
const context = {
  ...agent,
  injectedScript: () => ownFiles.injectedScript(),
  cookies: new Cookies(worker.clients, {
    send: async (body) => textOf(await askAgent(agent, { path: COOKIES_PATH, body })),
  }),
  events: new EventIds(),
  cache: new HttpCache(new DatabaseStore(worker.indexedDB), agent),
  requests: new PageRequests(worker.clients, { sent: new SentOnce(worker.indexedDB) }),
  browser: worker.navigator,
  pageLives: async (page) => await worker.clients.get(page) !== undefined,
  shellOrigin: SHELL_ORIGIN,
  lan: new LanRequests({
    own: worker.location.origin,
    ask: async () => {
      const answer = await askAgent(agent, { path: TARGET_PATH });
      return answer && (textOf(answer) ?? "");
    },
  }),
} satisfies Omit<ProxyContext, "page">;
context.cache.open(); // read while the bridge is looked for; never rejects
const device = async (request: Request, page: string) =>
  keepReferrersTrue(request, await proxy(request, { ...context, page }));
const handlers = routes({
  origin: worker.location.origin,
  abroad: (request, { page }) => context.lan.answer(request, (own) => device(own, page)),
  own: (request, { url, page }) =>
    answerLogin(request, context) ?? answerForPages(request, page) ?? ownFiles.answer(request, url),
  foreign: (request) => isForeignVisit(request, SHELL_ORIGIN) ? welcome(request) : undefined,
  device,
});

worker.addEventListener("install", (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener("fetch", (event) => {
  const answer = route(handlers, event.request, event.clientId);
  if (answer !== "network") event.respondWith(answer);
});

worker.addEventListener("message", (event) => {
  const message: unknown = event.data;
  if (!isRecord(message)) return;
  if (message.porthole === "bridge-ready") {
    context.bridges.ready();
    context.lan.forget();
    event.waitUntil(ownFiles.refresh());
  }
  if (event.source instanceof Client) {
    context.requests.message(event.source.id, message);
    event.waitUntil(context.cookies.message(event.source.id, message));
  }
  const port = event.ports[0];
  if (message.porthole !== "open" || port === undefined) return;
  event.waitUntil(openForPage(message.head, port));
});

/** Paths of ours by which a page of this origin reaches its device. Strangers' visits are not taken there either. */
function answerForPages(request: Request, page: string): Promise<Response> | undefined {
  if (isForeignVisit(request, SHELL_ORIGIN)) return undefined;
  return answerWorkerSocket(request, { ...context, page }) ??
    answerDownload(request, (file) => device(file, "")) ??
    answerBlobPage(request, () => injectTag(tagWords()));
}

/** For a page that no device made. */
function tagWords(): TagWords {
  return { cookies: context.cookies.text, lan: context.lan.known };
}

function textOf(answer: AgentAnswer | undefined): string | undefined {
  return answer?.status === 200 ? answer.text : undefined;
}

/** A stranger's visit: the service's name is shown if it is at hand. */
async function welcome(request: Request): Promise<Response> {
  const { title } = await context.bridges.known() ?? { title: "" };
  return doorway(request, { title, shellOrigin: SHELL_ORIGIN });
}

/** A page cannot reach the bridge's port, so the worker passes its WebSockets on. */
async function openForPage(value: unknown, port: MessagePort): Promise<void> {
  const head = parseStreamHead(value);
  await context.cookies.settled("", 0);
  const bridge = head && await context.bridges.find();
  if (head !== undefined && bridge !== undefined) {
    return bridge.post({ porthole: "stream", head }, port);
  }
  const code = head === undefined ? "protocol" : "session_closed";
  port.postMessage({ type: "error", code } satisfies FromPump);
  port.close();
}
