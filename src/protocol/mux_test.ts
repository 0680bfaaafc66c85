import assert from "node:assert/strict";
import {
  type Path,
  PERFECT,
  seededRandom,
  VirtualChannel,
  VirtualClock,
} from "../../tests/vnet/link.ts";
import { type Bytes, concat, utf8 } from "../lib/bytes.ts";
import { ProtocolError, STREAM_CODES, StreamError } from "./errors.ts";
import { encodeFrame, type Frame, FrameParser } from "./frame.ts";
import { encodeRequestHead, encodeResponseHead } from "./head.ts";
import type { RequestHead, ResponseHead } from "./http.ts";
import {
  CHANNEL_HIGH_BYTES,
  DATA_COST_BYTES,
  HEAD_LIMIT_MS,
  MAX_DATA_BYTES,
  MAX_STREAMS,
  MAX_WAITING_FRAMES,
  SEND_QUEUE_HIGH_BYTES,
  SEND_QUEUE_HIGH_PARTS,
  SEND_QUEUE_MAX_BYTES,
  SEND_QUEUE_MAX_PARTS,
  SEND_TOTAL_HIGH_BYTES,
  SEND_TOTAL_MAX_BYTES,
  WINDOWS_TO_ACCEPTOR,
  WINDOWS_TO_OPENER,
} from "./limits.ts";
import { Mux, type MuxEvent } from "./mux.ts";

const GET: RequestHead = { kind: "http", service: "ui", method: "GET", path: "/", headers: [] };
const OK: ResponseHead = { status: 200, headers: [] };

/** Everything a mux has to say now: its events, and its frames as a peer would read them. */
function drain(
  mux: Mux,
  room = Infinity,
): { events: MuxEvent[]; frames: Frame[]; deadline?: number } {
  const parser = new FrameParser();
  const drained: { events: MuxEvent[]; frames: Frame[]; deadline?: number } = {
    events: [],
    frames: [],
  };
  for (let output = mux.poll(room); output !== undefined; output = mux.poll(room)) {
    if (output.type === "event") drained.events.push(output.event);
    if (output.type === "deadline") drained.deadline = output.at;
    if (output.type !== "transmit") continue;
    parser.push(output.bytes);
    for (let frame = parser.next(); frame !== undefined; frame = parser.next()) {
      drained.frames.push(frame);
    }
  }
  return drained;
}

function acceptorWithStreams(count: number): Mux {
  const mux = new Mux({ role: "acceptor" });
  for (let id = 1; id <= count; id++) mux.receive(0, openFrame(id));
  drain(mux);
  return mux;
}

function openFrame(id: number): Bytes {
  return encodeFrame({ type: "open", id, head: encodeRequestHead(GET) });
}

function dataFrame(id: number, length: number): Bytes {
  return encodeFrame({ type: "data", id, bytes: new Uint8Array(length), text: false, last: false });
}

/* ---- legal paths ------------------------------------------------------------------------------------------ */

Deno.test("mux opener sends OPEN, DATA and END, and takes HEAD, DATA and END", () => {
  const mux = new Mux({ role: "opener" });
  const id = mux.open(0, GET);
  assert.ok(mux.write(0, id, utf8("question")));
  mux.end(0, id);
  assert.deepEqual(drain(mux).frames, [
    { type: "open", id: 1, head: encodeRequestHead(GET) },
    { type: "data", id: 1, bytes: utf8("question"), text: false, last: false },
    { type: "end", id: 1, total: 8 },
  ]);
  mux.receive(0, encodeFrame({ type: "head", id, head: encodeResponseHead(OK) }));
  mux.receive(
    0,
    encodeFrame({ type: "data", id, bytes: utf8("answer"), text: false, last: false }),
  );
  mux.receive(0, encodeFrame({ type: "end", id, total: 6 }));
  assert.deepEqual(drain(mux).events, [
    { type: "head", id, head: OK },
    { type: "data", id, bytes: utf8("answer"), text: false, last: false },
    { type: "end", id, close: undefined },
  ]);
  assert.equal(mux.size, 0);
});

