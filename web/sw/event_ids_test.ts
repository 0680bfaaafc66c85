/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { utf8 } from "../../src/lib/bytes.ts";
import { EventIds, EVENTS_MARK } from "./event_ids.ts";
import type { StreamHead } from "./port_messages.ts";

const HEAD: StreamHead = { kind: "http", method: "GET", path: "/e", headers: [["accept", "x"]] };
const URL_OF = `https://x.example/e${EVENTS_MARK}1`;

/** The Last-Event-ID of the request after a stream that came in parts of this size. */
async function after(text: string, size = text.length): Promise<string | undefined> {
  const ids = new EventIds();
  const key = ids.keyOf(URL_OF, "page")!;
  const bytes = utf8(text);
  const parts = Array.from(
    { length: Math.ceil(bytes.length / size) },
    (_, part) => bytes.slice(part * size, (part + 1) * size),
  );
  const passed = ReadableStream.from(parts).pipeThrough(ids.reading(key));
  assert.equal(await new Response(passed).text(), text);
  return ids.resumed(HEAD, key).headers.find(([name]) => name === "last-event-id")?.[1];
}

Deno.test("the id of the last whole event goes with the next request, however the bytes came", async () => {
  const streams: readonly (readonly [text: string, id: string | undefined])[] = [
    ["id: 1\ndata: a\n\nid: 2\ndata: b\n\n", "2"],
    ["id:7\r\ndata: a\r\n\r\n", "7"],
    ["id: 7\rdata: a\r\rdata: b\r\r", "7"],
    ["id: 1\ndata: a\n\nid: 2\ndata: b\n", "1"],
    ["id: 1\n\nid\n\n", undefined],
    ["id: 1\n\nid: a\0b\n\n", "1"],
    ["data: id: 1\n\nids: 2\n\n", undefined],
    ["id:  é\n\n", " \xc3\xa9"],
    [`id: 1\n\nid: ${"x".repeat(5000)}\n\n`, "1"],
  ];
  for (const [text, id] of streams) {
    for (const size of [1, 2, 3, 64, 10_000]) assert.equal(await after(text, size), id, text);
  }
});

Deno.test("streams do not take each other's ids, and an address without a mark has none", () => {
  const ids = new EventIds();
  assert.equal(ids.keyOf("https://x.example/e", "page"), undefined);
  assert.equal(ids.keyOf(URL_OF, ""), undefined);
  assert.notEqual(ids.keyOf(URL_OF, "a"), ids.keyOf(URL_OF, "b"));
  assert.deepEqual(ids.resumed(HEAD, undefined), HEAD);
  assert.deepEqual(ids.resumed(HEAD, ids.keyOf(URL_OF, "a")), HEAD);
});

Deno.test("what a request says itself counts more", async () => {
  const ids = new EventIds();
  const key = ids.keyOf(URL_OF, "a")!;
  const events = ReadableStream.from([utf8("id: 1\n\n")]);
  await new Response(events.pipeThrough(ids.reading(key))).text();
  const said: StreamHead = { ...HEAD, headers: [["Last-Event-ID", "9"]] };
  assert.deepEqual(ids.resumed(said, key), said);
});
