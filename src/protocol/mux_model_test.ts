/**
 * Two ends of a mux against a model of what each must have seen, under random calls, random cuts of the channel and
 * random room. The model knows bytes by their place, so that one lost, doubled or swapped byte is found.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, concat } from "../lib/bytes.ts";
import type { StreamCode } from "./errors.ts";
import { CONNECTION_GRANT_SHARE } from "./flow.ts";
import { type Frame, FrameParser } from "./frame.ts";
import type { RequestHead } from "./http.ts";
import {
  DATA_COST_BYTES,
  HEAD_LIMIT_MS,
  type Windows,
  WINDOWS_TO_ACCEPTOR,
  WINDOWS_TO_OPENER,
} from "./limits.ts";
import { Mux, type MuxEvent } from "./mux.ts";

type Side = "opener" | "acceptor";
const SIDES: readonly Side[] = ["opener", "acceptor"];
const OTHER = { opener: "acceptor", acceptor: "opener" } as const;
const HEAD: RequestHead = { kind: "http", service: "ui", method: "GET", path: "/", headers: [] };

/** One half of a stream as its writer and its reader know it. */
class HalfModel {
  written = 0;
  seen = 0;
  held = 0;
  paused = false;
  ended = false;
  endSeen = false;
  canWrite: boolean;
  /** Where WebSocket messages end, and their kinds; the reader takes them from the front. */
  readonly borders: { at: number; text: boolean }[] = [];

  constructor(writer: Side) {
    this.canWrite = writer === "opener";
  }

  next(id: number, length: number): Bytes {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = pattern(id, this.written + i);
    this.written += length;
    return bytes;
  }
}

function pattern(id: number, at: number): number {
  return (id * 31 + at * 7 + (at >> 8)) & 0xff;
}

/** A stream: the half each side writes, and who has given it up. */
interface StreamModel {
  readonly messages: boolean;
  readonly from: Readonly<Record<Side, HalfModel>>;
  readonly gone: Record<Side, boolean>;
  readonly resetBy: Record<Side, StreamCode | undefined>;
  moved: number;
}

/** What one side may still send, counted from the frames on the wire and not by the mux. */
class Ledger {
  readonly #windows: Windows;
  #connection: number;
  readonly #streams = new Map<number, number>();

  constructor(windows: Windows) {
    this.#windows = windows;
    this.#connection = windows.connection;
  }

