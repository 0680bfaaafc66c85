/** Cases 4 to 6, 13 and 28: what an answer says, whole or broken. */
import { Buffer } from "node:buffer";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import type { Case } from "../case.ts";
import type { Handler } from "../device_server.ts";
import type { Exchange, Lines } from "../exchange.ts";

/** Why some checks cannot agree. */
const NO_REASON = "answers have no reason phrase in the tunnel, as they have none in HTTP/2";
const OF_THE_ORIGIN = "it speaks of the device's own origin, and would bind ours";
const STRICT = "the agent's HTTP parser takes neither; RFC 9112 (2.2, 5.2) leaves it the choice";
const CUT_FOR_XHR =
  "of a service worker's body that breaks off Chromium tells an XHR abort, not error";
const BAD_GATEWAY = "where no answer comes, the page gets 502 with the reason instead of an error";

export const answerHeaders: Case = {
  number: 4,
  title: "Answer headers: two Set-Cookie, two Link, casing, Latin-1, empty, padded",
  firefox: true,
  device: () => ({
    paths: {
      "/headers": (exchange) =>
        exchange.reply({
          reason: "Quite Fine",
          headers: [
            ["Set-Cookie", "conf4a=1; Path=/"],
            ["Set-Cookie", "conf4b=2; Path=/; HttpOnly"],
            ["Link", "</a>; rel=x"],
            ["Link", "</b>; rel=y"],
            ["X-CaSe", "MiXed"],
            ["X-Latin", "caf\xe9"],
            ["X-Empty", ""],
            ["X-Padded", "   in the middle \t "],
            ["X-Comma", "a, b"],
            ["X-Comma", "c"],
            ["X-Quoted", `"a\\"b"`],
            ["Server", "device/1.0"],
            ["Date", "Mon, 01 Jan 2024 00:00:00 GMT"],
            ["Refresh", "999"],
            ["Content-Language", "de"],
            ["Content-Location", "/elsewhere"],
            ["Warning", `199 - "old"`],
            ["X-Powered-By", "a device"],
            ["Alt-Svc", `h3=":443"`],
            ["Clear-Site-Data", `"cache"`],
            ["Strict-Transport-Security", "max-age=1"],
          ],
          body: "x",
        }),
      "/type/*": (exchange) =>
        exchange.reply({
          headers: [["Content-Type", exchange.query.get("type") ?? ""]],
          body: `<p id="p">gr\u00fc\u00df</p>`,
        }),
      "/folded": (exchange) => exchange.raw(FOLDED),
      "/no-reason": (exchange) => exchange.raw("HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx"),
      "/http-1.0": (exchange) => exchange.raw("HTTP/1.0 200 OK\nContent-Type: text/plain\n\nold"),
    },
  }),
  expected: {
    "link": "</a>; rel=x, </b>; rel=y",
    "x-latin": "caf\xe9",
    "x-padded": "in the middle",
    "set-cookie": null,
    "document.cookie": "conf4a=1",
    "HTTP/1.0 with bare line feeds": [200, "old"],
  },
  exceptions: {
    "reason": NO_REASON,
    "alt-svc": OF_THE_ORIGIN,
    "strict-transport-security": OF_THE_ORIGIN,
    "folded line": STRICT,
    "HTTP/1.0 with bare line feeds": STRICT,
  },
  exceptionsIn: {
    chromium: {
      "x-latin": "Chromium reads the headers of a service worker's answer as UTF-8",
    },
    firefox: { "clear-site-data": OF_THE_ORIGIN },
  },
};

const FOLDED =
  "HTTP/1.1 200 OK\r\nX-Folded: one\r\n  two\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx";

const PLAIN = Buffer.from(
  Array.from({ length: 20_000 }, (_, index) => `line ${index * 7919}\n`).join(""),
);
const CODINGS: Readonly<Record<string, (data: Buffer) => Buffer>> = {
  gzip: (data) => gzipSync(data),
  deflate: (data) => deflateSync(data),
  br: (data) => brotliCompressSync(data),
  identity: (data) => data,
};
/** Bytes per write: many pieces, cut anywhere. */
const PIECE_BYTES = 7_001;

async function pieces(data: Buffer, send: (piece: Buffer) => Promise<void>): Promise<void> {
  for (let at = 0; at < data.length; at += PIECE_BYTES) {
    await send(data.subarray(at, at + PIECE_BYTES));
  }
}

