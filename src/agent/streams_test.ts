import assert from "node:assert/strict";
import { type Bytes, utf8 } from "../lib/bytes.ts";
import { SILENT } from "../lib/log.ts";
import { StreamError } from "../protocol/errors.ts";
import type { SocketClose } from "../protocol/http.ts";
import { WINDOWS_TO_OPENER } from "../protocol/limits.ts";
import { BrowserDouble, ChannelDouble, servicesDouble } from "./doubles_test.ts";
import { MAX_SOCKET_MESSAGE_BYTES } from "./limits.ts";
import type { Services, SocketMessage, UpstreamRequest, UpstreamSocket } from "./seams.ts";
import { Streams } from "./streams.ts";

/** An agent's streams and a browser, joined; ended with the test. */
async function joined(
  methods: Partial<Services>,
  test: (browser: BrowserDouble, streams: Streams, ended: string[]) => Promise<void>,
): Promise<void> {
  const [near, far] = ChannelDouble.pair();
  const ended: string[] = [];
  const streams = new Streams(near, {
    services: servicesDouble(methods),
    log: SILENT,
    closed: (reason) => ended.push(reason),
  });
  streams.start();
  try {
    await test(new BrowserDouble(far), streams, ended);
  } finally {
    await streams.close();
  }
}

function answer(body: ReadableStream<Bytes>, status = 200) {
  return { head: { status, headers: [] }, body };
}

Deno.test("a request without a body reaches the service as such, and its answer the browser", async () => {
  const seen: UpstreamRequest[] = [];
  const request = (request: UpstreamRequest) => {
    seen.push(request);
    return Promise.resolve(answer(new Blob(["hello"]).stream() as ReadableStream<Bytes>, 203));
  };
  await joined({ request }, async (browser) => {
    const id = browser.open({ path: "/a?b" });
    browser.run((mux) => mux.end(0, id));
    assert.equal((await browser.next("head", id)).head.status, 203);
    await browser.next("end", id);
    assert.equal(browser.text(id), "hello");
    assert.equal(seen[0]?.head.path, "/a?b");
    assert.equal(seen[0]?.body, null);
    assert.equal(browser.mux.size, 0);
  });
});

Deno.test("an upload is streamed: the service reads its first part before the browser sent the last", async () => {
  const first = Promise.withResolvers<string>();
  const request = async ({ body }: UpstreamRequest) => {
    const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
    first.resolve((await reader.read()).value ?? "");
    const { value } = await reader.read();
    return answer(new Blob([value ?? ""]).stream() as ReadableStream<Bytes>);
  };
  await joined({ request }, async (browser) => {
    const id = browser.open({ method: "POST" });
    browser.run((mux) => mux.write(0, id, utf8("first ")));
    assert.equal(await first.promise, "first ");
    browser.run((mux) => mux.write(0, id, utf8("last")));
    browser.run((mux) => mux.end(0, id));
    await browser.next("end", id);
    assert.equal(browser.text(id), "last");
  });
});

Deno.test("a service that answers before the end of an upload does not take the part for the whole", async () => {
  const read = Promise.withResolvers<unknown>();
  const request = async ({ body }: UpstreamRequest) => {
    const reader = body!.getReader();
    await reader.read();
    reader.read().then(({ done }) => read.resolve(done ? "the end" : "more"), read.resolve);
    return answer(new Blob(["enough"]).stream() as ReadableStream<Bytes>, 413);
  };
  await joined({ request }, async (browser) => {
    const id = browser.open({ method: "POST" });
    browser.run((mux) => mux.write(0, id, utf8("first")));
    await browser.next("end", id);
    assert.equal(browser.text(id), "enough");
    assert.match(String(await read.promise), /the rest was discarded/);
  });
});

Deno.test("an answer whose head is too long to travel is refused, and its body let go", async () => {
  const released = Promise.withResolvers<void>();
  const body = new ReadableStream<Bytes>({ cancel: () => released.resolve() });
  const headers = Array.from({ length: 10 }, (_, at) => [`x-${at}`, "v".repeat(4096)] as const);
  const request = () => Promise.resolve({ head: { status: 200, headers }, body });
  await joined({ request }, async (browser) => {
    const id = browser.open({});
    browser.run((mux) => mux.end(0, id));
    assert.equal((await browser.next("reset", id)).code, "answer_too_large");
    await released.promise;
  });
});

