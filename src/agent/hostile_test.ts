/** What a browser with every right and no manners can do to an agent, and what a service can: the agent's bounds. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, concat, utf8 } from "../lib/bytes.ts";
import { type Log, SILENT } from "../lib/log.ts";
import { ProtocolError, StreamError } from "../protocol/errors.ts";
import { encodeControl } from "../protocol/control_codec.ts";
import type { RequestHead, SocketClose } from "../protocol/http.ts";
import {
  DATA_COST_BYTES,
  MAX_CONTROL_BYTES,
  MAX_DATA_BYTES,
  MAX_STREAMS,
  MAX_WAITING_BYTES,
  MAX_WAITING_FRAMES,
  SEND_QUEUE_HIGH_PARTS,
  SEND_TOTAL_HIGH_BYTES,
  WINDOWS_TO_ACCEPTOR,
  WINDOWS_TO_OPENER,
} from "../protocol/limits.ts";
import { Attack, attack, dataFrame, endFrame, resetFrame } from "./attack_test.ts";
import { ControlChannel } from "./control_channel.ts";
import { BrowserDouble, ChannelDouble, servicesDouble, turns } from "./doubles_test.ts";
import { Inflow } from "./inflow.ts";
import {
  MAX_ASSEMBLED_BYTES,
  MAX_CONTROL_BUFFERED_BYTES,
  MAX_EXCHANGES,
  PART_COST_BYTES,
} from "./limits.ts";
import type { Services, SocketMessage, UpstreamSocket } from "./seams.ts";
import { Streams } from "./streams.ts";

function answer(body: ReadableStream<Bytes>, headers: readonly (readonly [string, string])[] = []) {
  return { head: { status: 200, headers }, body };
}

/** A service's socket that takes everything and says what the test lets it say. */
function socketDouble(messages: ReadableStream<SocketMessage>, closes: SocketClose[] = []) {
  const closed = Promise.withResolvers<SocketClose>();
  const socket: UpstreamSocket = {
    head: { status: 101, headers: [] },
    messages,
    closed: closed.promise,
    send: () => Promise.resolve(),
    close: (how) => {
      closes.push(how);
      closed.resolve(how);
    },
  };
  return socket;
}

function joined(
  methods: Partial<Services>,
  log: Log = SILENT,
): { browser: BrowserDouble; streams: Streams } {
  const [near, far] = ChannelDouble.pair();
  const streams = new Streams(near, {
    services: servicesDouble(methods),
    log,
    closed: () => {},
  });
  streams.start();
  return { browser: new BrowserDouble(far), streams };
}

/* ---- a browser that asks and does not read ------------------------------------------------------------------ */

Deno.test("a browser that opens, is refused and never reads ends its own session and nothing else", async () => {
  const request = () => Promise.reject(new StreamError("service_unknown", "Cannot find it"));
  await attack({ request }, async (under) => {
    under.stopReading();
    for (let i = 0; i < 2 * MAX_WAITING_FRAMES && under.ended === undefined; i++) {
      await under.send(under.openFrame(), endFrame(under.lastId));
    }
    assert.equal(under.ended, "protocol");
  });
});

Deno.test("a browser that opens, resets and never reads makes an agent keep no more than a bound of heads", async () => {
  let asked = 0;
  const headers = [1, 2, 3, 4].map((at) => [`x-${at}`, "v".repeat(7500)] as const);
  const request = () => {
    asked++;
    return Promise.resolve(answer(new ReadableStream<Bytes>(), headers));
  };
  await attack({ request }, async (under) => {
    under.stopReading();
    for (let i = 0; i < 2 * MAX_WAITING_FRAMES && under.ended === undefined; i++) {
      await under.send(under.openFrame(), endFrame(under.lastId));
      await under.send(resetFrame(under.lastId));
    }
    assert.ok(asked * 30_000 < MAX_WAITING_BYTES + 60_000, `${asked} heads are kept`);
  });
});

Deno.test("a browser that guesses its credit and never reads it ends its own session", async () => {
  const request = async ({ body }: { body: ReadableStream<Bytes> | null }) => {
    for await (const _part of body!) { /* a service that takes everything */ }
    return answer(new ReadableStream<Bytes>());
  };
  await attack({ request }, async (under) => {
    under.stopReading();
    await under.send(under.openFrame({ method: "POST" }));
    const many = concat(...Array.from({ length: 4 }, () => dataFrame(1, MAX_DATA_BYTES)));
    for (let i = 0; i < 2 * MAX_WAITING_FRAMES && under.ended === undefined; i++) {
      await under.send(many);
    }
    assert.equal(under.ended, "protocol");
  });
});

