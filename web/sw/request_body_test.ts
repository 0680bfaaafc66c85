/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { lookAhead, takeBody } from "./request_body.ts";

function post(body: BodyInit | null): Request {
  return new Request("http://x/", { method: "POST", body });
}

Deno.test("takeBody() knows the length of a short body and keeps its bytes", async () => {
  const body = await takeBody(post("grüße"));
  assert.equal(body?.length, 7);
  assert.equal(await new Response(body?.stream).text(), "grüße");
});

Deno.test("takeBody() tells an absent body from an empty one", async () => {
  assert.deepEqual(await takeBody(new Request("http://x/")), { stream: null });
  assert.deepEqual(await takeBody(post(null)), { stream: null, length: 0 });
});

Deno.test("takeBody() reads a blob where the browser gives no stream", async () => {
  const request = post("abc");
  Object.defineProperty(request, "body", { value: undefined });
  const body = await takeBody(request);
  assert.equal(body?.length, 3);
  assert.equal(await new Response(body?.stream).text(), "abc");
});

Deno.test("lookAhead() streams a long body from its first byte, without its length", async () => {
  const chunks = Array.from({ length: 40 }, (_, index) => new Uint8Array(50_000).fill(index));
  const body = await lookAhead(ReadableStream.from(chunks));
  assert.equal(body.length, undefined);
  const bytes = new Uint8Array(await new Response(body.stream).arrayBuffer());
  assert.equal(bytes.length, 2_000_000);
  assert.ok(bytes.every((byte, index) => byte === Math.floor(index / 50_000)));
});

Deno.test("lookAhead() does not wait for a page that writes slowly, and passes its failure on", async () => {
  let controller!: ReadableStreamDefaultController<Uint8Array>; // set by start, at once
  const slow = new ReadableStream<Uint8Array>({ start: (c) => void (controller = c) });
  controller.enqueue(new Uint8Array([1]));
  const body = await lookAhead(slow);
  assert.equal(body.length, undefined);
  const reader = body.stream!.getReader(); // there is one: a byte was written
  assert.deepEqual((await reader.read()).value, new Uint8Array([1]));
  controller.error(new Error("gone"));
  await assert.rejects(reader.read(), /gone/);
});