Deno.test("mux acceptor hears of a stream, answers it and forgets it when both halves ended", () => {
  const mux = new Mux({ role: "acceptor" });
  mux.receive(0, concat(openFrame(1), encodeFrame({ type: "end", id: 1, total: 0 })));
  assert.deepEqual(drain(mux).events, [
    { type: "open", id: 1, head: GET },
    { type: "end", id: 1, close: undefined },
  ]);
  mux.respond(0, 1, OK);
  mux.write(0, 1, utf8("body"));
  mux.end(0, 1);
  assert.equal(mux.size, 1);
  assert.deepEqual(drain(mux).frames.map(({ type }) => type), ["head", "data", "end"]);
  assert.equal(mux.size, 0);
});

Deno.test("mux keeps the borders, kinds and emptiness of WebSocket messages and the close code", () => {
  const mux = acceptorWithStreams(1);
  mux.respond(0, 1, { status: 101, headers: [] });
  mux.write(0, 1, new Uint8Array(MAX_DATA_BYTES + 1), { text: false, last: true });
  mux.write(0, 1, utf8(""), { text: true, last: true });
  mux.end(0, 1, { code: 4001, reason: "bye" });
  const frames = drain(mux).frames.slice(1);
  assert.deepEqual(
    frames.map((frame) =>
      frame.type === "data" ? [frame.bytes.length, frame.text, frame.last] : frame
    ),
    [[MAX_DATA_BYTES, false, false], [1, false, true], [0, true, true], {
      type: "end",
      id: 1,
      total: MAX_DATA_BYTES + 1,
      close: { code: 4001, reason: "bye" },
    }],
  );
});

Deno.test("mux tells the peer's reset with its code, and an unknown code as internal", () => {
  const mux = acceptorWithStreams(2);
  mux.receive(0, encodeFrame({ type: "reset", id: 1, code: STREAM_CODES.cancelled }));
  mux.receive(0, encodeFrame({ type: "reset", id: 2, code: 999 }));
  assert.deepEqual(drain(mux).events, [
    { type: "reset", id: 1, code: "cancelled" },
    { type: "reset", id: 2, code: "internal" },
  ]);
  assert.equal(mux.size, 0);
});

Deno.test("mux drops what was queued when a stream is reset, and says nothing more on it", () => {
  const mux = acceptorWithStreams(1);
  mux.respond(0, 1, OK);
  mux.write(0, 1, new Uint8Array(100_000));
  mux.reset(0, 1, "upstream_broken");
  mux.write(0, 1, new Uint8Array(1));
  mux.end(0, 1);
  mux.respond(0, 1, OK);
  assert.deepEqual(drain(mux).frames.map(({ type }) => type), ["head", "reset"]);
});

Deno.test("mux ignores what was on its way to a stream that it reset, and gives the credit back", () => {
  const mux = acceptorWithStreams(1);
  mux.reset(0, 1, "cancelled");
  drain(mux);
  const connection = WINDOWS_TO_ACCEPTOR.connection;
  let granted = 0;
  for (let sent = 0; sent < 2 * connection; sent += MAX_DATA_BYTES + DATA_COST_BYTES) {
    mux.receive(0, dataFrame(1, MAX_DATA_BYTES));
    const { events, frames } = drain(mux);
    assert.deepEqual(events, []);
    for (const frame of frames) {
      if (frame.type === "credit" && frame.id === 0) granted += frame.bytes;
    }
  }
  assert.ok(granted > connection, `granted ${granted}`);
});

/* ---- refused paths ---------------------------------------------------------------------------------------- */