Deno.test("a browser that opens every stream and never reads makes services stop at a bound", async () => {
  let pulled = 0;
  const request = () => {
    const pull = (controller: ReadableStreamDefaultController<Bytes>) => {
      pulled += 65_536;
      controller.enqueue(new Uint8Array(65_536));
    };
    return Promise.resolve(answer(new ReadableStream<Bytes>({ pull }, { highWaterMark: 0 })));
  };
  await attack({ request }, async (under) => {
    under.stopReading();
    for (let i = 0; i < MAX_STREAMS; i++) await under.send(under.openFrame(), endFrame(i + 1));
    await turns(5000);
    assert.ok(pulled <= SEND_TOTAL_HIGH_BYTES + MAX_STREAMS * 65_536, `pulled ${pulled}`);
  });
});

Deno.test("a control channel whose browser asks and does not read ends", () => {
  const [near, far] = ChannelDouble.pair();
  const ended: unknown[] = [];
  const control = new ControlChannel(near, {
    message: () => Promise.resolve(),
    ended: (error) => ended.push(error),
  });
  control.start();
  return (async () => {
    await control.opened;
    near.bufferedAmount = MAX_CONTROL_BUFFERED_BYTES + 1;
    control.send({ type: "pong", id: 1 });
    assert.ok(ended[0] instanceof ProtocolError);
    assert.deepEqual(near.sent, []);
    far.close();
  })();
});

Deno.test("a control message that is too long does not wait for its turn", async () => {
  const [near, far] = ChannelDouble.pair();
  const ended: unknown[] = [];
  const busy = Promise.withResolvers<void>();
  const control = new ControlChannel(near, {
    message: () => busy.promise,
    ended: (error) => ended.push(error),
  });
  control.start();
  await control.opened;
  far.send(encodeControl({ type: "ping", id: 1 }));
  far.send(new Uint8Array(MAX_CONTROL_BYTES));
  await turns(10);
  assert.equal(ended.length, 0, "it may be one");
  far.send(new Uint8Array(MAX_CONTROL_BYTES + 1));
  await turns(10);
  assert.ok(ended[0] instanceof ProtocolError);
  busy.resolve();
  await control.close();
  far.close();
});

/* ---- what waits in the agent -------------------------------------------------------------------------------- */

Deno.test("empty messages of a service wait at the service once the browser's credit is used up", async () => {
  let pulled = 0;
  const messages = new ReadableStream<SocketMessage>({
    pull(controller) {
      pulled++;
      controller.enqueue({ text: true, bytes: utf8("") });
    },
  }, { highWaterMark: 0 });
  await attack({ socket: () => Promise.resolve(socketDouble(messages)) }, async (under) => {
    await under.send(under.openFrame({ kind: "websocket" }));
    const bound = WINDOWS_TO_OPENER.stream / DATA_COST_BYTES + SEND_QUEUE_HIGH_PARTS + 2;
    await turns(20 * bound);
    assert.ok(pulled <= bound, `pulled ${pulled}`);
  });
});

Deno.test("messages that never end are held by a session up to its bound, and their sockets closed with 1009", async () => {
  const closes: SocketClose[] = [];
  const never = () => new ReadableStream<SocketMessage>();
  const socket = () => Promise.resolve(socketDouble(never(), closes));
  await attack({ socket }, async (under) => {
    const each = 10 << 20;
    const sockets = 4;
    for (let id = 1; id <= sockets; id++) {
      await under.send(under.openFrame({ kind: "websocket" }));
      for (let sent = 0; sent < each; sent += MAX_DATA_BYTES) {
        if (under.ended !== undefined || closes.length === id) break;
        await under.send(dataFrame(id, MAX_DATA_BYTES));
      }
    }
    assert.equal(under.ended, undefined);
    const held = (sockets - closes.length) * each * (1 + PART_COST_BYTES / MAX_DATA_BYTES);
    assert.ok(held <= MAX_ASSEMBLED_BYTES, `${sockets - closes.length} sockets hold ${each} each`);
    assert.ok(closes.every(({ code }) => code === 1009));
    assert.ok(closes.length < sockets, "one message of this size is legal");
  });
});

