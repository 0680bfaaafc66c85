import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, utf8 } from "../lib/bytes.ts";
import { encodeFrame, FrameParser } from "./frame.ts";
import { encodeRequestHead } from "./head.ts";
import type { Header, RequestHead } from "./http.ts";
import {
  DATA_COST_BYTES,
  LANE_LEAD_SHARE,
  MAX_DATA_BYTES,
  SEND_QUEUE_HIGH_BYTES,
} from "./limits.ts";
import { Mux } from "./mux.ts";
import { URGENCIES, type Urgency, URGENCY_HEADER, urgencyOf, urgencyOfAnswer } from "./urgency.ts";

function asking(urgency?: string, kind: RequestHead["kind"] = "http"): RequestHead {
  const headers: Header[] = urgency === undefined ? [] : [[URGENCY_HEADER, urgency]];
  return { kind, service: "ui", method: "GET", path: "/", headers };
}

function answering(name: string, value: string) {
  return { status: 200, headers: [[name, value]] as const };
}

/** Streams 1, 2, ... as a browser opens them. */
function agentWith(...heads: readonly RequestHead[]): Mux {
  const mux = new Mux({ role: "acceptor" });
  heads.forEach((head, at) => {
    mux.receive(0, encodeFrame({ type: "open", id: at + 1, head: encodeRequestHead(head) }));
  });
  heads.forEach((_, at) => mux.respond(0, at + 1, { status: 200, headers: [] }));
  return mux;
}

/** Ids of the DATA frames that leave now, in their order; at most `limit`. */
function order(mux: Mux, limit = Infinity): number[] {
  const parser = new FrameParser();
  const ids: number[] = [];
  while (ids.length < limit) {
    const output = mux.poll(Infinity);
    if (output === undefined) break;
    if (output.type !== "transmit") continue;
    parser.push(output.bytes);
    for (let frame = parser.next(); frame !== undefined; frame = parser.next()) {
      if (frame.type === "data") ids.push(frame.id);
    }
  }
  return ids;
}

function frames(count: number): Bytes {
  return new Uint8Array(count * MAX_DATA_BYTES);
}

/** [id, how many in a row], which is what a person reads. */
function runs(ids: readonly number[]): [id: number, count: number][] {
  const found: [number, number][] = [];
  for (const id of ids) {
    const last = found.at(-1);
    if (last?.[0] === id) last[1]++;
    else found.push([id, 1]);
  }
  return found;
}

Deno.test("streams go in the order of their classes, whatever the order in which they were opened", () => {
  const mux = agentWith(
    asking("bulk"),
    asking("image"),
    asking("fetch"),
    asking("page"),
    asking("live"),
  );
  for (const id of [1, 2, 3, 4, 5]) mux.write(0, id, frames(1));
  assert.deepEqual(order(mux), [5, 4, 3, 2, 1]);
});

Deno.test("who says no class, or one that is none, sends as a WebSocket or a fetch", () => {
  assert.equal(urgencyOf(asking()), "fetch");
  assert.equal(urgencyOf(asking(undefined, "websocket")), "live");
  for (const word of ["", "0", "LIVE", "live ", "control", "__proto__", "x".repeat(8000)]) {
    assert.equal(urgencyOf(asking(word)), "fetch");
  }
  for (const urgency of URGENCIES) assert.equal(urgencyOf(asking(urgency)), urgency);
});

Deno.test("an answer that is media or a download goes last, whatever asked for it", () => {
  const after = (name: string, value: string) => urgencyOfAnswer("page", answering(name, value));
  assert.equal(after("Content-Disposition", 'attachment; filename="a.bin"'), "bulk");
  assert.equal(after("content-type", "video/mp4"), "bulk");
  assert.equal(after("content-type", "multipart/x-mixed-replace; boundary=x"), "bulk");
  assert.equal(after("content-disposition", "inline"), "page");
  assert.equal(after("content-type", "text/html"), "page");
  assert.equal(urgencyOfAnswer("bulk", answering("content-type", "text/html")), "bulk");

  const mux = new Mux({ role: "acceptor" });
  for (const id of [1, 2]) {
    const head = encodeRequestHead(asking("page"));
    mux.receive(0, encodeFrame({ type: "open", id, head }));
  }
  mux.respond(0, 1, answering("content-disposition", "attachment"));
  mux.respond(0, 2, answering("content-type", "text/html"));
  for (const id of [1, 2]) mux.write(0, id, frames(3));
  assert.deepEqual(order(mux), [2, 2, 2, 1, 1, 1]);
});