const ILLEGAL: {
  name: string;
  role: "opener" | "acceptor";
  frames: () => Bytes[];
  message: RegExp;
}[] = [
  {
    name: "OPEN from the agent",
    role: "opener",
    frames: () => [openFrame(1)],
    message: /only the browser/,
  },
  {
    name: "an id that skips",
    role: "acceptor",
    frames: () => [openFrame(2)],
    message: /id 2 after 0/,
  },
  {
    name: "an id used twice",
    role: "acceptor",
    frames: () => [openFrame(1), openFrame(1)],
    message: /id 1 after 1/,
  },
  {
    name: "DATA on a stream never opened",
    role: "acceptor",
    frames: () => [dataFrame(1, 1)],
    message: /never opened/,
  },
  {
    name: "a request head that is none",
    role: "acceptor",
    frames: () => [encodeFrame({ type: "open", id: 1, head: utf8("x") })],
    message: /CBOR|head/,
  },
  {
    name: "HEAD from the browser",
    role: "acceptor",
    frames:
      () => [openFrame(1), encodeFrame({ type: "head", id: 1, head: encodeResponseHead(OK) })],
    message: /Cannot take HEAD/,
  },
  {
    name: "DATA after END",
    role: "acceptor",
    frames: () => [openFrame(1), encodeFrame({ type: "end", id: 1, total: 0 }), dataFrame(1, 1)],
    message: /receiving half is "ended"/,
  },
  {
    name: "END twice",
    role: "acceptor",
    frames: () =>
      [1, 2].reduce<Bytes[]>((all) => [...all, encodeFrame({ type: "end", id: 1, total: 0 })], [
        openFrame(1),
      ]),
    message: /receiving half is "ended"/,
  },
  {
    name: "CREDIT beyond 2^31",
    role: "acceptor",
    frames: () => [encodeFrame({ type: "credit", id: 0, bytes: 0xffffffff })],
    message: /sum above 2\^31/,
  },
];

for (const { name, role, frames, message } of ILLEGAL) {
  Deno.test(`mux ${role} refuses ${name}`, () => {
    const mux = new Mux({ role });
    const feed = () => frames().forEach((frame) => mux.receive(0, frame));
    assert.throws(feed, (error) => error instanceof ProtocolError && message.test(error.message));
  });
}

Deno.test("mux opener refuses DATA before HEAD", () => {
  const mux = new Mux({ role: "opener" });
  mux.open(0, GET);
  assert.throws(() => mux.receive(0, dataFrame(1, 1)), ProtocolError);
});

Deno.test("mux refuses DATA beyond the stream's credit", () => {
  const mux = acceptorWithStreams(1);
  const overrun = () => {
    for (let sent = 0; sent <= WINDOWS_TO_ACCEPTOR.stream; sent += MAX_DATA_BYTES) {
      mux.receive(0, dataFrame(1, MAX_DATA_BYTES));
    }
  };
  assert.throws(overrun, /sent without credit/);
});

Deno.test("mux refuses a flood of empty messages once their headers have used up the credit", () => {
  const mux = acceptorWithStreams(1);
  const empty = encodeFrame({ type: "data", id: 1, bytes: utf8(""), text: true, last: true });
  const flood = () => {
    for (let i = 0; i <= WINDOWS_TO_ACCEPTOR.stream / DATA_COST_BYTES; i++) {
      mux.receive(0, empty);
    }
  };
  assert.throws(flood, /sent without credit/);
});

Deno.test("mux resets a stream whose END counts other bytes than came, on both sides", () => {
  const mux = acceptorWithStreams(1);
  mux.receive(0, encodeFrame({ type: "end", id: 1, total: 5 }));
  const { events, frames } = drain(mux);
  assert.deepEqual(events, [{ type: "reset", id: 1, code: "protocol" }]);
  assert.deepEqual(frames, [{ type: "reset", id: 1, code: STREAM_CODES.protocol }]);
});

Deno.test("mux acceptor refuses streams above the limit and keeps the others", () => {
  const mux = acceptorWithStreams(MAX_STREAMS);
  mux.receive(0, openFrame(MAX_STREAMS + 1));
  const { events, frames } = drain(mux);
  assert.deepEqual(events, []);
  assert.deepEqual(frames, [{ type: "reset", id: MAX_STREAMS + 1, code: STREAM_CODES.limit }]);
  assert.equal(mux.size, MAX_STREAMS);
});

Deno.test("mux ends the connection of a peer that opens and never reads the refusals", () => {
  const mux = acceptorWithStreams(MAX_STREAMS);
  const flood = () => {
    for (let id = MAX_STREAMS + 1; id < 10 * MAX_STREAMS; id++) mux.receive(0, openFrame(id));
  };
  assert.throws(flood, /asks and does not read/);
});

