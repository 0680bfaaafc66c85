/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import type { Bytes } from "../../../src/lib/bytes.ts";
import { Recording, RecordingRoom } from "./recording.ts";

interface Source {
  readonly stream: ReadableStream<Bytes>;
  pulled: number;
  cancelled: unknown;
}

/** Gives `parts` bodies of `size` bytes, as they are pulled; then ends, or breaks. */
function source(parts: number, size: number, breaks = false): Source {
  const source: Source = {
    pulled: 0,
    cancelled: undefined,
    stream: new ReadableStream<Bytes>({
      pull(controller) {
        if (source.pulled++ < parts) {
          return controller.enqueue(new Uint8Array(size).fill(source.pulled));
        }
        if (breaks) controller.error(new TypeError("cut"));
        else controller.close();
      },
      cancel: (reason) => void (source.cancelled = reason),
    }, { highWaterMark: 0 }),
  };
  return source;
}

function record(body: ReadableStream<Bytes>, { limit = 1000, room = new RecordingRoom() } = {}) {
  const whole: Bytes[] = [];
  let ends = 0;
  const recording = new Recording(body, {
    ...{ room, limit },
    whole: (bytes) => whole.push(bytes),
    ended: () => ends++,
  });
  return { recording, whole, ends: () => ends };
}

async function read(stream: ReadableStream<Bytes>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

Deno.test("a recording passes the body on and has a copy once all of it was read", async () => {
  const { recording, whole, ends } = record(source(3, 10).stream);
  const bytes = await read(recording.stream);
  assert.deepEqual(whole, [bytes]);
  assert.equal(ends(), 1);
});

Deno.test("a recording reads nothing that its page does not want", async () => {
  const body = source(10, 10);
  const { recording, whole } = record(body.stream);
  const reader = recording.stream.getReader();
  await reader.read();
  await reader.read();
  assert.equal(body.pulled, 2);
  await reader.cancel("enough");
  assert.equal(body.cancelled, "enough");
  assert.deepEqual(whole, []);
});

Deno.test("a body that is cut is no copy, and an error for its page", async () => {
  const { recording, whole, ends } = record(source(3, 10, true).stream);
  await assert.rejects(read(recording.stream), /cut/);
  assert.deepEqual(whole, []);
  assert.equal(ends(), 1);
});

Deno.test("a body beyond the limit, or without room, goes through uncopied", async () => {
  const long = record(source(3, 400).stream);
  assert.equal((await read(long.recording.stream)).length, 1200);
  assert.deepEqual(long.whole, []);
  const room = new RecordingRoom(1000);
  const tiny = record(source(10, 1).stream, { room });
  assert.equal(
    (await read(tiny.recording.stream)).length,
    10,
    "tiny parts cost more than their bytes",
  );
  assert.deepEqual(tiny.whole, []);
  assert.ok(room.take(1000), "what was given up leaves no trace");
});

Deno.test("a recording that was dropped still passes the body on", async () => {
  const { recording, whole, ends } = record(source(3, 10).stream);
  recording.drop();
  recording.drop();
  assert.equal((await read(recording.stream)).length, 30);
  assert.deepEqual(whole, []);
  assert.equal(ends(), 1);
});
