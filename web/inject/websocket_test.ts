/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { utf8 } from "../../src/lib/bytes.ts";
import { BODY_WINDOW, type StreamHead } from "../sw/port_messages.ts";
import { PumpSide } from "../testing/pump_side.ts";
import { createWebSocketClass } from "./websocket.ts";

class NativeDouble extends EventTarget {
  constructor(readonly url: string | URL, readonly protocols?: string | string[]) {
    super();
  }
}

/** A page whose streams end at the test. */
class PageBench {
  readonly opened: { head: StreamHead; pump: PumpSide }[] = [];
  readonly live = new Set<{ abandon(): void }>();
  readonly WebSocket = createWebSocketClass({
    native: NativeDouble as unknown as typeof WebSocket,
    location: { host: "x.example", origin: "https://x.example" },
    baseUrl: () => "https://x.example/app/page",
    isLan: ({ host }) => host === "192.168.1.5",
    userAgent: "Test/1",
    open: (head, port) => void this.opened.push({ head, pump: new PumpSide(port) }),
    live: this.live,
  });

  /** A socket that the service accepted. */
  async connect(): Promise<{ socket: WebSocket; pump: PumpSide }> {
    const socket = new this.WebSocket("/ws");
    socket.binaryType = "arraybuffer";
    const { pump } = this.opened.at(-1)!; // the constructor opened it
    pump.send({ type: "pull", bytes: BODY_WINDOW });
    pump.send({ type: "head", status: 101, headers: [] });
    await event(socket, "open");
    return { socket, pump };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { pump } of this.opened) pump.send({ type: "error", code: "session_closed" });
    while (this.live.size > 0) await new Promise((resolve) => setTimeout(resolve));
    for (const { pump } of this.opened) pump.close();
  }
}

function event<T extends Event>(target: EventTarget, type: string): Promise<T> {
  return new Promise((resolve) =>
    target.addEventListener(type, (event) => resolve(event as T), { once: true })
  );
}

Deno.test("a WebSocket opens a stream of the page's own host", async () => {
  await using bench = new PageBench();
  const socket = new bench.WebSocket("wss://x.example/chat?a=%2F&b", ["one", "two"]);
  assert.equal(socket.url, "wss://x.example/chat?a=%2F&b");
  assert.equal(socket.readyState, bench.WebSocket.CONNECTING);
  assert.deepEqual(bench.opened[0]?.head, {
    kind: "websocket",
    method: "GET",
    path: "/chat?a=%2F&b",
    headers: [
      ["origin", "https://x.example"],
      ["user-agent", "Test/1"],
      ["sec-websocket-protocol", "one, two"],
    ],
  });
  socket.close();
});

Deno.test("a WebSocket to the service's own address on its LAN goes through the tunnel", async () => {
  await using bench = new PageBench();
  const socket = new bench.WebSocket("ws://192.168.1.5/chat");
  assert.equal(socket.url, "ws://192.168.1.5/chat");
  assert.equal(bench.opened[0]?.head.path, "/chat");
  socket.close();
});

Deno.test("a WebSocket takes relative, http and ws addresses of its host as one", async () => {
  await using bench = new PageBench();
  const url = (value: string | URL) => {
    const socket = new bench.WebSocket(value);
    socket.close();
    return socket.url;
  };
  assert.equal(url("live"), "wss://x.example/app/live");
  assert.equal(url("//x.example/live"), "wss://x.example/live");
  assert.equal(url("http://x.example/live"), "ws://x.example/live");
  assert.equal(url(new URL("https://u:p@x.example/live")), "wss://u:p@x.example/live");
  assert.equal(bench.opened.at(-1)?.head.path, "/live");
});

Deno.test("a WebSocket to another host is the browser's own, and an instance all the same", async () => {
  await using bench = new PageBench();
  const other = new bench.WebSocket("wss://other.example/", "p");
  assert.ok(other instanceof NativeDouble);
  assert.ok(other instanceof bench.WebSocket);
  assert.equal(bench.opened.length, 0);
});