  sent(frame: Frame): void {
    if (frame.type !== "data") return;
    this.#connection -= frame.bytes.length + DATA_COST_BYTES;
    const left = this.#left(frame.id) - frame.bytes.length - DATA_COST_BYTES;
    this.#streams.set(frame.id, left);
    assert.ok(this.#connection >= 0 && left >= 0, "sent without credit");
  }

  granted(frame: Frame): void {
    if (frame.type !== "credit") return;
    if (frame.id === 0) this.#connection += frame.bytes;
    else this.#streams.set(frame.id, this.#left(frame.id) + frame.bytes);
    assert.ok(this.#connection <= this.#windows.connection, "connection's credit above its window");
    if (frame.id > 0) assert.ok(this.#left(frame.id) <= this.#windows.stream, "above its window");
  }

  /** With every stream gone, all credit is back but what is too little for a frame. */
  checkAllBack(): void {
    const { connection } = this.#windows;
    const kept = connection - this.#connection;
    assert.ok(kept < connection / CONNECTION_GRANT_SHARE, `${kept} bytes of credit are lost`);
  }

  #left(id: number): number {
    return this.#streams.get(id) ?? this.#windows.stream;
  }
}

/** Both ends, the two wires between them, and the model. */
class World {
  now = 0;
  readonly muxes = {
    opener: new Mux({ role: "opener" }),
    acceptor: new Mux({ role: "acceptor" }),
  };
  readonly room = { opener: Infinity, acceptor: Infinity };
  /** Bytes on their way FROM each side. */
  readonly wires = { opener: new Uint8Array(0), acceptor: new Uint8Array(0) };
  readonly streams = new Map<number, StreamModel>();
  readonly #ledgers = {
    opener: new Ledger(WINDOWS_TO_ACCEPTOR),
    acceptor: new Ledger(WINDOWS_TO_OPENER),
  };
  readonly #sent = { opener: new FrameParser(), acceptor: new FrameParser() };
  readonly #delivered = { opener: new FrameParser(), acceptor: new FrameParser() };

  call(side: Side, call: (mux: Mux) => void): void {
    const mux = this.muxes[side];
    call(mux);
    for (let out = mux.poll(this.room[side]); out; out = mux.poll(this.room[side])) {
      if (out.type === "event") this.#event(side, out.event);
      if (out.type === "transmit") this.#transmit(side, out.bytes);
    }
  }

  open(messages: boolean): void {
    this.call("opener", (mux) => {
      const id = mux.open(this.now, HEAD);
      this.streams.set(id, {
        messages,
        from: { opener: new HalfModel("opener"), acceptor: new HalfModel("acceptor") },
        gone: { opener: false, acceptor: true }, // the acceptor does not know of it yet
        resetBy: { opener: undefined, acceptor: undefined },
        moved: this.now,
      });
    });
  }

  respond(id: number): void {
    const { gone, from } = this.streams.get(id)!;
    if (gone.acceptor || from.acceptor.canWrite) return;
    from.acceptor.canWrite = true;
    this.call("acceptor", (mux) => mux.respond(this.now, id, { status: 200, headers: [] }));
  }

  write(side: Side, id: number, part: { length: number; text: boolean; last: boolean }): void {
    const stream = this.streams.get(id)!;
    const half = stream.from[side];
    if (stream.gone[side] || !half.canWrite || half.ended || half.paused) return;
    const { text, last } = part;
    const bytes = half.next(id, part.length);
    if (stream.messages && last) half.borders.push({ at: half.written, text });
    if (side === "opener") stream.moved = this.now;
    // Inside `call`, for `writable` may be told before it returns.
    this.call(side, (mux) => {
      half.paused = !mux.write(this.now, id, bytes, stream.messages ? { text, last } : undefined);
    });
  }

  end(side: Side, id: number): void {
    const stream = this.streams.get(id)!;
    const half = stream.from[side];
    if (stream.gone[side] || !half.canWrite || half.ended) return;
    half.ended = true;
    if (side === "opener") stream.moved = this.now;
    const close = stream.messages ? { code: 4000 + id % 100, reason: "é" } : undefined;
    this.call(side, (mux) => mux.end(this.now, id, close));
  }

  reset(side: Side, id: number): void {
    const stream = this.streams.get(id)!;
    if (stream.gone[side]) return;
    if (!isOver(stream)) stream.resetBy[side] = "cancelled";
    stream.gone[side] = true;
    this.call(side, (mux) => mux.reset(this.now, id, "cancelled"));
  }

  consume(side: Side, id: number, share: number): void {
    const { from, gone } = this.streams.get(id)!;
    const half = from[OTHER[side]];
    if (gone[side]) return;
    const bytes = Math.ceil(half.held * share);
    half.held -= bytes;
    this.call(side, (mux) => mux.consumed(this.now, id, bytes));
  }

  deliver(from: Side, length: number): void {
    const wire = this.wires[from];
    const bytes = wire.slice(0, length);
    this.wires[from] = wire.slice(length);
    if (bytes.length === 0) return;
    const to = OTHER[from];
    for (const frame of frames(this.#delivered[from], bytes)) this.#ledgers[to].granted(frame);
    this.call(to, (mux) => mux.receive(this.now, bytes));
  }

  tick(milliseconds: number): void {
    this.now += milliseconds;
    for (const side of SIDES) this.call(side, (mux) => mux.tick(this.now));
  }

  /** Everything is ended, delivered and consumed, until nothing moves any more. */
  settle(): void {
    this.room.opener = this.room.acceptor = Infinity;
    for (const side of SIDES) this.call(side, () => {});
    for (let quiet = false; !quiet;) {
      for (const id of this.streams.keys()) {
        this.respond(id);
        for (const side of SIDES) {
          this.end(side, id);
          this.consume(side, id, 1);
        }
      }
      quiet = SIDES.every((side) => this.wires[side].length === 0);
      for (const side of SIDES) this.deliver(side, Infinity);
    }
  }

  checkAllArrived(): void {
    for (const [id, stream] of this.streams) {
      if (stream.resetBy.opener !== undefined || stream.resetBy.acceptor !== undefined) continue;
      for (const side of SIDES) {
        const { written, seen, endSeen, paused, borders } = stream.from[side];
        assert.deepEqual({ id, seen, endSeen, paused, borders }, {
          id,
          seen: written,
          endSeen: true,
          paused: false,
          borders: [],
        });
      }
    }
    for (const side of SIDES) {
      assert.equal(this.muxes[side].size, 0, `${side} keeps streams`);
      this.#ledgers[side].checkAllBack();
    }
  }

  #transmit(side: Side, bytes: Bytes): void {
    for (const frame of frames(this.#sent[side], bytes)) this.#ledgers[side].sent(frame);
    this.wires[side] = concat(this.wires[side], bytes);
  }

  #event(side: Side, event: MuxEvent): void {
    const stream = this.streams.get(event.id)!;
    if (event.type === "open") {
      assert.deepEqual(event.head, HEAD);
      stream.gone.acceptor = false;
      return;
    }
    assert.ok(!stream.gone[side], `"${event.type}" after the stream was gone for the ${side}`);
    const theirs = stream.from[OTHER[side]];
    if (event.type === "writable") {
      assert.ok(stream.from[side].paused, "writable without a pause");
      stream.from[side].paused = false;
    }
    if (event.type === "data") takeData(stream, theirs, event);
    if (event.type === "end") takeEnd(stream, theirs, event);
    if (event.type === "reset") this.#takeReset(side, stream, event.code);
    if (isOver(stream)) stream.gone[side] = stream.from[side].endSeen && theirs.endSeen;
  }

  #takeReset(side: Side, stream: StreamModel, code: StreamCode): void {
    stream.gone[side] = true;
    if (code !== "upstream_timeout" || side === "acceptor") {
      return assert.equal(stream.resetBy[OTHER[side]], code, "a reset that nobody asked for");
    }
    assert.ok(this.now >= stream.moved + HEAD_LIMIT_MS, "a head that was given up too early");
    stream.resetBy.opener = code;
  }
}

function isOver({ from }: StreamModel): boolean {
  return from.opener.endSeen && from.acceptor.endSeen;
}

function frames(parser: FrameParser, bytes: Bytes): Frame[] {
  const found: Frame[] = [];
  parser.push(bytes);
  for (let frame = parser.next(); frame !== undefined; frame = parser.next()) found.push(frame);
  return found;
}

function takeData(stream: StreamModel, half: HalfModel, event: MuxEvent & { type: "data" }): void {
  const { id, bytes, text, last } = event;
  assert.ok(!half.endSeen, "data after the end");
  const same = bytes.every((byte, i) => byte === pattern(id, half.seen + i));
  assert.ok(same, `bytes of stream ${id} are not those written at ${half.seen}`);
  half.seen += bytes.length;
  half.held += bytes.length;
  assert.ok(half.seen <= half.written, "more bytes than were written");
  if (!stream.messages) return assert.ok(!last && !text);
  if (last) assert.deepEqual({ at: half.seen, text }, half.borders.shift());
  else {assert.ok(
      half.borders.length === 0 || half.seen <= half.borders[0]!.at,
      "a border was lost",
    );}
}

function takeEnd(stream: StreamModel, half: HalfModel, event: MuxEvent & { type: "end" }): void {
  assert.ok(half.ended && !half.endSeen, "an end that nobody wrote");
  assert.equal(half.seen, half.written, "the end came before the last byte");
  assert.equal(event.close?.code, stream.messages ? 4000 + event.id % 100 : undefined);
  half.endSeen = true;
}

/* ---- random commands -------------------------------------------------------------------------------------- */

const side = fc.constantFrom(...SIDES);
const length = fc.oneof(
  { weight: 4, arbitrary: fc.nat(40) },
  { weight: 3, arbitrary: fc.nat(70_000) },
  { weight: 1, arbitrary: fc.nat(1_200_000) },
);
const pick = fc.nat(1000);
type Command = (world: World) => void;

/** A command for one of the streams that exist. */
function onStream(run: (world: World, id: number) => void, at: number): Command {
  return (world) => {
    if (world.streams.size > 0) run(world, 1 + at % world.streams.size);
  };
}

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 2, arbitrary: fc.boolean().map((messages) => (world: World) => world.open(messages)) },
  { weight: 2, arbitrary: pick.map((at) => onStream((world, id) => world.respond(id), at)) },
  {
    weight: 8,
    arbitrary: fc.record({ side, at: pick, length, text: fc.boolean(), last: fc.boolean() }).map(
      ({ side, at, ...part }) => onStream((world, id) => world.write(side, id, part), at),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(side, pick).map(([side, at]) =>
      onStream((world, id) => world.end(side, id), at)
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(side, pick).map(([side, at]) =>
      onStream((world, id) => world.reset(side, id), at)
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(side, pick, fc.constantFrom(0, 0.01, 0.5, 1)).map(([side, at, share]) =>
      onStream((world, id) => world.consume(side, id, share), at)
    ),
  },
  {
    weight: 8,
    arbitrary: fc.tuple(side, fc.oneof(fc.nat(20), fc.nat(300_000))).map(
      ([side, bytes]) => (world: World) => world.deliver(side, bytes),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(side, fc.constantFrom(0, 1, Infinity)).map(
      ([side, room]) => (world: World) => {
        world.room[side] = room;
        world.call(side, () => {});
      },
    ),
  },
  { weight: 1, arbitrary: fc.nat(60_000).map((time) => (world: World) => world.tick(time)) },
);

Deno.test("two ends under random calls, cuts and room agree with the model, and nothing stays behind", () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 150, size: "max" }), (commands) => {
      const world = new World();
      for (const run of commands) run(world);
      world.settle();
      world.checkAllArrived();
    }),
    { numRuns: 150 },
  );
});
