/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { utf8 } from "../../src/lib/bytes.ts";
import type { RequestHead } from "../../src/protocol/http.ts";
import { WINDOWS_TO_OPENER } from "../../src/protocol/limits.ts";
import { BODY_WINDOW } from "../sw/port_messages.ts";
import type { DoubleStream } from "../testing/device_double.ts";
import { type PortClient, PumpBench } from "../testing/pump_bench.ts";

const HEAD = { kind: "http", method: "GET", path: "/", headers: [] };

function hello(stream: DoubleStream): void {
  stream.respond(200, [["content-type", "text/plain"]]);
  stream.write("hello");
  stream.end();
}

async function read(client: PortClient): Promise<string> {
  let text = "";
  for (;;) {
    const message = await client.next("data", "end", "error");
    if (message.type !== "data") return `${text}[${message.type}]`;
    text += new TextDecoder().decode(message.bytes);
    client.send({ type: "pull", bytes: message.bytes.length });
  }
}

Deno.test("pump carries a request and its answer between a port and the mux", async () => {
  using bench = new PumpBench(hello);
  const client = bench.open({ ...HEAD, path: "/a?b", headers: [["x", "y"]] });
  client.send({ type: "body-end" });
  const head = await client.next("head");
  assert.deepEqual(head, { type: "head", status: 200, headers: [["content-type", "text/plain"]] });
  assert.equal(await read(client), "hello[end]");
  const expected: RequestHead = {
    kind: "http",
    service: "ui",
    method: "GET",
    path: "/a?b",
    headers: [["x", "y"]],
  };
  assert.deepEqual(bench.device.heads, [expected]);
  assert.deepEqual(bench.told, [{ type: "ready" }]);
});

Deno.test("pump takes the service from the port and never from a message", async () => {
  using bench = new PumpBench(hello);
  const client = bench.open({ ...HEAD, service: "admin" });
  await client.next("head");
  assert.equal(bench.device.heads[0]?.service, "ui");
});

Deno.test("pump refuses a head that would make the agent end the connection", async () => {
  using bench = new PumpBench(hello);
  const bad = [
    { ...HEAD, path: "no-slash" },
    { ...HEAD, path: "/a b" },
    { ...HEAD, path: "/grüße" },
    { ...HEAD, path: "/.porthole/sw.js" },
    { ...HEAD, method: "GET /" },
    { ...HEAD, kind: "tcp" },
    { ...HEAD, headers: [["x", "a\r\nb: c"]] },
    { ...HEAD, headers: [["x y", "a"]] },
    { ...HEAD, headers: [["x"]] },
    { ...HEAD, headers: Array(300).fill(["x", "y"]) },
    null,
    "GET /",
  ];
  for (const head of bad) {
    assert.deepEqual(await bench.open(head).next("error"), { type: "error", code: "protocol" });
  }
  // Every part is legal, and all together are more than a head may hold.
  for (
    const long of [{ headers: Array(4).fill(["x", "y".repeat(10_000)]) }, {
      path: "/" + "x".repeat(40_000),
    }]
  ) {
    const stream = bench.open({ ...HEAD, ...long });
    assert.deepEqual(await stream.next("error"), { type: "error", code: "request_too_large" });
  }
  assert.equal(bench.device.heads.length, 0);
  const good = bench.open();
  assert.equal((await good.next("head")).status, 200);
});

Deno.test("pump resets a client that sends without credit, and no other", async () => {
  using bench = new PumpBench((stream) => stream.head.path === "/good" && hello(stream));
  const greedy = bench.open({ ...HEAD, method: "POST", path: "/greedy" });
  assert.equal((await greedy.next("pull")).bytes, BODY_WINDOW);
  bench.near.hold(); // nothing leaves: the mux fills, and the credit is not given back
  for (let i = 0; i < 16; i++) {
    greedy.send({ type: "body", bytes: new Uint8Array(65_536), text: false, last: false });
  }
  assert.deepEqual(await greedy.next("error"), { type: "error", code: "protocol" });
  bench.near.resume();
  assert.equal(await read(bench.open({ ...HEAD, path: "/good" })), "hello[end]");
  assert.deepEqual(bench.device.resets, ["/greedy"]);
});