Deno.test("a WebSocket has the class's face", async () => {
  await using bench = new PageBench();
  const { socket } = await bench.connect();
  assert.ok(socket instanceof bench.WebSocket);
  assert.ok(socket instanceof EventTarget);
  assert.ok(!({} instanceof bench.WebSocket));
  assert.ok(!((null as unknown) instanceof bench.WebSocket));
  assert.equal(socket.constructor, bench.WebSocket);
  assert.equal(bench.WebSocket.name, "WebSocket");
  assert.equal(Object.prototype.toString.call(socket), "[object WebSocket]");
  assert.deepEqual([socket.CONNECTING, socket.OPEN, socket.CLOSING, socket.CLOSED], [0, 1, 2, 3]);
  assert.deepEqual([bench.WebSocket.OPEN, bench.WebSocket.CLOSED], [1, 3]);
  assert.equal(socket.extensions, "");
  class Own extends bench.WebSocket {}
  const own = new Own("/ws");
  assert.ok(own instanceof Own && own instanceof bench.WebSocket);
  assert.ok(!(socket instanceof Own));
  own.close();
});

Deno.test("a WebSocket refuses what the standard refuses", async () => {
  await using bench = new PageBench();
  const named = (name: string) => (error: unknown) => (error as Error).name === name;
  const { WebSocket } = bench;
  assert.throws(() => new WebSocket("ftp://x.example/"), named("SyntaxError"));
  assert.throws(() => new WebSocket("wss://x.example/#a"), named("SyntaxError"));
  assert.throws(() => new WebSocket("https://["), named("SyntaxError"));
  assert.throws(() => new WebSocket("/", ["a", "a"]), named("SyntaxError"));
  assert.throws(() => new WebSocket("/", "a b"), named("SyntaxError"));
  const socket = new WebSocket("/");
  assert.throws(() => socket.send(""), named("InvalidStateError"));
  assert.throws(() => socket.close(1001), named("InvalidAccessError"));
  assert.throws(() => socket.close(5000), named("InvalidAccessError"));
  assert.throws(() => socket.close(1000, "ü".repeat(62)), named("SyntaxError"));
  socket.close();
});

Deno.test("a WebSocket sends in order, also when a Blob must be read first", async () => {
  await using bench = new PageBench();
  const { socket, pump } = await bench.connect();
  const view = new Uint8Array([0, 1, 2, 3]).subarray(1, 3);
  socket.send(new Blob(["blob"]));
  socket.send("text");
  socket.send(view);
  view.fill(9); // the socket has its own copy
  socket.send(view.buffer.slice(0, 1));
  socket.send("");
  const sent = [];
  for (let i = 0; i < 5; i++) {
    const { bytes, text, last } = await pump.next("body");
    sent.push([[...bytes], text, last]);
  }
  assert.deepEqual(sent, [
    [[...utf8("blob")], false, true],
    [[...utf8("text")], true, true],
    [[1, 2], false, true],
    [[0], false, true],
    [[], true, true],
  ]);
});

Deno.test("a WebSocket holds what it has no credit for, and says how much", async () => {
  await using bench = new PageBench();
  const { socket, pump } = await bench.connect();
  socket.send(new Uint8Array(1_000_000));
  const held = socket.bufferedAmount;
  assert.equal(held, 1_000_000 - 3 * 65_536); // three parts and their cost fit into 256 KiB
  let received = 0;
  for (let last = false; !last;) {
    const part = await pump.next("body");
    received += part.bytes.length;
    last = part.last;
    pump.send({ type: "pull", bytes: part.bytes.length + 64 });
  }
  assert.equal(received, 1_000_000);
  assert.equal(socket.bufferedAmount, 0);
});

Deno.test("a WebSocket puts fragments together and gives credit for each", async () => {
  await using bench = new PageBench();
  const { socket, pump } = await bench.connect();
  const message = event<MessageEvent>(socket, "message");
  const euro = utf8("€");
  pump.send({ type: "data", bytes: euro.slice(0, 1), text: true, last: false });
  pump.send({ type: "data", bytes: euro.slice(1), text: true, last: true });
  const { data, origin } = await message;
  assert.equal(data, "€");
  assert.equal(origin, "wss://x.example");
  assert.equal((await pump.next("pull")).bytes + (await pump.next("pull")).bytes, 3);
});

Deno.test("a WebSocket gives binary as the page wants it", async () => {
  await using bench = new PageBench();
  const { socket, pump } = await bench.connect();
  const next = async () => {
    const message = event<MessageEvent>(socket, "message");
    pump.send({ type: "data", bytes: new Uint8Array([1, 2]), text: false, last: true });
    return (await message).data;
  };
  assert.deepEqual(new Uint8Array(await next()), new Uint8Array([1, 2]));
  socket.binaryType = "blob";
  assert.equal((await next() as Blob).size, 2);
  (socket as { binaryType: string }).binaryType = "nonsense";
  assert.equal(socket.binaryType, "blob");
});