/** `/body/CODING/FRAMING`; the coding "best" is the best of those that were asked for. */
async function body(exchange: Exchange): Promise<void> {
  const [, , wanted = "", framing] = exchange.path.split("/");
  const accepted = (exchange.header("accept-encoding") ?? "").split(/, */);
  const best = ["br", "gzip", "deflate"].find((coding) => accepted.includes(coding)) ?? "identity";
  const coding = wanted === "best" ? best : wanted;
  const data = CODINGS[coding]!(PLAIN); // the page asks for these only
  const headers: Lines = [
    ["Content-Type", "text/plain"],
    ["Cache-Control", "no-store"],
    ...(coding === "identity" ? [] : [["Content-Encoding", coding] as const]),
  ];
  if (framing === "chunked") {
    exchange.startChunks(headers);
    await pieces(data, (piece) => exchange.chunk(piece));
    return await exchange.endChunks();
  }
  const length = framing === "length" ? [["Content-Length", String(data.length)] as const] : [];
  exchange.head(200, [...headers, ...length, ["Connection", "close"]]);
  await pieces(data, (piece) => exchange.write(piece));
}

export const bodies: Case = {
  number: 5,
  title: "Bodies: gzip, br, deflate, chunked, with a length, to the end of the connection",
  firefox: true,
  device() {
    const go = gates();
    return {
      paths: {
        "/body/*": body,
        "/lock-step/*": async (exchange) => {
          exchange.startChunks();
          await exchange.chunk("first ");
          await go.wait(exchange.path);
          await exchange.chunk("last");
          await exchange.endChunks();
        },
        "/go/*": (exchange) => {
          go.open(exchange.path.slice("/go".length));
          exchange.reply({ body: "gone" });
        },
        "/chunk-extensions": async (exchange) => {
          exchange.startChunks();
          await exchange.write('3;name=value\r\nabc\r\n0003;q="x;y"\r\ndef\r\n0\r\n');
          await exchange.write("X-Trailer: gone\r\n\r\n");
          exchange.isWhole = true;
        },
        "/empty/*": (exchange) => {
          exchange.head(200, [["Content-Encoding", "gzip"], ["Content-Length", "0"]]);
          exchange.isWhole = true;
        },
      },
    };
  },
  expected: {
    "gzip chunked": PLAIN.length,
    "br length": PLAIN.length,
    "identity close": PLAIN.length,
    "first before last": ["first ", "last", true],
  },
};

/** Doors that one request waits at and another opens. */
export function gates(): { wait(name: string): Promise<void>; open(name: string): void } {
  const doors = new Map<string, PromiseWithResolvers<void>>();
  const door = (name: string) => {
    const known = doors.get(name) ?? Promise.withResolvers<void>();
    doors.set(name, known);
    return known;
  };
  return { wait: (name) => door(name).promise, open: (name) => door(name).resolve() };
}

/** Where a redirect leads, by its name; `own` and `other` are addresses of devices. */
function places(exchange: Exchange, other: string): Readonly<Record<string, string>> {
  return {
    "relative": "../../arrived?from=relative",
    "absolute": "/arrived?from=absolute",
    "whole": `http://${exchange.authority}/arrived?from=whole`,
    "scheme": `//${exchange.authority}/arrived?from=scheme`,
    "fragment": "/arrived#there",
    "query": "?x=1",
    "empty": "",
    "other": `${other}/arrived`,
    "not-ascii": "/arrived/gr\xc3\xbc\xc3\x9f",
    "self": `http://${exchange.authority}${exchange.target}`,
    "spaces": "/arrived/a b",
  };
}

export const redirects: Case = {
  number: 6,
  title: "Redirects: 301, 302, 303, 307, 308; follow, manual, error; relative, absolute, elsewhere",
  firefox: true,
  device: ({ other }) => ({
    paths: {
      "/to/*": async (exchange) => {
        await exchange.skipBody();
        const [, , status, place = ""] = exchange.path.split("/");
        if (exchange.query.has("x")) return arrived(exchange);
        const location = places(exchange, other)[place] ?? "";
        exchange.reply({ status: Number(status), headers: [["Location", location]] });
      },
      "/chain/*": (exchange) => {
        const left = Number(exchange.path.slice("/chain/".length));
        const location = left === 0 ? "/arrived" : `/chain/${left - 1}`;
        exchange.reply({
          status: 302,
          headers: [["Location", location], ["Set-Cookie", `conf6=${left}; Path=/arrived`]],
        });
      },
      "/no-location": (exchange) => exchange.reply({ status: 302, body: "stay" }),
      "/arrived*": arrived,
    },
  }),
  other: () => ({
    paths: {
      "/arrived": (exchange) =>
        exchange.html(
          `<script>parent.postMessage({ name: "other", value: "arrived" }, "*")</script>`,
          [
            ["Access-Control-Allow-Origin", "*"],
          ],
        ),
    },
  }),
  exceptions: {
    "to another device by fetch":
      "a fetch to another origin does not pass that origin's service worker, so it reaches no tunnel",
    "to another device by frame":
      "pages of one service may not act at another: a person's click goes on there",
  },
  expected: {
    "303 POST": [true, "GET", "", "HERE/arrived?from=absolute"],
    "307 POST": [true, "POST", "body", "HERE/arrived?from=absolute"],
    "manual": ["opaqueredirect", 0],
    "cookies on the way": "conf6=0",
  },
};