Deno.test("a class that waits gets one frame after eight, and the rest when the others are done", () => {
  const mux = agentWith(asking("page"), asking("bulk"));
  mux.write(0, 2, frames(8));
  mux.write(0, 1, frames(20));
  assert.deepEqual(runs(order(mux)), [[1, 8], [2, 1], [1, 8], [2, 1], [1, 4], [2, 6]]);
});

Deno.test("classes that wait behind one have their share in turn", () => {
  const mux = agentWith(asking("live"), asking("page"), asking("image"), asking("bulk"));
  mux.write(0, 1, frames(40));
  for (const id of [2, 3, 4]) mux.write(0, id, frames(9));
  const behind = order(mux, 45).filter((id) => id !== 1);
  assert.deepEqual(behind, [2, 3, 4, 2, 3]);
});

Deno.test("streams of one class take turns", () => {
  const mux = agentWith(asking("page"), asking("page"), asking("page"), asking("image"));
  for (const id of [1, 2, 3, 4]) mux.write(0, id, frames(2));
  assert.deepEqual(order(mux), [1, 2, 3, 1, 2, 3, 4, 4]);
});

Deno.test("a thousand keystrokes buy a download no more than their bytes are worth", () => {
  const mux = agentWith(asking(undefined, "websocket"), asking("bulk"));
  mux.write(0, 2, frames(10));
  for (let i = 0; i < 1000; i++) mux.write(0, 1, utf8("k"), { text: true, last: true });
  assert.deepEqual(runs(order(mux)), [[1, 1000], [2, 10]]);
});

Deno.test("an upload overtakes another one by its class as well", () => {
  const mux = new Mux({ role: "opener" });
  for (const urgency of ["bulk", "fetch", "live"]) {
    const id = mux.open(0, asking(urgency));
    mux.write(0, id, frames(2));
  }
  assert.deepEqual(order(mux), [3, 3, 2, 2, 1, 1]);
});

Deno.test("a stream without credit does not hold up the classes behind it", () => {
  const mux = agentWith(asking("page"), asking("bulk"));
  mux.write(0, 1, frames(100)); // its window is 1 MiB
  mux.write(0, 2, frames(10));
  const ids = order(mux);
  assert.equal(ids.filter((id) => id === 2).length, 10);
  assert.ok(ids.filter((id) => id === 1).length < 100);
});

Deno.test("whatever classes a page claims, each of its streams gets its share", () => {
  const asked = fc.array(fc.constantFrom<Urgency>(...URGENCIES), { minLength: 2, maxLength: 12 });
  fc.assert(
    fc.property(asked, (urgencies) => {
      const mux = agentWith(...urgencies.map((urgency) => asking(urgency)));
      const sent = new Map<number, number>();
      const rounds = 100 * urgencies.length;
      mux.receive(0, encodeFrame({ type: "credit", id: 0, bytes: 1 << 30 }));
      for (let id = 1; id <= urgencies.length; id++) {
        mux.receive(0, encodeFrame({ type: "credit", id, bytes: 1 << 30 }));
      }
      for (let round = 0; round < rounds; round++) {
        for (let id = 1; id <= urgencies.length; id++) fill(mux, id, sent);
        for (const id of order(mux, 1)) sent.set(id, (sent.get(id) ?? 0) + 1);
      }
      const classes = new Set(urgencies).size;
      urgencies.forEach((urgency, at) => {
        const equals = urgencies.filter((other) => other === urgency).length;
        const least = rounds / (LANE_LEAD_SHARE + 1) / Math.max(1, classes - 1) / equals;
        const got = sent.get(at + 1) ?? 0;
        assert.ok(got > 0.8 * least - 2, `${urgency}: ${got} of ${rounds}, least ${least}`);
      });
    }),
    { numRuns: 20 },
  );
});

/** Keeps a stream's queue filled. */
function fill(mux: Mux, id: number, sent: ReadonlyMap<number, number>): void {
  if ((sent.get(id) ?? 0) % 10 === 0) {
    try {
      mux.write(0, id, new Uint8Array(SEND_QUEUE_HIGH_BYTES - DATA_COST_BYTES));
    } catch {
      return; // full: it has enough
    }
  }
}
