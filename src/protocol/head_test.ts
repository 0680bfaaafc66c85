import assert from "node:assert/strict";
import fc from "fast-check";
import { toHex } from "../lib/bytes.ts";
import { encodeCbor } from "./cbor.ts";
import { ProtocolError, StreamError } from "./errors.ts";
import {
  decodeRequestHead,
  decodeResponseHead,
  encodeRequestHead,
  encodeResponseHead,
} from "./head.ts";
import type { RequestHead, ResponseHead } from "./http.ts";
import { MAX_HEADER_LINES } from "./limits.ts";

const REQUEST: RequestHead = {
  kind: "http",
  service: "ui",
  method: "GET",
  path: "/a%2Fb//c?x=1&x=2",
  headers: [["accept", "*/*"], ["x-two", "1"], ["x-two", "2"]],
};
const RESPONSE: ResponseHead = { status: 200, headers: [["content-type", "text/html"]] };

Deno.test("request head has exactly these bytes and is read from them", () => {
  const hex = "8500" + "627569" + "63474554" + "71" +
    toHex(new TextEncoder().encode(REQUEST.path)) +
    "86" + "66616363657074" + "632a2f2a" + "65782d74776f" + "6131" + "65782d74776f" + "6132";
  assert.equal(toHex(encodeRequestHead(REQUEST)), hex);
  assert.deepEqual(decodeRequestHead(encodeRequestHead(REQUEST)), REQUEST);
});

Deno.test("response head has exactly these bytes and is read from them", () => {
  const hex = "82" + "18c8" + "82" + "6c636f6e74656e742d74797065" + "69746578742f68746d6c";
  assert.equal(toHex(encodeResponseHead(RESPONSE)), hex);
  assert.deepEqual(decodeResponseHead(encodeResponseHead(RESPONSE)), RESPONSE);
});

Deno.test("a head cut at any byte is refused", () => {
  const request = encodeRequestHead(REQUEST);
  for (let cut = 0; cut < request.length; cut++) {
    assert.throws(() => decodeRequestHead(request.slice(0, cut)), ProtocolError, `cut at ${cut}`);
  }
  const response = encodeResponseHead(RESPONSE);
  for (let cut = 0; cut < response.length; cut++) {
    assert.throws(() => decodeResponseHead(response.slice(0, cut)), ProtocolError, `cut at ${cut}`);
  }
});

Deno.test("a head that is too long is a limit, told to the writer", () => {
  const long: RequestHead = { ...REQUEST, headers: [["x", "y".repeat(40_000)]] };
  assert.throws(
    () => encodeRequestHead(long),
    (error) => error instanceof StreamError && error.code === "request_too_large",
  );
});

const HOSTILE_REQUESTS: [string, unknown][] = [
  ["an unknown kind", [2, "ui", "GET", "/", []]],
  ["a service that is an address", [0, "http://10.0.0.1", "GET", "/", []]],
  ["a method with a blank", [0, "ui", "GET /x", "/", []]],
  ["a path that is a URL", [0, "ui", "GET", "http://evil/", []]],
  ["a path with a line break", [0, "ui", "GET", "/\r\nX: y", []]],
  ["a path with a blank", [0, "ui", "GET", "/a b", []]],
  ["a path that is not ASCII", [0, "ui", "GET", "/é", []]],
  ["half a header pair", [0, "ui", "GET", "/", ["a"]]],
  ["a header name with a colon", [0, "ui", "GET", "/", ["a:", "b"]]],
  ["a header value with a line break", [0, "ui", "GET", "/", ["a", "b\r\nc: d"]]],
  ["a header value with NUL", [0, "ui", "GET", "/", ["a", "b\0"]]],
  ["headers that are a map", [0, "ui", "GET", "/", { a: "b" }]],
  ["a map", { kind: 0 }],
  ["a sixth item", [0, "ui", "GET", "/", [], 1]],
];

for (const [name, value] of HOSTILE_REQUESTS) {
  Deno.test(`request head with ${name} is refused`, () => {
    assert.throws(() => decodeRequestHead(encodeCbor(value)), ProtocolError);
  });
}

for (const status of [99, 1000, 200.5, "200", -1, NaN, null]) {
  Deno.test(`response head with status ${String(status)} is refused`, () => {
    assert.throws(() => decodeResponseHead(encodeCbor([status, []])), ProtocolError);
  });
}

const UNSENDABLE_HEADERS: [string, RequestHead["headers"], string][] = [
  ["a header name that is no token", [["a b", "c"]], "malformed"],
  ["a line break in a header value", [["a", "b\nc"]], "malformed"],
  ["too many header lines", Array.from({ length: MAX_HEADER_LINES + 1 }, () => ["a", ""]), "limit"],
];

for (const [name, headers, reason] of UNSENDABLE_HEADERS) {
  Deno.test(`heads with ${name} fail their own stream, before the peer ends the connection`, () => {
    const fails = (code: string) => (error: unknown) =>
      error instanceof StreamError && error.code === code;
    const isLong = reason === "limit";
    const request = fails(isLong ? "request_too_large" : "protocol");
    assert.throws(() => encodeRequestHead({ ...REQUEST, headers }), request);
    const answer = fails(isLong ? "answer_too_large" : "upstream_broken");
    assert.throws(() => encodeResponseHead({ status: 200, headers }), answer);
  });
}

Deno.test("heads that may not travel for another reason fail their own stream as well", () => {
  for (const wrong of [{ service: "Ui" }, { method: "" }, { path: "a" }]) {
    assert.throws(() => encodeRequestHead({ ...REQUEST, ...wrong }), StreamError);
  }
  for (const status of [99, 1000, 200.5, NaN]) {
    assert.throws(() => encodeResponseHead({ status, headers: [] }), StreamError);
  }
});

Deno.test("head readers give a head or a ProtocolError for any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
    for (const decode of [decodeRequestHead, decodeResponseHead]) {
      try {
        decode(bytes);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
      }
    }
  }));
});

Deno.test("heads survive the way through bytes, whatever they say within the rules", () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
  const value = fc.string({ maxLength: 50 }).filter((text) => !/\p{Cc}/u.test(text));
  const headers = fc.array(fc.tuple(name, value), { maxLength: 20 });
  const path = fc.stringMatching(/^\/[!-~]{0,50}$/);
  fc.assert(fc.property(headers, path, (headers, path) => {
    const head: RequestHead = { ...REQUEST, path, headers };
    assert.deepEqual(decodeRequestHead(encodeRequestHead(head)), head);
  }));
});