Deno.test("a WebSocket whose answer is too long to travel is refused, and its work aborted", async () => {
  const aborted = Promise.withResolvers<void>();
  const headers = Array.from({ length: 10 }, (_, at) => [`x-${at}`, "v".repeat(4096)] as const);
  const socket = (_head: unknown, signal: AbortSignal): Promise<UpstreamSocket> => {
    signal.addEventListener("abort", () => aborted.resolve());
    return Promise.resolve({
      head: { status: 101, headers },
      messages: new ReadableStream<SocketMessage>(),
      closed: new Promise<SocketClose>(() => {}),
      send: () => Promise.resolve(),
      close: () => {},
    });
  };
  await joined({ socket }, async (browser) => {
    const id = browser.open({ kind: "websocket" });
    assert.equal((await browser.next("reset", id)).code, "answer_too_large");
    await aborted.promise;
  });
});

Deno.test("the browser has the first byte of an answer before the service wrote the last", async () => {
  const gate = Promise.withResolvers<void>();
  const body = new ReadableStream<Bytes>({
    async start(controller) {
      controller.enqueue(utf8("first"));
      await gate.promise;
      controller.enqueue(utf8("last"));
      controller.close();
    },
  });
  await joined({ request: () => Promise.resolve(answer(body)) }, async (browser) => {
    const id = browser.open({});
    browser.run((mux) => mux.end(0, id));
    await browser.next("data", id);
    assert.equal(browser.text(id), "first");
    gate.resolve();
    await browser.next("end", id);
    assert.equal(browser.text(id), "firstlast");
  });
});

Deno.test("a browser that does not consume stops the service's body at the window", async () => {
  let pulled = 0;
  const stalled = Promise.withResolvers<void>();
  const body = new ReadableStream<Bytes>({
    pull(controller) {
      pulled += 65_536;
      controller.enqueue(new Uint8Array(65_536));
      if (pulled > WINDOWS_TO_OPENER.stream) stalled.resolve();
    },
  }, { highWaterMark: 0 });
  await joined({ request: () => Promise.resolve(answer(body)) }, async (browser) => {
    browser.consuming = false;
    const id = browser.open({});
    browser.run((mux) => mux.end(0, id));
    await stalled.promise;
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
    assert.ok(pulled <= WINDOWS_TO_OPENER.stream + (512 << 10), `pulled ${pulled}`);
    browser.run((mux) => mux.reset(0, id, "cancelled"));
  });
});

Deno.test("a page that gives up aborts the request at the service", async () => {
  const [asked, aborted] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const request = (_request: UpstreamRequest, signal: AbortSignal) => {
    asked.resolve();
    signal.addEventListener("abort", () => aborted.resolve());
    return new Promise<never>((_resolve, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason))
    );
  };
  await joined({ request }, async (browser) => {
    const id = browser.open({});
    browser.run((mux) => mux.end(0, id));
    await asked.promise;
    browser.run((mux) => mux.reset(0, id, "cancelled"));
    await aborted.promise;
  });
});

Deno.test("a service's failure reaches the browser as its code, before and after the head", async () => {
  const refuse = () =>
    Promise.reject(new StreamError("upstream_unreachable", "Cannot reach 10.0.0.7"));
  await joined({ request: refuse }, async (browser) => {
    const id = browser.open({});
    browser.run((mux) => mux.end(0, id));
    assert.equal((await browser.next("reset", id)).code, "upstream_unreachable");
  });
  const cut = new ReadableStream<Bytes>({
    start: (controller) => controller.error(new StreamError("upstream_broken", "Cannot read on")),
  });
  await joined({ request: () => Promise.resolve(answer(cut)) }, async (browser) => {
    const id = browser.open({});
    browser.run((mux) => mux.end(0, id));
    assert.equal((await browser.next("reset", id)).code, "upstream_broken");
  });
});

Deno.test("an error of our own is told as internal and its words stay here", async () => {
  await joined({ request: () => Promise.reject(new Error("secret detail")) }, async (browser) => {
    const id = browser.open({});
    browser.run((mux) => mux.end(0, id));
    assert.equal((await browser.next("reset", id)).code, "internal");
  });
});

