import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { createServer as createTcpServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
// @ts-types="npm:@types/ws@8.18.2"
import { type WebSocket, WebSocketServer } from "ws";
import { utf8 } from "../lib/bytes.ts";
import { SILENT } from "../lib/log.ts";
import { StreamError } from "../protocol/errors.ts";
import type { Header, RequestHead } from "../protocol/http.ts";
import { createServices, type DeviceServices } from "./services.ts";
import { parseTarget } from "./target.ts";

const NEVER = new AbortController().signal;
const CONTENT = "https://abc.content.example";

function head(part: Partial<RequestHead> = {}): RequestHead {
  return { kind: "websocket", service: "ui", method: "GET", path: "/", headers: [], ...part };
}

interface Bench {
  readonly services: DeviceServices;
  /** The service's end of the next socket. */
  readonly accepted: () => Promise<{ peer: WebSocket; request: IncomingMessage }>;
}

async function withSocketServer(
  act: (bench: Bench) => Promise<void>,
  where: { path?: string } = {},
): Promise<void> {
  const server = createServer((_, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (names) => [...names].at(-1)!,
  });
  const connections: Socket[] = [];
  const waiting: ((value: { peer: WebSocket; request: IncomingMessage }) => void)[] = [];
  server.on("connection", (socket) => {
    connections.push(socket);
    socket.on("error", () => {});
  });
  sockets.on("headers", (lines) => lines.push("Set-Cookie: a=1", "Set-Cookie: b=2"));
  server.on("upgrade", (request, socket, rest) => {
    if (request.url === "/refused") {
      return void socket.end("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
    }
    sockets.handleUpgrade(request, socket, rest, (peer) => {
      peer.on("error", () => {});
      waiting.shift()?.({ peer, request });
    });
  });
  server.listen(where.path ? { path: where.path } : { port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const target = parseTarget(
    where.path
      ? `unix:${where.path}`
      : `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  );
  const services = createServices([{ id: "ui", title: "", target }], {
    log: SILENT,
    isContentOrigin: (_service, origin) => origin === CONTENT,
  });
  try {
    await act({ services, accepted: () => new Promise((resolve) => waiting.push(resolve)) });
  } finally {
    services.close();
    const done = once(server, "close");
    server.close();
    for (const socket of connections) socket.destroy();
    await Promise.all([
      done,
      ...connections.map((socket) => socket.closed || once(socket, "close")),
    ]);
  }
}

async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof StreamError, String(error));
    return error.code;
  }
  return "no error";
}

/** Both ends of one socket. */
async function pair(
  { services, accepted }: Bench,
  part: Partial<RequestHead> = {},
  signal = NEVER,
) {
  const other = accepted();
  const socket = await services.socket(head(part), signal);
  return { socket, ...await other };
}

Deno.test("websocket passes path, origin, cookies and subprotocols, and tells what was chosen", async () => {
  await withSocketServer(async (bench) => {
    const headers: Header[] = [
      ["Origin", CONTENT],
      ["Cookie", "a=1"],
      ["Sec-WebSocket-Protocol", "one, two"],
      ["Sec-WebSocket-Key", "forged"],
      ["Sec-WebSocket-Extensions", "permessage-deflate"],
      ["Connection", "keep-alive"],
      ["X-Forwarded-For", "10.0.0.1"],
    ];
    const path = "//a/../b%2F?x=%zz";
    const { socket, peer, request } = await pair(bench, { path, headers });
    assert.equal(request.url, path);
    const { host, origin, cookie } = request.headers;
    assert.equal(origin, `http://${host}`);
    assert.equal(cookie, "a=1");
    assert.equal(request.headers["sec-websocket-protocol"], "one,two");
    assert.equal(request.headers["sec-websocket-extensions"], undefined);
    assert.equal(request.headers["x-forwarded-for"], undefined);
    assert.equal(request.headers["x-forwarded-host"], undefined); // would contradict Origin
    assert.equal(socket.head.status, 101);
    assert.deepEqual(socket.head.headers, [
      ["Sec-WebSocket-Protocol", "two"],
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
    ]);
    peer.close();
    assert.equal((await socket.messages.getReader().read()).done, true);
    await socket.closed;
  });
});

Deno.test("websocket carries text and bytes both ways, empty and large ones too", async () => {
  await withSocketServer(async (bench) => {
    const { socket, peer } = await pair(bench);
    peer.on("message", (data: Uint8Array, binary) => peer.send(data, { binary }));
    const reader = socket.messages.getReader();
    const large = new Uint8Array(4 * 1024 * 1024).map((_, i) => i * 7);
    for (
      const message of [
        { text: true, bytes: utf8("hé") },
        { text: false, bytes: new Uint8Array([0, 255]) },
        { text: true, bytes: new Uint8Array() },
        { text: false, bytes: large },
      ]
    ) {
      await socket.send(message);
      const { value } = await reader.read();
      assert.equal(value!.text, message.text);
      assert.ok(Buffer.from(value!.bytes).equals(message.bytes));
    }
    socket.close({ code: 1000, reason: "" });
    assert.equal((await reader.read()).done, true);
  });
});

Deno.test("websocket passes close codes and reasons both ways", async () => {
  await withSocketServer(async (bench) => {
    for (
      const [code, reason] of [[1000, ""], [1001, "going"], [3000, "x"], [
        4999,
        "é".repeat(70),
      ]] as const
    ) {
      const { socket, peer } = await pair(bench);
      const seen = once(peer, "close");
      socket.close({ code, reason });
      const [peerCode, peerReason] = await seen;
      assert.equal(peerCode, code);
      assert.equal(String(peerReason), reason.slice(0, 61));
      assert.equal((await socket.closed).code, code);
    }
    for (const [code, reason] of [[1000, "done"], [4001, "bye"]] as const) {
      const { socket, peer } = await pair(bench);
      peer.close(code, reason);
      await socket.messages.getReader().read();
      assert.deepEqual(await socket.closed, { code, reason });
    }
  });
});

Deno.test("websocket tells a close without a code from a broken connection, both ways", async () => {
  await withSocketServer(async (bench) => {
    for (const code of [1005, 1006, 1015, 0, 2999, 5000, NaN]) {
      const { socket, peer } = await pair(bench);
      const seen = once(peer, "close");
      socket.close({ code, reason: "" });
      assert.equal((await seen)[0], code === 1005 ? 1005 : 1006, String(code));
    }
    const quiet = await pair(bench);
    quiet.peer.close();
    assert.equal((await quiet.socket.messages.getReader().read()).done, true);
    assert.equal((await quiet.socket.closed).code, 1005);
    const broken = await pair(bench);
    broken.peer.terminate();
    assert.equal((await broken.socket.messages.getReader().read()).done, true);
    assert.equal((await broken.socket.closed).code, 1006);
    await broken.socket.send({ text: true, bytes: utf8("into the void") });
  });
});

Deno.test("websocket delivers what came before the close", async () => {
  await withSocketServer(async (bench) => {
    const { socket, peer } = await pair(bench);
    for (let i = 0; i < 100; i++) peer.send(String(i));
    peer.close(4000);
    const seen: string[] = [];
    for await (const { bytes } of socket.messages) seen.push(new TextDecoder().decode(bytes));
    assert.deepEqual(seen, Array.from({ length: 100 }, (_, i) => String(i)));
    assert.equal((await socket.closed).code, 4000);
  });
});

Deno.test("websocket holds the service back while nobody pulls, and loses nothing", async () => {
  await withSocketServer(async (bench) => {
    const { socket, peer } = await pair(bench);
    const block = new Uint8Array(64 * 1024);
    const count = 640; // 40 MiB, far above what kernels buffer
    for (let i = 0; i < count; i++) peer.send(block);
    const reader = socket.messages.getReader();
    let received = (await reader.read()).value!.bytes.length;
    let seen = -1;
    while (seen !== peer.bufferedAmount) {
      seen = peer.bufferedAmount;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.ok(seen > 20 * 1024 * 1024, `only ${seen} bytes were held back`);
    while (received < count * block.length) received += (await reader.read()).value!.bytes.length;
    assert.equal(received, count * block.length);
    await reader.cancel();
    assert.equal((await socket.closed).code, 1006);
  });
});

Deno.test("websocket send waits while the service does not read", async () => {
  await withSocketServer(async (bench) => {
    const { socket, peer } = await pair(bench);
    peer.pause();
    const bytes = new Uint8Array(1024 * 1024);
    let sent = 0;
    let received = 0;
    peer.on("message", (data: Uint8Array) => received += data.length);
    const total = 30;
    const sending = (async () => {
      for (; sent < total; sent++) await socket.send({ text: false, bytes });
    })();
    let seen = -1;
    while (seen !== sent) {
      seen = sent;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.ok(seen < total, `${seen} MiB went into the socket`);
    peer.resume();
    await sending;
    socket.close({ code: 1000, reason: "" });
    await socket.closed;
    assert.equal(received, total * bytes.length);
  });
});

Deno.test("websocket refuses text that is none, and messages above the limit", async () => {
  await withSocketServer(async (bench) => {
    const { socket, peer } = await pair(bench);
    assert.equal(
      await failure(socket.send({ text: true, bytes: new Uint8Array([0xff]) })),
      "protocol",
    );
    const huge = new Uint8Array(16 * 1024 * 1024 + 1);
    assert.equal(await failure(socket.send({ text: false, bytes: huge })), "limit");
    const seen = once(peer, "close");
    peer.send(huge);
    assert.equal((await socket.messages.getReader().read()).done, true);
    assert.equal((await seen)[0], 1009);
    await socket.closed;
  });
});

Deno.test("websocket ends with its signal, and with the services", async () => {
  await withSocketServer(async (bench) => {
    const abort = new AbortController();
    const first = await pair(bench, {}, abort.signal);
    const seen = once(first.peer, "close");
    abort.abort();
    assert.equal((await seen)[0], 1006);
    assert.equal((await first.socket.closed).code, 1006);
    assert.equal((await first.socket.messages.getReader().read()).done, true);
    assert.equal(await failure(bench.services.socket(head(), abort.signal)), "cancelled");
    const second = await pair(bench);
    bench.services.close();
    assert.equal((await second.socket.closed).code, 1006);
  });
});

Deno.test("websocket says why it did not open", async () => {
  await withSocketServer(async ({ services }) => {
    const open = (part: Partial<RequestHead>) => failure(services.socket(head(part), NEVER));
    assert.equal(await open({ path: "/refused" }), "upstream_refused_socket");
    assert.equal(await open({ method: "POST" }), "protocol");
    assert.equal(await open({ path: "x" }), "protocol");
    for (const value of ["", "a,,b", "a, a", "a b", "a;b", "x,".repeat(40) + "x"]) {
      assert.equal(await open({ headers: [["Sec-WebSocket-Protocol", value]] }), "protocol", value);
    }
  });
  const services = createServices(
    [{ id: "ui", title: "", target: parseTarget("unix:/nowhere/x") }],
    {
      log: SILENT,
    },
  );
  assert.equal(await failure(services.socket(head(), NEVER)), "upstream_unreachable");
  services.close();
});

Deno.test("websocket gives up on a service that never answers or answers nonsense", async () => {
  const cases = [
    { raw: "", code: "upstream_timeout", handshakeLimitMs: 50 },
    { raw: "SSH-2.0\r\n\r\n", code: "upstream_broken", handshakeLimitMs: 60_000 },
  ];
  for (const { raw, code, handshakeLimitMs } of cases) {
    const connections: Socket[] = [];
    const server = createTcpServer((socket) => {
      connections.push(socket);
      socket.on("error", () => {});
      socket.once("data", () => void socket.write(raw));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const target = parseTarget(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const limits = { handshakeLimitMs };
    const services = createServices([{ id: "ui", title: "", target }], { log: SILENT, limits });
    assert.equal(await failure(services.socket(head(), NEVER)), code);
    services.close();
    const done = once(server, "close");
    server.close();
    for (const socket of connections) socket.destroy();
    await Promise.all([
      done,
      ...connections.map((socket) => socket.closed || once(socket, "close")),
    ]);
  }
});

Deno.test("websocket speaks to unix sockets", async () => {
  const directory = await Deno.makeTempDir();
  await withSocketServer(async (bench) => {
    const { socket, peer, request } = await pair(bench, { path: "/x" });
    assert.equal(request.headers.host, "localhost");
    peer.send("hi");
    const reader = socket.messages.getReader();
    assert.equal(new TextDecoder().decode((await reader.read()).value!.bytes), "hi");
    peer.close();
    assert.equal((await reader.read()).done, true);
    await socket.closed;
  }, { path: `${directory}/s` });
  await Deno.remove(directory, { recursive: true });
});