Deno.test("mux opener has a limit of streams and of heads that wait", () => {
  const mux = new Mux({ role: "opener" });
  for (let i = 0; i < MAX_STREAMS; i++) mux.open(0, GET);
  assert.throws(
    () => mux.open(0, GET),
    (error) => error instanceof StreamError && error.code === "limit",
  );
  const restless = new Mux({ role: "opener" });
  const flood = () => {
    for (let i = 0; i < 10 * MAX_STREAMS; i++) {
      restless.reset(0, restless.open(0, GET), "cancelled");
    }
  };
  assert.throws(flood, (error) => error instanceof StreamError && error.code === "limit");
});

Deno.test("mux refuses misuse by its own side with a TypeError", () => {
  const mux = acceptorWithStreams(1);
  assert.throws(() => mux.write(0, 1, utf8("early")), TypeError);
  mux.respond(0, 1, OK);
  assert.throws(() => mux.respond(0, 1, OK), TypeError);
  mux.end(0, 1);
  assert.throws(() => mux.write(0, 1, utf8("late")), TypeError);
  assert.throws(() => mux.end(0, 1), TypeError);
  const message = { text: false, last: true };
  const other = acceptorWithStreams(1);
  other.respond(0, 1, OK);
  assert.throws(
    () => other.write(0, 1, new Uint8Array(SEND_QUEUE_MAX_BYTES + 1), message),
    StreamError,
  );
  assert.throws(() => other.consumed(0, 1, 1), RangeError);
});

/* ---- credit, order, time ---------------------------------------------------------------------------------- */

Deno.test("mux sends no more than the credit, and goes on when more is granted", () => {
  const mux = acceptorWithStreams(1);
  mux.respond(0, 1, OK);
  mux.write(0, 1, new Uint8Array(2 * WINDOWS_TO_OPENER.stream));
  const cost = (frames: Frame[]) =>
    frames.reduce(
      (sum, frame) => sum + (frame.type === "data" ? frame.bytes.length + DATA_COST_BYTES : 0),
      0,
    );
  const first = cost(drain(mux).frames);
  assert.ok(
    first <= WINDOWS_TO_OPENER.stream && first > WINDOWS_TO_OPENER.stream - 2 * DATA_COST_BYTES,
  );
  mux.receive(0, encodeFrame({ type: "credit", id: 1, bytes: 1000 }));
  const rest = WINDOWS_TO_OPENER.stream - first;
  assert.equal(cost(drain(mux).frames), 1000 + rest);
});

Deno.test("mux asks a writer to pause at the high mark and to go on at the low mark", () => {
  const mux = acceptorWithStreams(1);
  mux.respond(0, 1, OK);
  assert.ok(mux.write(0, 1, new Uint8Array(SEND_QUEUE_HIGH_BYTES - 1)));
  assert.ok(!mux.write(0, 1, new Uint8Array(1)));
  assert.deepEqual(drain(mux, 0).events, []);
  assert.deepEqual(drain(mux).events, [{ type: "writable", id: 1 }]);
});

Deno.test("mux transmits nothing without room", () => {
  const mux = new Mux({ role: "opener" });
  mux.open(0, GET);
  assert.deepEqual(drain(mux, 0).frames, []);
  assert.equal(drain(mux, 1).frames.length, 1);
});

Deno.test("mux takes turns between bulk streams", () => {
  const mux = acceptorWithStreams(3);
  for (const id of [1, 2, 3]) {
    mux.respond(0, id, OK);
    mux.write(0, id, new Uint8Array(3 * MAX_DATA_BYTES));
  }
  const ids = drain(mux).frames.filter(({ type }) => type === "data").map(({ id }) => id);
  assert.deepEqual(ids, [1, 2, 3, 1, 2, 3, 1, 2, 3]);
});

Deno.test("mux lets a keystroke overtake bulk that waits, and bulk its turn among keystrokes", () => {
  const mux = acceptorWithStreams(2);
  mux.respond(0, 1, OK);
  mux.respond(0, 2, { status: 101, headers: [] });
  mux.write(0, 1, new Uint8Array(10 * MAX_DATA_BYTES));
  for (let i = 0; i < 20; i++) mux.write(0, 2, utf8("k"), { text: true, last: true });
  const ids = drain(mux).frames.filter(({ type }) => type === "data").map(({ id }) => id);
  assert.equal(ids.indexOf(2), 0);
  assert.equal(ids.slice(0, 9).filter((id) => id === 2).length, 8);
  assert.equal(ids[8], 1);
});

