/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import type { Bytes } from "../../src/lib/bytes.ts";
import { decode } from "./decode.ts";

function stream(...parts: readonly Bytes[]): ReadableStream<Bytes> {
  return ReadableStream.from(parts);
}

async function compressed(text: string, coding: "gzip" | "deflate"): Promise<Bytes> {
  const body = new Blob([text]).stream().pipeThrough(new CompressionStream(coding));
  return new Uint8Array(await new Response(body).arrayBuffer());
}

Deno.test("decode() gives an empty body for an empty one, and the content of any other", async () => {
  for (const coding of ["gzip", "deflate"] as const) {
    assert.equal(await new Response(decode(stream(), coding)).text(), "");
    assert.equal(await new Response(decode(stream(new Uint8Array(0)), coding)).text(), "");
    const bytes = await compressed("words", coding);
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
    assert.equal(await new Response(decode(stream(...single), coding)).text(), "words");
    await assert.rejects(new Response(decode(stream(new Uint8Array(30)), coding)).text());
  }
  assert.equal(await new Response(decode(stream(Uint8Array.of(0x61)), undefined)).text(), "a");
});