Deno.test("pump gives body credit back only as the channel takes the body", async () => {
  let received = 0;
  using bench = new PumpBench((stream) => {
    stream.onMessage((bytes) => received += bytes.length);
    stream.onBody(() => hello(stream));
  });
  const client = bench.open({ ...HEAD, method: "POST" });
  const part = 60_000;
  let credit = (await client.next("pull")).bytes;
  for (let sent = 0; sent < 50; sent++) {
    while (credit < part + 64) credit += (await client.next("pull")).bytes;
    client.send({ type: "body", bytes: new Uint8Array(part), text: false, last: false });
    credit -= part + 64;
  }
  client.send({ type: "body-end" });
  await client.next("head");
  assert.equal(received, 50 * part);
});

Deno.test("pump holds the device back while nobody takes the body", async () => {
  const total = 3 << 20;
  using bench = new PumpBench((stream) => {
    stream.respond(200);
    stream.write(new Uint8Array(total));
    stream.end();
  });
  const client = bench.open();
  client.send({ type: "body-end" });
  let received = 0;
  const held: number[] = [];
  while (received < total) {
    const { bytes } = await client.next("data");
    received += bytes.length;
    held.push(bytes.length);
    const untaken = held.reduce((sum, length) => sum + length, 0);
    assert.ok(untaken <= WINDOWS_TO_OPENER.stream, `${untaken} bytes came without credit`);
    // A reader that stops for as long as the window is wide.
    if (untaken > WINDOWS_TO_OPENER.stream - 40_000) {
      client.send({ type: "pull", bytes: untaken });
      held.length = 0;
    } else if (received === total) client.send({ type: "pull", bytes: untaken });
  }
  await client.next("end");
});

Deno.test("pump resets a client that took more than there was", async () => {
  using bench = new PumpBench((stream) => stream.respond(200));
  const client = bench.open();
  await client.next("head");
  client.send({ type: "pull", bytes: 1 });
  assert.deepEqual(await client.next("error"), { type: "error", code: "protocol" });
});

Deno.test("pump ignores what is no message", async () => {
  using bench = new PumpBench(hello);
  bench.bridge.postMessage("open");
  bench.bridge.postMessage({ type: "open", head: HEAD }); // without a port
  const client = bench.open();
  for (const odd of [null, 1, {}, { type: "body" }, { type: "pull", bytes: -1 }]) client.send(odd);
  client.send({ type: "body", bytes: "text" });
  assert.equal(await read(client), "hello[end]");
});

Deno.test("pump tells the device when a client gives up", async () => {
  const reset = Promise.withResolvers<void>();
  using bench = new PumpBench((stream) => {
    if (stream.head.path === "/next") reset.resolve();
    stream.respond(200);
  });
  const client = bench.open({ ...HEAD, path: "/given-up" });
  await client.next("head");
  client.send({ type: "cancel" });
  await client.next("error");
  bench.open({ ...HEAD, path: "/next" }); // what comes after the reset shows that it came
  await reset.promise;
  assert.deepEqual(bench.device.resets, ["/given-up"]);
});

Deno.test("pump closes its half of a WebSocket when the device did", async () => {
  const closed = Promise.withResolvers<unknown>();
  using bench = new PumpBench((stream) => {
    stream.onClose(closed.resolve);
    stream.respond(101);
    stream.write("hi", { text: true, last: true });
    stream.end({ code: 4000, reason: "over" });
  });
  const client = bench.open({ ...HEAD, kind: "websocket" });
  const message = await client.next("data");
  assert.deepEqual([message.bytes, message.text, message.last], [utf8("hi"), true, true]);
  assert.deepEqual(await client.next("end"), {
    type: "end",
    close: { code: 4000, reason: "over" },
  });
  assert.deepEqual(await closed.promise, { code: 4000, reason: "over" });
});