Deno.test("mux fails a stream whose head does not come in time, and names the deadline before", () => {
  const mux = new Mux({ role: "opener" });
  const id = mux.open(1000, GET);
  assert.equal(drain(mux).deadline, 1000 + HEAD_LIMIT_MS);
  mux.tick(999 + HEAD_LIMIT_MS);
  assert.deepEqual(drain(mux).events, []);
  mux.tick(1000 + HEAD_LIMIT_MS);
  const { events, deadline } = drain(mux);
  assert.deepEqual(events, [{ type: "reset", id, code: "upstream_timeout" }]);
  assert.equal(deadline, Infinity);
});

Deno.test("mux lets an upload take as long as it moves, and waits for the head from its last write on", () => {
  const mux = new Mux({ role: "opener" });
  const id = mux.open(0, GET);
  for (let now = 0; now <= 3 * HEAD_LIMIT_MS; now += HEAD_LIMIT_MS / 2) {
    mux.tick(now);
    mux.write(now, id, utf8("part"));
    assert.deepEqual(drain(mux).events, []);
  }
  mux.end(3 * HEAD_LIMIT_MS, id);
  mux.tick(3.5 * HEAD_LIMIT_MS);
  assert.equal(drain(mux).deadline, 4 * HEAD_LIMIT_MS);
  mux.tick(4 * HEAD_LIMIT_MS);
  assert.deepEqual(drain(mux).events, [{ type: "reset", id, code: "upstream_timeout" }]);
});

Deno.test("mux asks a writer of tiny or empty messages to pause as well", () => {
  const mux = acceptorWithStreams(1);
  mux.respond(0, 1, OK);
  const write = () => mux.write(0, 1, utf8(""), { text: true, last: true });
  let written = 1;
  while (write()) written++;
  assert.equal(written, SEND_QUEUE_HIGH_PARTS);
  assert.deepEqual(drain(mux).events, [{ type: "writable", id: 1 }]);
  assert.throws(() => {
    for (let i = 0; i <= SEND_QUEUE_MAX_PARTS; i++) write();
  }, (error) => error instanceof StreamError && error.code === "limit");
});

Deno.test("mux asks every writer to pause when all of them together queued too much, and each to go on", () => {
  const streams = 100;
  const mux = acceptorWithStreams(streams);
  const size = SEND_TOTAL_HIGH_BYTES / 64; // below the mark of one stream
  const paused: number[] = [];
  for (let id = 1; id <= streams; id++) {
    mux.respond(0, id, OK);
    if (!mux.write(0, id, new Uint8Array(size))) paused.push(id);
  }
  assert.deepEqual(paused, Array.from({ length: 37 }, (_, at) => at + 64));
  const writable = drain(mux).events.map(({ type, id }) => type === "writable" ? id : 0);
  assert.deepEqual(writable.toSorted((a, b) => a - b), paused);
});

Deno.test("mux refuses to queue more than its bound on all streams together", () => {
  const mux = acceptorWithStreams(4);
  const message = { text: false, last: true };
  for (let id = 1; id <= 4; id++) mux.respond(0, id, OK);
  for (let id = 1; id <= 3; id++) {
    mux.write(0, id, new Uint8Array(SEND_TOTAL_MAX_BYTES / 3), message);
  }
  assert.throws(() => mux.write(0, 4, new Uint8Array(1), message), StreamError);
  mux.reset(0, 1, "cancelled");
  mux.write(0, 4, new Uint8Array(1), message);
});

Deno.test("mux never fails in a call of its own side because the peer does not read", () => {
  const mux = acceptorWithStreams(MAX_STREAMS);
  for (let id = MAX_STREAMS + 1; id <= MAX_STREAMS + MAX_WAITING_FRAMES; id++) {
    mux.receive(0, openFrame(id)); // each is refused, and no refusal leaves
  }
  for (let id = 1; id <= MAX_STREAMS; id++) {
    mux.respond(0, id, OK);
    mux.reset(0, id, "internal");
  }
  assert.throws(
    () => mux.receive(0, openFrame(MAX_STREAMS + MAX_WAITING_FRAMES + 1)),
    ProtocolError,
  );
});

