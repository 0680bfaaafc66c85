import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocketServer } from "ws";
import { type Bytes, utf8 } from "../lib/bytes.ts";
import { type Log, SILENT } from "../lib/log.ts";
import { COOKIES_HEADER, NO_TAG, parseCookieState } from "../protocol/cookie_state.ts";
import { encodeCookieWrites } from "../protocol/cookie_writes.ts";
import {
  COOKIES_PATH,
  CREDENTIALS_HEADER,
  type Header,
  HOLDER_HEADER,
  LOGIN_PATH,
  type RequestHead,
  TARGET_PATH,
} from "../protocol/http.ts";
import { encodeLoginAnswer, LOGIN_HEADER, parseLoginQuestion } from "../protocol/login.ts";
import type { HolderServices } from "./holder_services.ts";
import { ACCOUNTS, CHALLENGES, REPLAY_LIMIT_BYTES } from "./limits.ts";
import { createServices, type DeviceServices } from "./services.ts";
import { parseTarget } from "./target.ts";

const NEVER = new AbortController().signal;
const PASSWORD = "pässword-4711";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

interface Bench {
  readonly services: DeviceServices;
  readonly anna: HolderServices;
  readonly ben: HolderServices;
}

/** Runs a test against a real server that has two services, and closes everything whatever happens. */
async function withServer(
  handler: Handler,
  act: (bench: Bench) => Promise<void>,
  log: Log = SILENT,
): Promise<void> {
  const server = createServer(handler);
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    const { cookie = "", authorization } = request.headers;
    if (authorization === undefined && request.url === "/guarded") {
      const challenge = 'WWW-Authenticate: Basic realm="r"\r\nSet-Cookie: tried=1\r\n';
      return void socket.end(`HTTP/1.1 401 No\r\n${challenge}Content-Length: 0\r\n\r\n`);
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.send(JSON.stringify({ cookie, authorization }));
      client.close(1000);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const target = parseTarget(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const services = createServices([
    { id: "ui", title: "Page", target },
    { id: "other", title: "Other", target },
  ], { log });
  try {
    await act({ services, anna: services.forHolder("aa"), ben: services.forHolder("bb") });
  } finally {
    services.close();
    for (const client of sockets.clients) client.terminate();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
}

function head(part: Partial<RequestHead> = {}): RequestHead {
  return { kind: "http", service: "ui", method: "GET", path: "/", headers: [], ...part };
}

interface Answer {
  readonly status: number;
  readonly headers: readonly Header[];
  readonly text: string;
}

async function ask(
  services: HolderServices,
  part: Partial<RequestHead> = {},
  body: string | ReadableStream<Bytes> | null = null,
): Promise<Answer> {
  const stream = typeof body === "string" ? ReadableStream.from([utf8(body)]) : body;
  const response = await services.request({ head: head(part), body: stream }, NEVER);
  return { ...response.head, text: await new Response(response.body).text() };
}

function post(services: HolderServices, path: string, body: string): Promise<Answer> {
  return ask(services, { method: "POST", path }, body);
}

function headerOf({ headers }: Answer, wanted: string): string | undefined {
  return headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
}

/** Sets what `?set=` says and answers with the cookies that came. */
const cookieEcho: Handler = (request, response) => {
  const url = new URL(request.url ?? "/", "http://x");
  const lines = url.searchParams.getAll("set");
  if (lines.length > 0) response.setHeader("set-cookie", lines);
  response.end(request.headers.cookie ?? "");
};

function setting(...lines: readonly string[]): Partial<RequestHead> {
  return { path: `/?${lines.map((line) => `set=${encodeURIComponent(line)}`).join("&")}` };
}

Deno.test("cookies are one person's at one service, and Set-Cookie goes no further", async () => {
  await withServer(cookieEcho, async ({ services, anna, ben }) => {
    const answer = await ask(anna, setting("a=1; HttpOnly", "b=2"));
    equal(headerOf(answer, "set-cookie"), undefined);
    equal((await ask(anna)).text, "a=1; b=2");
    equal((await ask(services.forHolder("aa"))).text, "a=1; b=2", "a reload, a second tab");
    equal((await ask(ben)).text, "");
    equal((await ask(anna, { service: "other" })).text, "");
  });
});

Deno.test("a browser's own Cookie header and our own words never reach a service", async () => {
  const echo: Handler = ({ rawHeaders }, response) => {
    response.setHeader("X-Porthole-Login", "forged");
    response.end(rawHeaders.join("\n"));
  };
  await withServer(echo, async ({ anna }) => {
    const headers: Header[] = [["cookie", "forged=1"], [COOKIES_HEADER, NO_TAG], [
      "X_Porthole_Write",
      "7",
    ]];
    const answer = await ask(anna, { headers });
    ok(!/cookie|porthole/i.test(answer.text), answer.text);
    equal(headerOf(answer, LOGIN_HEADER), undefined);
  });
});

Deno.test("a request without credentials brings no cookie, leaves none, and tells of no login", async () => {
  await withServer(cookieEcho, async ({ anna }) => {
    await ask(anna, setting("a=1"));
    const omit: Header[] = [[CREDENTIALS_HEADER, "omit"]];
    equal((await ask(anna, { headers: omit })).text, "");
    const set = setting("b=2");
    await ask(anna, { ...set, headers: [...(set.headers ?? []), ...omit] });
    equal((await ask(anna)).text, "a=1");
  });
});

Deno.test("a cookie for another domain is not kept; one for the service's own names is", async () => {
  await withServer(cookieEcho, async ({ anna }) => {
    await ask(anna, setting("a=1; Domain=example.com"));
    await ask(anna, setting("b=1; Domain=127.0.0.1"));
    const told = setting("c=1; Domain=ui.example.org");
    await ask(anna, { ...told, headers: [["x-forwarded-host", "ui.example.org:8443"]] });
    equal((await ask(anna)).text, "b=1; c=1");
  });
});

Deno.test("the agent tells where the service is on its LAN, and the service hears nothing of it", async () => {
  let asked = 0;
  await withServer((_request, response) => void response.end(`${++asked}`), async ({ anna }) => {
    const answer = await ask(anna, { path: TARGET_PATH });
    match(answer.text, /^http:\/\/127\.0\.0\.1:\d+$/);
    equal((await post(anna, TARGET_PATH, "")).status, 404);
    equal(asked, 0);
  });
});

Deno.test("bytes of a cookie come back to the service as they were, and as text to scripts", async () => {
  await withServer((request, response) => {
    if (request.url === "/set") response.setHeader("set-cookie", "a=\xc3\xa9; Path=/");
    response.end(request.headers.cookie ?? "");
  }, async ({ anna }) => {
    const answer = await ask(anna, { path: "/set", headers: [[COOKIES_HEADER, NO_TAG]] });
    const state = parseCookieState(headerOf(answer, COOKIES_HEADER));
    equal(state?.cookies[0]?.value, "é");
    equal((await ask(anna)).text, "a=\xc3\xa9");
    await post(anna, COOKIES_PATH, encodeCookieWrites([{ path: "/", date: 0, line: "a=ü" }]));
    equal((await ask(anna)).text, "a=\xc3\xbc");
  });
});

Deno.test("an answer brings the state of the cookies to whoever has another one", async () => {
  await withServer(cookieEcho, async ({ anna }) => {
    const known = async (tag: string, part: Partial<RequestHead> = {}) => {
      const answer = await ask(anna, { ...part, headers: [[COOKIES_HEADER, tag]] });
      return parseCookieState(headerOf(answer, COOKIES_HEADER));
    };
    equal(await known(NO_TAG), undefined, "nothing is there, and that is known");
    const hidden = await known(NO_TAG, setting("s=1; HttpOnly"));
    deepEqual(hidden?.cookies, [], "scripts see nothing of it");
    deepEqual(hidden?.hidden, [{ name: "s", path: "/", life: undefined }], "but its name is taken");
    equal(await known(hidden!.tag, setting("s=2; HttpOnly; Max-Age=60")), undefined);
    const first = await known(hidden!.tag, setting("a=1; Max-Age=60"));
    deepEqual(first?.cookies.map(({ name }) => name), ["a"]);
    ok(first!.cookies[0]!.life! > 50_000);
    equal(await known(first!.tag), undefined);
    const second = await known(first!.tag, setting("a=; Max-Age=0"));
    deepEqual(second?.cookies, []);
    deepEqual((await known("0badc0de.99"))?.tag, second?.tag, "another run of the agent");
    equal(
      (await ask(anna, { headers: [] })).headers.some(([name]) => name === COOKIES_HEADER),
      false,
    );
  });
});

Deno.test("what scripts write is taken in its order, and cannot touch HttpOnly", async () => {
  await withServer(cookieEcho, async ({ anna }) => {
    await ask(anna, setting("s=1; HttpOnly"));
    const lines = [
      "a=1",
      "a=2",
      "s=forged",
      "h=1; HttpOnly",
      "x=1\r\nx: y",
      "old=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT",
    ];
    const date = Date.UTC(2026, 0, 2);
    const answer = await post(
      anna,
      COOKIES_PATH,
      encodeCookieWrites(lines.map((line) => ({ path: "/", date, line }))),
    );
    deepEqual(parseCookieState(answer.text)?.cookies.map(({ name, value }) => [name, value]), [[
      "a",
      "2",
    ]]);
    equal((await ask(anna)).text, "s=1; a=2");
    equal((await post(anna, COOKIES_PATH, "nonsense")).status, 400);
    equal((await post(anna, COOKIES_PATH, "x".repeat(2 << 20))).status, 400);
  });
});

Deno.test("nothing below the reserved prefix reaches a service", async () => {
  let asked = 0;
  await withServer((_request, response) => {
    asked++;
    response.end();
  }, async ({ anna }) => {
    for (const path of ["/.porthole/x", COOKIES_PATH, LOGIN_PATH, "/.porthole/sw.js"]) {
      equal((await ask(anna, { path })).status, 404, path);
    }
    const socket = anna.socket(head({ kind: "websocket", path: COOKIES_PATH }), NEVER);
    await rejects(socket, { code: "upstream_refused_socket" });
    equal(asked, 0);
  });
});

Deno.test("Clear-Site-Data clears the jar", async () => {
  await withServer((request, response) => {
    if (request.url === "/out") response.setHeader("clear-site-data", '"cache", "cookies"');
    if (request.url === "/in") response.setHeader("set-cookie", "a=1");
    response.end(request.headers.cookie ?? "");
  }, async ({ anna }) => {
    await ask(anna, { path: "/in" });
    equal((await ask(anna)).text, "a=1");
    await ask(anna, { path: "/out" });
    equal((await ask(anna)).text, "");
  });
});

/** Wants user "u" with `PASSWORD` by Basic; counts what it was offered. */
function guarded(offers: string[]): Handler {
  const right = `Basic ${btoa(String.fromCharCode(...utf8(`u:${PASSWORD}`)))}`;
  return (request, response) => {
    const { authorization } = request.headers;
    if (authorization !== undefined) offers.push(authorization);
    if (authorization !== right) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="r"' });
      return void response.end("who are you?");
    }
    let length = 0;
    request.on("data", (chunk: Uint8Array) => length += chunk.length);
    request.on("end", () => response.end(`welcome, ${length}`));
  };
}

function signIn(services: HolderServices, password: string): Promise<Answer> {
  return post(services, LOGIN_PATH, encodeLoginAnswer({ realm: "r", user: "u", password }));
}

Deno.test("a person is asked, told when it was wrong, and then signed in by the agent", async () => {
  const offers: string[] = [];
  await withServer(guarded(offers), async ({ anna, ben }) => {
    const question = (answer: Answer) => parseLoginQuestion(headerOf(answer, LOGIN_HEADER) ?? "");
    const first = await ask(anna);
    deepEqual([first.status, first.text], [401, "who are you?"]);
    equal(headerOf(first, "www-authenticate"), 'Basic realm="r"');
    deepEqual(question(first), { realm: "r", refused: false });
    equal((await signIn(anna, "wrong")).status, 204);
    deepEqual(question(await ask(anna)), { realm: "r", refused: true });
    deepEqual(question(await ask(anna)), { realm: "r", refused: false }, "it was forgotten");
    equal(offers.length, 1);
    await signIn(anna, PASSWORD);
    equal((await ask(anna)).text, "welcome, 0");
    equal(question(await ask(anna)), undefined);
    equal((await ask(ben)).status, 401, "and nobody else");
  });
});

Deno.test("a body is sent again after a challenge if it is short, and streams if it is long", async () => {
  await withServer(guarded([]), async ({ anna }) => {
    await signIn(anna, PASSWORD);
    const send = (length: number) =>
      ask(
        anna,
        { method: "POST", headers: [["content-length", String(length)]] },
        "x".repeat(length),
      );
    equal((await send(1000)).text, "welcome, 1000");
    equal(
      (await send(REPLAY_LIMIT_BYTES + 1)).text,
      `welcome, ${REPLAY_LIMIT_BYTES + 1}`,
      "unasked",
    );
    await signIn(anna, PASSWORD); // whose area is not known yet
    equal((await send(REPLAY_LIMIT_BYTES + 1)).status, 401);
  });
});

Deno.test("a service whose areas ask in turn for ever gets a few answers, not more", async () => {
  let asked = 0;
  await withServer((_request, response) => {
    response.writeHead(401, {
      "www-authenticate": `Basic realm="${++asked % 2 === 0 ? "r" : "s"}"`,
    });
    response.end();
  }, async ({ anna }) => {
    for (const realm of ["r", "s"]) {
      await post(anna, LOGIN_PATH, encodeLoginAnswer({ realm, user: "u", password: PASSWORD }));
    }
    equal((await ask(anna)).status, 401);
    equal(asked, CHALLENGES + 1);
  });
});

Deno.test("a page that brings its own Authorization answers for itself", async () => {
  const offers: string[] = [];
  await withServer(guarded(offers), async ({ anna }) => {
    await signIn(anna, PASSWORD);
    const answer = await ask(anna, { headers: [["Authorization", "Bearer x"]] });
    deepEqual([answer.status, headerOf(answer, LOGIN_HEADER)], [401, undefined]);
    deepEqual(offers, ["Bearer x"]);
    equal((await ask(anna)).text, "welcome, 0", "and costs nobody the login");
  });
});

Deno.test("a login that could break a header is refused", async () => {
  await withServer(guarded([]), async ({ anna }) => {
    const bad = [
      { realm: "r", user: "u\r\nx: y", password: "p" },
      { realm: "r", user: "u", password: "p\n" },
      { realm: "r", user: "u".repeat(2000), password: "p" },
      { realm: "r".repeat(2000), user: "u", password: "p" },
    ];
    for (const answer of bad) {
      equal((await post(anna, LOGIN_PATH, encodeLoginAnswer(answer))).status, 400);
    }
    equal((await post(anna, LOGIN_PATH, "")).status, 400);
  });
});

Deno.test("a WebSocket bears cookies and login, also after a challenge", async () => {
  await withServer(cookieEcho, async ({ anna }) => {
    await ask(anna, setting("a=1; HttpOnly"));
    const first = async (path: string) => {
      const socket = await anna.socket(head({ kind: "websocket", path }), NEVER);
      const reader = socket.messages.getReader();
      const { value } = await reader.read();
      socket.close({ code: 1000, reason: "" });
      await socket.closed;
      return new TextDecoder().decode(value?.bytes);
    };
    deepEqual(JSON.parse(await first("/")), { cookie: "a=1" });
    await rejects(first("/guarded"), { code: "upstream_refused_socket" });
    await signIn(anna, PASSWORD);
    match(await first("/guarded"), /"a=1; tried=1","authorization":"Basic /);
  });
});

Deno.test("the longest unused account goes, and a service that is not there gets none", async () => {
  await withServer(cookieEcho, async ({ services, anna }) => {
    await ask(anna, setting("a=1"));
    await rejects(ask(anna, { service: "nonsense" }), { code: "service_unknown" });
    for (let count = 0; count < ACCOUNTS; count++) {
      equal((await ask(services.forHolder(`${count}`), setting("b=1"))).status, 200);
      if (count === ACCOUNTS / 2) equal((await ask(anna)).text, "a=1");
    }
    equal((await ask(anna)).text, "a=1", "it was used since");
    equal((await ask(services.forHolder("0"))).text, "");
  });
});

Deno.test("a hostile service's flood of cookies is bounded, and its jar still works", async () => {
  const flood = Array.from({ length: 800 }, (_, index) => `n${index}=${"v".repeat(40)}`);
  await withServer((request, response) => {
    response.setHeader("set-cookie", flood);
    response.end(String(request.headers.cookie?.length ?? 0));
  }, async ({ anna }) => {
    for (let count = 0; count < 3; count++) {
      const answer = await ask(anna, { headers: [[COOKIES_HEADER, NO_TAG]] });
      ok(Number(answer.text) < 20_000, answer.text);
      ok((headerOf(answer, COOKIES_HEADER)?.length ?? 0) < 24_000);
    }
  });
});

Deno.test("no password and no cookie is ever logged", async () => {
  const lines: string[] = [];
  const write = (...values: unknown[]) => void lines.push(JSON.stringify(values));
  const log: Log = { debug: write, info: write, warn: write, error: write };
  await withServer(guarded([]), async ({ anna }) => {
    await signIn(anna, PASSWORD);
    await ask(anna, setting("a=secret"));
    await rejects(ask(anna, { service: "nonsense" }), (error) => !String(error).includes(PASSWORD));
  }, log);
  ok(!lines.join().includes("secret") && !lines.join().includes(PASSWORD));
});

Deno.test("each answer names its person to the browser, the same for as long as the person is", async () => {
  await withServer((_request, response) => {
    response.writeHead(200, { "x-porthole-holder": "the device's own idea" }).end();
  }, async ({ services, anna, ben }) => {
    const names = [];
    for (const person of [anna, anna, services.forHolder("aa"), ben]) {
      const head: RequestHead = {
        kind: "http",
        service: "ui",
        method: "GET",
        path: "/",
        headers: [],
      };
      const answer = await person.request({ head, body: null }, NEVER);
      await answer.body.cancel();
      names.push(
        answer.head.headers.filter(([name]) => name === HOLDER_HEADER).map(([, to]) => to),
      );
    }
    const [first, second, again, other] = names.map((found) => found.join());
    match(first!, /^[\w-]{22}$/);
    deepEqual([second, again], [first, first]);
    ok(other !== first);
  });
});