async function arrived(exchange: Exchange): Promise<void> {
  const text = await exchange.text();
  const value = { method: exchange.method, body: text, cookie: exchange.cookie("conf6") ?? null };
  if (exchange.header("accept")?.startsWith("text/html")) {
    return exchange.html(`<p id="arrived">${exchange.method} ${exchange.target}</p>`);
  }
  exchange.json(value);
}

const CUT_BODY = "x".repeat(300_000);

/** Heads and bodies that break off or lie, by path. */
const BROKEN: Readonly<Record<string, Handler>> = {
  "/short": async (exchange) => {
    exchange.head(200, [["Content-Length", "1000000"], ["Connection", "close"]]);
    await exchange.write(CUT_BODY);
    exchange.socket.end();
  },
  "/short-by-one": async (exchange) => {
    exchange.head(200, [["Content-Length", "6"], ["Connection", "close"]]);
    await exchange.write("12345");
    exchange.socket.end();
  },
  "/short-with-reset": async (exchange) => {
    exchange.head(200, [["Content-Length", "1000000"]]);
    await exchange.write(CUT_BODY);
    await new Promise((resolve) => setTimeout(resolve, 200)); // a reset takes unread bytes away
    exchange.reset();
  },
  "/chunks-cut": async (exchange) => {
    exchange.startChunks();
    await exchange.chunk(CUT_BODY);
    exchange.socket.end();
  },
  "/chunk-cut": async (exchange) => {
    exchange.startChunks();
    await exchange.write(`10000\r\nabc`);
    exchange.socket.end();
  },
  "/bad-chunk": async (exchange) => {
    exchange.startChunks();
    await exchange.chunk("abc");
    await exchange.write("zz\r\nabc\r\n0\r\n\r\n");
    exchange.socket.end();
  },
  "/too-much": async (exchange) => {
    exchange.head(200, [["Content-Length", "5"], ["Connection", "close"]]);
    await exchange.write("12345 and more");
    exchange.socket.end();
  },
  "/gzip-cut": async (exchange) => {
    const whole = gzipSync(PLAIN);
    exchange.head(200, [["Content-Encoding", "gzip"], ["Connection", "close"]]);
    await exchange.write(whole.subarray(0, whole.length / 2));
    exchange.socket.end();
  },
  "/gzip-broken": (exchange) =>
    exchange.reply({ headers: [["Content-Encoding", "gzip"]], body: "this is not gzip" }),
  "/two-lengths": (exchange) =>
    exchange.raw("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde"),
  "/no-answer": (exchange) => void exchange.socket.end(),
  "/no-http": (exchange) => exchange.write("+OK another protocol\r\n"),
  "/half-head": (exchange) => exchange.raw("HTTP/1.1 200 OK\r\nContent-Le"),
};

/** Those of them whose head is right. */
const CUT_BODIES = [
  "short",
  "short-by-one",
  "short-with-reset",
  "chunks-cut",
  "chunk-cut",
  "bad-chunk",
  "gzip-broken",
];

export const cuts: Case = {
  number: 13,
  title: "A body that is cut is an error, never an end",
  firefox: true,
  device: () => ({ paths: BROKEN }),
  expected: {
    "short, as text": "an error",
    "short-by-one, as text": "an error",
    "chunks-cut, as text": "an error",
    "chunk-cut, as text": "an error",
    "bad-chunk, as text": "an error",
    "too-much, as text": 5,
    "short, by XHR": "error",
  },
  exceptions: {
    ...Object.fromEntries(
      ["two-lengths", "no-answer", "no-http", "half-head"].map((
        path,
      ) => [`${path},*`, BAD_GATEWAY]),
    ),
    "gzip-cut,*":
      "a browser may take a cut gzip body for a whole one; through the tunnel it is an error",
  },
  exceptionsIn: {
    chromium: Object.fromEntries(CUT_BODIES.map((path) => [`${path}, by XHR`, CUT_FOR_XHR])),
  },
};