Deno.test("a message that was sent or given up frees its share of the bound", async () => {
  const closes: SocketClose[] = [];
  const never = () => new ReadableStream<SocketMessage>();
  const socket = () => Promise.resolve(socketDouble(never(), closes));
  await attack({ socket }, async (under) => {
    for (let id = 1; id <= 6; id++) {
      await under.send(under.openFrame({ kind: "websocket" }));
      for (let sent = 0; sent < 8 << 20; sent += MAX_DATA_BYTES) {
        await under.send(dataFrame(id, MAX_DATA_BYTES));
      }
      await under.send(
        id % 2 === 0 ? resetFrame(id) : dataFrame(id, 1, { text: false, last: true }),
      );
    }
    assert.deepEqual(closes.filter(({ code }) => code === 1009), []);
  });
});

Deno.test("one byte that waits does not keep the message alive in which it came", async () => {
  const inflow = new Inflow(() => {});
  const message = new Uint8Array(256 << 10);
  inflow.push({ bytes: message.subarray(7, 8), text: false, last: false });
  const part = await inflow.next(new AbortController().signal);
  assert.equal(part?.bytes.buffer.byteLength, 1);
});

Deno.test("streams that services do not let go of are bounded, however fast a browser opens and resets", async () => {
  let asked = 0;
  const released = Promise.withResolvers<never>();
  const request = () => {
    asked++;
    return released.promise; // deaf to its signal
  };
  await attack({ request }, async (under) => {
    for (let i = 0; i < 2 * MAX_EXCHANGES; i++) {
      await under.send(under.openFrame(), endFrame(under.lastId));
      await under.send(resetFrame(under.lastId));
    }
    assert.equal(asked, MAX_EXCHANGES);
    assert.equal(under.ended, undefined);
    released.reject(new StreamError("upstream_broken", "Cannot go on"));
  });
});

Deno.test("a stream that is opened and given up in one message does not reach the service", async () => {
  let asked = 0;
  const request = () => Promise.reject(asked++);
  await attack({ request }, async (under) => {
    await under.send(under.openFrame(), endFrame(1), resetFrame(1));
    assert.equal(asked, 0);
  });
});

Deno.test("closing does not wait for ever for a service that does not let go", async () => {
  const request = () => new Promise<never>(() => {});
  const under = new Attack({ request }, 1);
  await turns(5);
  await under.send(under.openFrame(), endFrame(1));
  await under.streams.close();
});

Deno.test("a reset ends the work of a service that says nothing, takes nothing and does not hear its signal", async () => {
  const errors: string[] = [];
  const log = { ...SILENT, error: (event: string) => void errors.push(event) };
  const deaf = {
    ...socketDouble(new ReadableStream<SocketMessage>()),
    closed: new Promise<SocketClose>(() => {}),
    send: () => new Promise<void>(() => {}),
  };
  const { browser, streams } = joined({
    request: () => Promise.resolve(answer(new ReadableStream<Bytes>())),
    socket: () => Promise.resolve(deaf),
  }, log);
  const [http, socket] = [browser.open({}), browser.open({ kind: "websocket" })];
  browser.run((mux) => mux.end(0, http));
  browser.run((mux) => mux.write(0, socket, utf8("hi"), { text: true, last: true }));
  await Promise.all([browser.next("head", http), browser.next("head", socket)]);
  await turns(20);
  for (const id of [http, socket]) browser.run((mux) => mux.reset(0, id, "cancelled"));
  await streams.close();
  assert.deepEqual(errors, []);
});

/* ---- what must go on ---------------------------------------------------------------------------------------- */

Deno.test("a message that the channel takes at once does not stop the ones after it", async () => {
  const sizes = [300 << 10, 1 << 20, 256 << 10, 5];
  const messages = new ReadableStream<SocketMessage>({
    start(controller) {
      for (const size of sizes) controller.enqueue({ text: false, bytes: new Uint8Array(size) });
    },
  });
  const { browser, streams } = joined({ socket: () => Promise.resolve(socketDouble(messages)) });
  const id = browser.open({ kind: "websocket" });
  await browser.next("head", id);
  for (let turn = 0; turn < 2000; turn++) await Promise.resolve();
  const whole = browser.events.filter((event) => event.type === "data" && event.last);
  assert.equal(whole.length, sizes.length);
  await streams.close();
});

Deno.test("an upload goes on and ends after its answer was complete", async () => {
  const request = () => Promise.resolve(answer(new Blob(["no"]).stream() as ReadableStream<Bytes>));
  const { browser, streams } = joined({ request });
  const id = browser.open({ method: "POST" });
  browser.run((mux) => mux.write(0, id, new Uint8Array(10)));
  await browser.next("end", id);
  await turns(20);
  for (let sent = 0; sent < 4 * WINDOWS_TO_ACCEPTOR.stream; sent += 65_536) {
    browser.run((mux) => mux.write(0, id, new Uint8Array(65_536)));
    await turns(20);
  }
  browser.run((mux) => mux.end(0, id));
  await turns(200);
  assert.equal(browser.mux.size, 0);
  await streams.close();
});

