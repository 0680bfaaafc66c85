/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { type Bytes, utf8 } from "../../src/lib/bytes.ts";
import { PulledBody, Upload } from "./body.ts";

function pulled() {
  const log = { taken: 0, cancelled: 0 };
  const body = new PulledBody({
    taken: (bytes) => log.taken += bytes,
    cancel: () => log.cancelled++,
  });
  return { body, log };
}

Deno.test("PulledBody gives bytes back as its reader takes them, eight chunks ahead", async () => {
  const { body, log } = pulled();
  for (let i = 0; i < 20; i++) body.push(utf8("0123456789"));
  assert.equal(log.taken, 80);
  const reader = body.stream.getReader();
  await reader.read();
  assert.equal(log.taken, 90);
  body.end();
  let chunks = 1;
  while (!(await reader.read()).done) chunks++;
  assert.equal(chunks, 20);
  assert.equal(log.taken, 200);
});

Deno.test("PulledBody that failed is an error, also when everything had been read", async () => {
  const { body } = pulled();
  body.push(utf8("half"));
  const reader = body.stream.getReader();
  await reader.read();
  body.fail("upstream_broken");
  body.end();
  await assert.rejects(reader.read(), /upstream_broken/);
});

Deno.test("PulledBody tells of a reader that gives up, and takes nothing more", async () => {
  const { body, log } = pulled();
  await body.stream.cancel();
  body.push(utf8("late"));
  body.end();
  body.fail("internal");
  assert.deepEqual(log, { taken: 0, cancelled: 1 });
});

function sink() {
  const sent: Bytes[] = [];
  const state = { open: true, credit: 0, ended: false };
  return {
    sent,
    state,
    get open() {
      return state.open;
    },
    hasCreditFor: (bytes: Uint8Array) => bytes.length <= state.credit,
    send(bytes: Bytes) {
      state.credit -= bytes.length;
      sent.push(bytes);
    },
    endBody: () => state.ended = true,
  };
}

Deno.test("Upload cuts a body into parts and waits for credit", async () => {
  const target = sink();
  const upload = new Upload(target);
  const done = upload.run(ReadableStream.from([new Uint8Array(150_000)]));
  while (!target.state.ended) {
    target.state.credit = 65_536;
    upload.wake();
    await Promise.resolve();
  }
  assert.equal(await done, true);
  assert.deepEqual(target.sent.map(({ length }) => length), [65_536, 65_536, 18_928]);
});

Deno.test("Upload whose page breaks off says so and never ends the body", async () => {
  const target = sink();
  const broken = new ReadableStream<Uint8Array>({ pull: (c) => c.error(new Error("gone")) });
  assert.equal(await new Upload(target).run(broken), false);
  assert.equal(target.state.ended, false);
});

Deno.test("Upload lets go of a page's body that says nothing when its stream is gone", async () => {
  const target = sink();
  const cancelled = Promise.withResolvers<void>();
  const silent = new ReadableStream<Uint8Array>({ cancel: () => cancelled.resolve() });
  const upload = new Upload(target);
  const done = upload.run(silent);
  target.state.open = false;
  upload.wake();
  assert.equal(await done, true);
  await cancelled.promise;
  assert.equal(target.state.ended, false);
});

Deno.test("a body that came whole stays whole, whatever happens to its stream before it is read", async () => {
  const body = new PulledBody({ taken() {}, cancel() {} });
  const parts = Array.from({ length: 20 }, () => new Uint8Array(10)); // more than the stream holds by itself
  for (const part of parts) body.push(part);
  body.end();
  body.fail("session_closed");
  assert.equal((await new Response(body.stream).bytes()).length, 200);
});

Deno.test("Upload stops when its stream is gone, and lets go of the page's body", async () => {
  const target = sink();
  const cancelled = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(10)),
    cancel: () => cancelled.resolve(),
  });
  const upload = new Upload(target);
  const done = upload.run(body);
  target.state.open = false;
  upload.wake();
  assert.equal(await done, true);
  await cancelled.promise;
  assert.equal(target.state.ended, false);
});