for (const paused of [1, 6, 7]) {
  Deno.test(`${paused} paused uploads do not stop another one`, () => {
    const opener = new Mux({ role: "opener" });
    const acceptor = new Mux({ role: "acceptor" });
    const last = paused + 1;
    const size = 4 * WINDOWS_TO_ACCEPTOR.connection;
    for (let id = 1; id <= last; id++) {
      opener.open(0, GET);
      opener.write(0, id, new Uint8Array(id === last ? size : WINDOWS_TO_ACCEPTOR.stream));
    }
    let received = 0;
    for (let moved = true; moved;) {
      moved = false;
      for (let out = opener.poll(Infinity); out !== undefined; out = opener.poll(Infinity)) {
        if (out.type === "transmit") acceptor.receive(0, out.bytes);
      }
      for (let out = acceptor.poll(Infinity); out !== undefined; out = acceptor.poll(Infinity)) {
        if (out.type === "transmit") opener.receive(0, out.bytes);
        if (out.type !== "event" || out.event.type !== "data" || out.event.id !== last) continue;
        moved = true;
        received += out.event.bytes.length;
        acceptor.consumed(0, last, out.event.bytes.length);
      }
    }
    assert.equal(received, size);
  });
}

/* ---- two ends over a bad link ------------------------------------------------------------------------------ */

const BAD_PATH: Path = { delay: 50, loss: 0.05, retransmitAfter: 250, rate: 1250 }; // 10 Mbit/s

/** An agent and a browser that download and upload at once; counts what arrives. */
class Ends {
  readonly clock = new VirtualClock();
  readonly opener = new Mux({ role: "opener" });
  readonly acceptor = new Mux({ role: "acceptor" });
  readonly down = new Map<number, number>();
  readonly up = new Map<number, number>();
  readonly ended = new Set<string>();
  readonly #toOpener: VirtualChannel;
  readonly #toAcceptor: VirtualChannel;
  readonly #left = new Map<number, number>();
  readonly size: number;

  constructor(path: Path, options: { seed: number; size: number }) {
    this.size = options.size;
    const random = seededRandom(options.seed);
    this.#toAcceptor = new VirtualChannel(this.clock, path, {
      random,
      deliver: (bytes) => this.#step(this.acceptor, (mux) => mux.receive(this.clock.now, bytes)),
      left: () => this.#step(this.opener, () => {}),
    });
    this.#toOpener = new VirtualChannel(this.clock, path, {
      random,
      deliver: (bytes) => this.#step(this.opener, (mux) => mux.receive(this.clock.now, bytes)),
      left: () => this.#step(this.acceptor, () => {}),
    });
  }

  start(streams: number): void {
    this.#step(this.opener, (mux) => {
      for (let i = 0; i < streams; i++) {
        const id = mux.open(this.clock.now, { ...GET, method: "POST" });
        mux.write(this.clock.now, id, new Uint8Array(this.size));
        mux.end(this.clock.now, id);
      }
    });
  }

  #step(mux: Mux, call: (mux: Mux) => void): void {
    call(mux);
    const channel = mux === this.opener ? this.#toAcceptor : this.#toOpener;
    const room = () => CHANNEL_HIGH_BYTES - channel.bufferedAmount;
    for (let output = mux.poll(room()); output !== undefined; output = mux.poll(room())) {
      if (output.type === "transmit") channel.send(output.bytes);
      if (output.type === "event") this.#take(mux, output.event);
    }
  }

  #take(mux: Mux, event: MuxEvent): void {
    const { now } = this.clock;
    const side = mux === this.opener ? "down" : "up";
    switch (event.type) {
      case "open":
        mux.respond(now, event.id, OK);
        this.#left.set(event.id, this.size);
        return this.#produce(event.id);
      case "writable":
        return this.#produce(event.id);
      case "data":
        this[side].set(event.id, (this[side].get(event.id) ?? 0) + event.bytes.length);
        return mux.consumed(now, event.id, event.bytes.length);
      case "end":
        this.ended.add(`${side} ${event.id}`);
    }
  }

  #produce(id: number): void {
    let left = this.#left.get(id);
    if (left === undefined) return; // the upload's writer wrote everything at once
    const { now } = this.clock;
    for (let go = true; go && left > 0;) {
      const bytes = new Uint8Array(Math.min(left, 65_536));
      left -= bytes.length;
      go = this.acceptor.write(now, id, bytes);
    }
    this.#left.set(id, left);
    if (left > 0) return;
    this.#left.delete(id);
    this.acceptor.end(now, id);
  }
}