Deno.test("an answer with a head that may not travel fails its own stream and no other", async () => {
  const bad = [
    [["x", "a\nb"]],
    [["a b", "c"]],
    Array.from({ length: 3000 }, () => ["x", ""]),
  ] as [string, string][][];
  const request = ({ head }: { head: RequestHead }) =>
    Promise.resolve(
      answer(new Blob(["ok"]).stream() as ReadableStream<Bytes>, bad[+head.path[1]!]),
    );
  const { browser, streams } = joined({ request });
  for (const [at, code] of ["upstream_broken", "upstream_broken", "answer_too_large"].entries()) {
    const id = browser.open({ path: `/${at}` });
    browser.run((mux) => mux.end(0, id));
    assert.equal((await browser.next("reset", id)).code, code);
  }
  const id = browser.open({ path: "/9" });
  browser.run((mux) => mux.end(0, id));
  await browser.next("end", id);
  assert.equal(browser.text(id), "ok");
  await streams.close();
});

/* ---- everything at once --------------------------------------------------------------------------------------- */

const BEHAVIOURS = ["stall", "throw", "error", "endless", "deaf-socket", "echo", "short"] as const;

/** Services that behave as their path says. Each of them lets go when its signal says so, except by silence. */
function unrulyServices(): Partial<Services> {
  const until = (signal: AbortSignal) =>
    new Promise<never>((_resolve, reject) => {
      if (signal.aborted) reject(signal.reason);
      else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  return {
    request: ({ head, body }, signal) => {
      const behaviour = head.path.slice(1);
      if (behaviour === "throw") throw new Error("Cannot serve: thrown and not rejected");
      if (behaviour === "stall") return until(signal);
      if (behaviour === "short") return Promise.resolve(answer(new Response("x").body!));
      if (behaviour === "echo" && body !== null) return Promise.resolve(answer(body));
      let left = behaviour === "error" ? 3 : Infinity;
      const pull = (controller: ReadableStreamDefaultController<Bytes>) => {
        if (left-- > 0) controller.enqueue(new Uint8Array(10_000));
        else controller.error(new StreamError("upstream_broken", "Cannot read on"));
      };
      return Promise.resolve(answer(new ReadableStream({ pull }, { highWaterMark: 0 })));
    },
    socket: (head, signal) => {
      if (head.path === "/throw") throw new Error("Cannot serve: thrown and not rejected");
      if (head.path === "/stall") return until(signal);
      const messages = new ReadableStream<SocketMessage>({
        start: (controller) => {
          if (head.path === "/short") controller.close();
          if (head.path === "/error") controller.error(new Error("broken"));
        },
      });
      const socket = socketDouble(messages);
      if (head.path === "/short") socket.close({ code: 1000, reason: "" });
      if (head.path !== "/deaf-socket") return Promise.resolve(socket);
      return Promise.resolve({ ...socket, send: () => new Promise<void>(() => {}) });
    },
  };
}

const step = fc.record({
  act: fc.constantFrom("open", "socket", "write", "end", "reset", "rest", "part"),
  at: fc.nat(30),
  size: fc.oneof(fc.nat(10), fc.nat(100_000)),
  path: fc.constantFrom(...BEHAVIOURS),
});

Deno.test("whatever a browser does to unruly services, closing lets go of everything", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.boolean(), async (steps, consuming) => {
      const errors: string[] = [];
      const log = { ...SILENT, error: (event: string) => void errors.push(event) };
      const { browser, streams } = joined(unrulyServices(), log);
      browser.consuming = consuming;
      const open = new Set<number>();
      for (const { act, at, size, path } of steps) {
        const id = 1 + at;
        if (act === "rest") await turns(at);
        const kind = act === "socket" ? "websocket" : "http";
        if (act === "open" || act === "socket") open.add(browser.open({ kind, path: `/${path}` }));
        if (!open.has(id)) continue;
        if (act === "write" || act === "part") {
          const message = { text: false, last: act === "write" };
          browser.run((mux) => mux.write(0, id, new Uint8Array(size), message));
        }
        if (act === "end") browser.run((mux) => mux.end(0, id, { code: 1000, reason: "" }));
        if (act === "reset") browser.run((mux) => mux.reset(0, id, "cancelled"));
        if (act === "end" || act === "reset") open.delete(id);
      }
      await turns(50);
      await streams.close();
      assert.ok(!errors.includes("session.exchanges_stuck"));
    }),
    { numRuns: 200 },
  );
});