Deno.test("a service that answers without reading the upload does not stall the browser", async () => {
  const request = async ({ body }: UpstreamRequest) => {
    await body!.cancel();
    return answer(new Blob(["no"]).stream() as ReadableStream<Bytes>, 413);
  };
  await joined({ request }, async (browser) => {
    const id = browser.open({ method: "POST" });
    browser.run((mux) => mux.write(0, id, new Uint8Array(4 << 20)));
    browser.run((mux) => mux.end(0, id));
    assert.equal((await browser.next("head", id)).head.status, 413);
    await browser.next("end", id);
    assert.equal(browser.mux.size, 0);
  });
});

Deno.test("a broken protocol ends all streams and tells why", async () => {
  const [near, far] = ChannelDouble.pair();
  const reason = Promise.withResolvers<string>();
  const streams = new Streams(near, {
    services: servicesDouble({}),
    log: SILENT,
    closed: reason.resolve,
  });
  streams.start();
  far.send(utf8("this is no frame at all"));
  assert.equal(await reason.promise, "protocol");
  await streams.close();
});

/* ---- WebSockets ------------------------------------------------------------------------------------------- */

/** A service's socket that a test plays. */
class SocketDouble implements UpstreamSocket {
  readonly head = { status: 101, headers: [["sec-websocket-protocol", "chat"]] as const };
  readonly sent: SocketMessage[] = [];
  readonly closes: SocketClose[] = [];
  readonly #closed = Promise.withResolvers<SocketClose>();
  readonly closed = this.#closed.promise;
  #controller!: ReadableStreamDefaultController<SocketMessage>;
  readonly messages = new ReadableStream<SocketMessage>({
    start: (controller) => void (this.#controller = controller),
  });

  send(message: SocketMessage): Promise<void> {
    this.sent.push(message);
    if (message.text) this.say("echo");
    return Promise.resolve();
  }

  say(text: string): void {
    this.#controller.enqueue({ text: true, bytes: utf8(text) });
  }

  close(how: SocketClose): void {
    this.closes.push(how);
    this.hangUp(how);
  }

  hangUp(how: SocketClose): void {
    this.#closed.resolve(how);
    try {
      this.#controller.close();
    } catch { /* closed before: both sides may hang up */ }
  }
}

Deno.test("WebSocket messages pass both ways, parts joined, and the browser's close code reaches the service", async () => {
  const socket = new SocketDouble();
  await joined({ socket: () => Promise.resolve(socket) }, async (browser) => {
    const id = browser.open({ kind: "websocket" });
    assert.deepEqual((await browser.next("head", id)).head, {
      status: 101,
      headers: [["sec-websocket-protocol", "chat"]],
    });
    browser.run((mux) => mux.write(0, id, new Uint8Array(100_000), { text: false, last: true }));
    browser.run((mux) => mux.write(0, id, utf8("hi"), { text: true, last: true }));
    const echo = await browser.next("data", id);
    assert.deepEqual([echo.text, echo.last], [true, true]);
    browser.run((mux) => mux.end(0, id, { code: 4001, reason: "done" }));
    assert.deepEqual((await browser.next("end", id)).close, { code: 4001, reason: "done" });
    assert.deepEqual(socket.sent.map(({ text, bytes }) => [text, bytes.length]), [
      [false, 100_000],
      [true, 2],
    ]);
    assert.deepEqual(socket.closes[0], { code: 4001, reason: "done" });
  });
});

Deno.test("a service that closes its WebSocket ends the stream with its code", async () => {
  const socket = new SocketDouble();
  await joined({ socket: () => Promise.resolve(socket) }, async (browser) => {
    const id = browser.open({ kind: "websocket" });
    await browser.next("head", id);
    socket.hangUp({ code: 1011, reason: "overload" });
    assert.deepEqual((await browser.next("end", id)).close, { code: 1011, reason: "overload" });
    browser.run((mux) => mux.end(0, id));
  });
});

Deno.test("a WebSocket message above the limit closes the service's socket with 1009", async () => {
  const socket = new SocketDouble();
  await joined({ socket: () => Promise.resolve(socket) }, async (browser) => {
    const id = browser.open({ kind: "websocket" });
    await browser.next("head", id);
    browser.run((mux) =>
      mux.write(0, id, new Uint8Array(MAX_SOCKET_MESSAGE_BYTES + 1), { text: false, last: true })
    );
    assert.equal((await browser.next("end", id)).close?.code, 1009);
    assert.deepEqual(socket.sent, []);
    browser.run((mux) => mux.end(0, id));
  });
});
