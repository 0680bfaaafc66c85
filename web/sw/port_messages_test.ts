/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import fc from "fast-check";
import { parseFromPump, parseStreamHead, parseToPump } from "./port_messages.ts";

Deno.test("parsers of port messages never throw and give only what they name", () => {
  fc.assert(fc.property(fc.anything(), (value) => {
    assert.equal(parseToPump(value), undefined);
    assert.equal(parseFromPump(value), undefined);
    assert.equal(parseStreamHead(value), undefined);
  }));
});

Deno.test("parsers of port messages survive odd fields below a known type", () => {
  const type = fc.constantFrom(
    "head",
    "data",
    "end",
    "error",
    "pull",
    "body",
    "body-end",
    "cancel",
  );
  const message = fc.record({
    type,
    bytes: fc.anything(),
    close: fc.anything(),
    code: fc.anything(),
    headers: fc.anything(),
    status: fc.anything(),
  });
  fc.assert(fc.property(message, (value) => {
    for (const parsed of [parseToPump(value), parseFromPump(value)]) {
      if (parsed === undefined) continue;
      const refused = value.type === "head" && parsed.type === "error";
      if (!refused) assert.equal(parsed.type, value.type);
    }
  }));
});

Deno.test("a malformed head is an error of its stream, which would wait for ever otherwise", () => {
  const headers = Array.from({ length: 300 }, () => ["a", "b"]);
  const refused = { type: "error", code: "protocol" };
  assert.deepEqual(parseFromPump({ type: "head", status: 200, headers }), refused);
});

Deno.test("parseToPump() refuses parts above the limit and memory that is shared", () => {
  const body = (bytes: Uint8Array) => parseToPump({ type: "body", bytes });
  assert.notEqual(body(new Uint8Array(65_536)), undefined);
  assert.equal(body(new Uint8Array(65_537)), undefined);
  assert.equal(body(new Uint8Array(new SharedArrayBuffer(8))), undefined);
});

Deno.test("a close that could not be written on the wire is dropped", () => {
  const close = (close: unknown) => parseToPump({ type: "body-end", close });
  assert.deepEqual(close({ code: 1000, reason: "x" }), {
    type: "body-end",
    close: { code: 1000, reason: "x" },
  });
  for (const odd of [{ code: 70_000, reason: "" }, { code: -1, reason: "" }, { code: 1000 }, 5]) {
    assert.deepEqual(close(odd), { type: "body-end" });
  }
});

Deno.test("an unknown code of a failure reads as internal", () => {
  assert.deepEqual(parseFromPump({ type: "error", code: "toString" }), {
    type: "error",
    code: "internal",
  });
  assert.deepEqual(parseFromPump({ type: "error", code: "limit" }), {
    type: "error",
    code: "limit",
  });
});