Deno.test("a WebSocket fails on text that is not UTF-8", async () => {
  await using bench = new PageBench();
  const { socket, pump } = await bench.connect();
  pump.send({ type: "data", bytes: new Uint8Array([0xff]), text: true, last: true });
  assert.deepEqual(await pump.next("body-end"), {
    type: "body-end",
    close: { code: 1007, reason: "" },
  });
  const closed = event<CloseEvent>(socket, "close");
  pump.send({ type: "end", close: { code: 1007, reason: "" } });
  assert.equal((await closed).code, 1007);
});

Deno.test("a WebSocket closes after what it still had to send", async () => {
  await using bench = new PageBench();
  const { socket, pump } = await bench.connect();
  socket.send(new Blob(["last words"]));
  socket.close(3000, "done");
  assert.equal(socket.readyState, bench.WebSocket.CLOSING);
  socket.send("too late");
  assert.equal(
    new TextDecoder().decode((await pump.next("body", "body-end") as { bytes: Uint8Array }).bytes),
    "last words",
  );
  assert.deepEqual(await pump.next("body", "body-end"), {
    type: "body-end",
    close: { code: 3000, reason: "done" },
  });
  const closed = event<CloseEvent>(socket, "close");
  pump.send({ type: "end", close: { code: 3000, reason: "done" } });
  const { code, reason, wasClean } = await closed;
  assert.deepEqual([code, reason, wasClean, socket.readyState], [3000, "done", true, 3]);
  assert.equal(bench.live.size, 0);
});

Deno.test("a WebSocket that breaks off tells of an error first", async () => {
  await using bench = new PageBench();
  const { socket, pump } = await bench.connect();
  const seen: string[] = [];
  socket.onerror = () => seen.push("error");
  const closed = event<CloseEvent>(socket, "close");
  pump.send({ type: "error", code: "session_closed" });
  const { code, wasClean } = await closed;
  assert.deepEqual([seen, code, wasClean], [["error"], 1006, false]);
});

Deno.test("a WebSocket takes no subprotocol that it did not ask for, and no answer but 101", async () => {
  await using bench = new PageBench();
  const answers = [
    { status: 101, headers: [["sec-websocket-protocol", "b"]] },
    { status: 200, headers: [] },
  ] as const;
  for (const answer of answers) {
    const socket = new bench.WebSocket("/ws", "a");
    const closed = event<CloseEvent>(socket, "close");
    bench.opened.at(-1)!.pump.send({ type: "head", ...answer }); // the constructor opened it
    assert.equal((await closed).code, 1006);
  }
});

Deno.test("a WebSocket that is closed while it connects gives its stream up", async () => {
  await using bench = new PageBench();
  const socket = new bench.WebSocket("/ws");
  const closed = event<CloseEvent>(socket, "close");
  socket.close();
  assert.equal((await closed).code, 1006);
  await bench.opened[0]!.pump.next("cancel"); // the constructor opened it
});

Deno.test("a WebSocket leaves with its page", async () => {
  await using bench = new PageBench();
  const { pump } = await bench.connect();
  for (const socket of bench.live) socket.abandon();
  assert.deepEqual((await pump.next("body-end")).close, { code: 1001, reason: "" });
  pump.send({ type: "end", close: { code: 1001, reason: "" } });
});

Deno.test("a WebSocket's handler attribute keeps its place in the order and can be taken away", async () => {
  await using bench = new PageBench();
  const { socket, pump } = await bench.connect();
  const seen: string[] = [];
  socket.onmessage = () => seen.push("replaced");
  socket.addEventListener("message", () => seen.push("listener"));
  const handler = () => seen.push("handler");
  socket.onmessage = handler;
  assert.equal(socket.onmessage, handler);
  const say = async () => {
    const message = event(socket, "message");
    pump.send({ type: "data", bytes: utf8("x"), text: true, last: true });
    await message;
  };
  await say();
  assert.deepEqual(seen, ["handler", "listener"]);
  socket.onmessage = null;
  assert.equal(socket.onmessage, null);
  await say();
  assert.deepEqual(seen, ["handler", "listener", "listener"]);
});