for (const [name, path] of [["a perfect", PERFECT], ["a slow and lossy", BAD_PATH]] as const) {
  Deno.test(`two ends move eight streams both ways over ${name} link, every byte and every end`, () => {
    const size = 3_000_000;
    const ends = new Ends(path, { seed: 7, size });
    ends.start(8);
    ends.clock.run(600_000);
    for (let id = 1; id <= 8; id++) {
      assert.equal(ends.down.get(id), size);
      assert.equal(ends.up.get(id), size);
    }
    assert.equal(ends.ended.size, 16);
    assert.equal(ends.opener.size + ends.acceptor.size, 0);
  });
}

Deno.test("a slow link is kept full: 24 MB at 10 Mbit/s take no more than a tenth longer than they must", () => {
  const ends = new Ends({ ...BAD_PATH, loss: 0 }, { seed: 1, size: 3_000_000 });
  ends.start(8);
  ends.clock.run(600_000);
  assert.ok(ends.clock.now < (24_000_000 / 1250) * 1.1, `${ends.clock.now} ms`);
});

Deno.test("however many downloads a page has paused, the next one gets through", () => {
  const opener = new Mux({ role: "opener" });
  const acceptor = acceptorWithStreams(MAX_STREAMS);
  for (let id = 1; id <= MAX_STREAMS; id++) {
    opener.open(0, GET);
    drain(opener);
    acceptor.respond(0, id, OK);
  }
  const received = new Map<number, number>();
  const exchange = () => {
    for (let out = acceptor.poll(Infinity); out !== undefined; out = acceptor.poll(Infinity)) {
      if (out.type === "transmit") opener.receive(0, out.bytes);
    }
    for (let out = opener.poll(Infinity); out !== undefined; out = opener.poll(Infinity)) {
      if (out.type === "transmit") acceptor.receive(0, out.bytes);
      if (out.type !== "event" || out.event.type !== "data") continue;
      received.set(out.event.id, (received.get(out.event.id) ?? 0) + out.event.bytes.length);
    }
  };
  const part = 700_000; // of a stream's window of 1 MiB; nobody reads
  for (let id = 1; id < MAX_STREAMS; id++) {
    acceptor.write(0, id, new Uint8Array(part));
    exchange();
    exchange();
  }
  acceptor.write(0, MAX_STREAMS, new Uint8Array(part));
  exchange();
  assert.equal(received.get(MAX_STREAMS), part);
});

Deno.test("a paused consumer stops its own stream at its window and no other", () => {
  const clock = new VirtualClock();
  const opener = new Mux({ role: "opener" });
  const acceptor = acceptorWithStreams(2);
  opener.open(clock.now, GET);
  opener.open(clock.now, GET);
  drain(opener);
  for (const id of [1, 2]) {
    acceptor.respond(0, id, OK);
    acceptor.write(0, id, new Uint8Array(4 << 20));
  }
  const received = [0, 0, 0];
  for (let round = 0; round < 50; round++) {
    for (let out = acceptor.poll(Infinity); out !== undefined; out = acceptor.poll(Infinity)) {
      if (out.type === "transmit") opener.receive(0, out.bytes);
    }
    for (let out = opener.poll(Infinity); out !== undefined; out = opener.poll(Infinity)) {
      if (out.type === "transmit") acceptor.receive(0, out.bytes);
      if (out.type !== "event" || out.event.type !== "data") continue;
      received[out.event.id]! += out.event.bytes.length;
      if (out.event.id === 2) opener.consumed(0, 2, out.event.bytes.length);
    }
  }
  assert.ok(received[1]! < WINDOWS_TO_OPENER.stream, `paused got ${received[1]}`);
  assert.equal(received[2], 4 << 20);
});