Deno.test("pump ends every stream with the session and refuses new ones until the next", async () => {
  using bench = new PumpBench((stream) => stream.respond(200));
  const client = bench.open();
  await client.next("head");
  bench.far.close();
  assert.deepEqual(await client.next("error"), { type: "error", code: "session_closed" });
  assert.deepEqual(bench.told.at(-1), { type: "closed", reason: "channel-closed" });
  const refused = await bench.open().next("error");
  assert.deepEqual(refused, { type: "error", code: "session_closed" });
});

Deno.test("pump ends the session when the agent breaks the protocol", async () => {
  using bench = new PumpBench((stream) => stream.respond(200));
  const client = bench.open();
  await client.next("head");
  bench.far.inject(new Uint8Array([99, 0, 0, 0, 0, 0, 0, 1]).buffer);
  assert.deepEqual(await client.next("error"), { type: "error", code: "session_closed" });
  assert.deepEqual(bench.told.at(-1), { type: "closed", reason: "protocol" });
});

Deno.test("pump lets one bridge open 224 streams and not one more", async () => {
  using bench = new PumpBench((stream) => stream.respond(200));
  const clients = Array.from({ length: 225 }, () => bench.open());
  const last = clients.pop()!; // there are 225
  await Promise.all(clients.map((client) => client.next("head")));
  assert.deepEqual(await last.next("error"), { type: "error", code: "limit" });
  clients[0]!.send({ type: "cancel" });
  await clients[0]!.next("error");
  assert.equal((await bench.open().next("head")).status, 200);
});

Deno.test("pump answers a ping according to its session, and carries on with the next one", async () => {
  using bench = new PumpBench(hello);
  assert.deepEqual(await bench.ping("Gate"), { porthole: "pong", title: "Gate", session: 1 });
  assert.deepEqual(await bench.ping(7), { porthole: "pong", title: "", session: 1 });
  bench.session.receive({ type: "close" });
  assert.deepEqual(await bench.ping("Gate"), { porthole: "no-session" });
  const ready = new Promise((resolve) => bench.bridge.onmessage = ({ data }) => resolve(data));
  bench.reconnect();
  assert.deepEqual(await ready, { type: "ready" });
  assert.deepEqual(await bench.ping("Gate"), { porthole: "pong", title: "Gate", session: 2 });
  assert.equal(await read(bench.open()), "hello[end]");
});

Deno.test("pump lets the bridge go that was silent for longest when too many are bound", async () => {
  using bench = new PumpBench(hello);
  const ports = Array.from({ length: 64 }, () => {
    const { port1, port2 } = new MessageChannel();
    bench.session.receive({ type: "service", service: "ui", port: port2 });
    return port1; // with the 64th the bench's own bridge is the oldest, and goes
  });
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((resolve) => port2.onmessage = ({ data }) => resolve(data));
  ports[0]!.postMessage({ type: "ping", title: "" }, [port1]); // there are 64
  assert.deepEqual(await answer, { porthole: "pong", title: "", session: 1 });
  const next = new MessageChannel();
  bench.session.receive({ type: "service", service: "ui", port: next.port2 }); // costs the second its place
  const again = new MessageChannel();
  const still = new Promise((resolve) => again.port2.onmessage = ({ data }) => resolve(data));
  ports[0]!.postMessage({ type: "ping", title: "" }, [again.port1]);
  assert.deepEqual(await still, { porthole: "pong", title: "", session: 1 });
  for (const port of [...ports, port2, next.port1, again.port2]) port.close();
});

Deno.test("pump counts what went through", () => {
  using bench = new PumpBench(hello);
  bench.session.receive({ type: "stats" });
  assert.deepEqual(bench.told.at(-1), {
    type: "stats",
    stats: { streams: 0, received: 0, sent: 0, buffered: 0 },
  });
});
