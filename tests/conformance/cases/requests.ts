/** Cases 1 to 3: what a request says. */
import type { Case } from "../case.ts";
import type { Exchange } from "../exchange.ts";

function echoLine(exchange: Exchange): void {
  exchange.reply({ body: exchange.line });
}

export const urls: Case = {
  number: 1,
  title: "URL fidelity: the request line, byte for byte",
  firefox: true,
  device: () => ({ paths: { "/echo*": echoLine, "//*": echoLine } }),
  expected: {
    "%2F stays": "GET /echo/a%2Fb%2f HTTP/1.1",
    "empty query": "GET /echo? HTTP/1.1",
    "navigation": "GET /echo//frame/%2F?&=%20+ HTTP/1.1",
  },
};

async function describe(exchange: Exchange): Promise<void> {
  const body = await exchange.text();
  exchange.json({ method: exchange.method, body, type: exchange.header("content-type") ?? null });
}

export const methods: Case = {
  number: 2,
  title: "Methods; HEAD without a body, 204, 205, 304",
  firefox: true,
  device: () => ({
    paths: {
      "/method": describe,
      "/head": (exchange) =>
        exchange.reply({ headers: [["Content-Length", "1234"], ["X-Kept", "yes"]] }),
      "/status/*": (exchange) => exchange.reply({ status: Number(exchange.path.slice(8)) }),
    },
  }),
  expected: {
    "PUT": [200, { method: "PUT", body: "b", type: "text/plain;charset=UTF-8" }],
    "HEAD": [200, "1234", "yes", ""],
    "204": [204, ""],
    "304": [304, ""],
  },
  exceptions: {
    "patch": "a service worker is told PATCH: the browser has written it in capitals before",
  },
};

/** Own name of the device in what it tells, because its port differs between runs. */
function tellHeaders(exchange: Exchange): void {
  const lines = exchange.headers.map(([name, value]) => [
    name.toLowerCase(),
    value.replaceAll(exchange.authority, "DEVICE"),
  ]);
  exchange.json({ line: exchange.line, lines });
}

export const requestHeaders: Case = {
  number: 3,
  title: "Request headers: Host, Origin, Referer, User-Agent, Accept-Language, Cookie, repeated",
  firefox: true,
  device: () => ({ paths: { "/headers*": tellHeaders } }),
  expected: {
    "GET host": "DEVICE",
    "GET referer": "http://DEVICE/",
    "GET cookie": "conf3=one",
    "POST origin": "http://DEVICE",
    "GET x-twice": "a, b",
  },
  exceptions: {
    "* accept-encoding":
      "only what a page's DecompressionStream undoes is asked for: gzip and deflate",
    "* sec-fetch":
      "browsers say it to hosts that they trust, such as 127.0.0.1; no device on a LAN hears it over http",
  },
};
