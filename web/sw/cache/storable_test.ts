/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Header } from "../../../src/protocol/http.ts";
import { clearsCache, invalidatedPaths, isUnsafe } from "./invalidate.ts";
import type { CacheRequest } from "./plan.ts";
import { isStorable, storedHeaders } from "./storable.ts";
import { parseStored, type StoredResponse } from "./stored_response.ts";
import { confirms, refreshed } from "./validate.ts";
import { fits, sameVariant, varyingOf } from "./vary.ts";

const NOW = Date.UTC(2026, 10, 20);
const GET: CacheRequest = {
  ...{ method: "GET", path: "/", mode: "default", isDocument: false, byScript: true },
  headers: [],
  sent: [],
};
const MAX_AGE: Header = ["Cache-Control", "max-age=60"];
const ETAG: Header = ["ETag", '"1"'];

function storable(status: number, headers: readonly Header[], request: Partial<CacheRequest> = {}) {
  return isStorable({ ...GET, ...request }, { status, headers }, NOW);
}

Deno.test("storable: RFC 9111 3, by status", () => {
  for (const status of [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]) {
    assert.ok(storable(status, [ETAG]), `${status}`);
  }
  for (const status of [302, 303, 307]) {
    assert.ok(!storable(status, [ETAG]), `${status} without a word`);
    assert.ok(storable(status, [MAX_AGE]), `${status} with max-age`);
  }
  for (const status of [206, 304, 400, 401, 403, 407, 416, 500, 502, 503, 511]) {
    assert.ok(!storable(status, [MAX_AGE, ETAG]), `${status}`);
  }
});

Deno.test("storable: RFC 9111 5.2, no-store of either side, and what does not concern a private cache", () => {
  assert.ok(!storable(200, [["cache-control", "max-age=60, No-Store"]]));
  assert.ok(!storable(200, [["cache-control", "no-store, must-understand"], ETAG]));
  assert.ok(!storable(200, [MAX_AGE], { headers: [["cache-control", "no-store"]] }));
  assert.ok(storable(200, [["cache-control", "private, max-age=60"]]));
  assert.ok(storable(200, [["cache-control", "s-maxage=0, max-age=60"]]));
  assert.ok(storable(200, [["cache-control", "no-cache"], ETAG]));
  assert.ok(
    storable(200, [MAX_AGE], { headers: [["authorization", "Basic eA=="]] }),
    "RFC 9111 3.5",
  );
});

Deno.test("storable: what nothing can be taken from again is not kept, but a page is, for going back", () => {
  assert.ok(!storable(200, []));
  assert.ok(!storable(200, [["cache-control", "max-age=0"]]));
  assert.ok(storable(200, [["last-modified", "Mon, 01 Jan 2024 00:00:00 GMT"]]));
  assert.ok(storable(200, [], { isDocument: true }));
  assert.ok(!storable(200, [["cache-control", "no-store"]], { isDocument: true }));
});

Deno.test("storable: streams that do not end are not kept", () => {
  for (const type of ["text/event-stream", " multipart/x-mixed-replace;boundary=f"]) {
    assert.ok(!storable(200, [["content-type", type], MAX_AGE]), type);
  }
});

Deno.test("stored headers are those of RFC 9111 3.1", () => {
  const kept = storedHeaders([
    ["Connection", "X-Hop, close"],
    ["X-Hop", "1"],
    ["Transfer-Encoding", "chunked"],
    ["Set-Cookie", "a=1"],
    ["Content-Type", "text/css"],
    ["Vary", "Accept"],
  ]);
  assert.deepEqual(kept, [["content-type", "text/css"], ["vary", "Accept"]]);
});

const STORED: StoredResponse = {
  ...{ id: "1", holder: "h", path: "/a?b", status: 200, varying: [] },
  headers: [["etag", '"1"'], ["content-type", "text/css"], ["content-length", "5"], ["age", "9"], [
    "x",
    "old",
  ]],
  ...{ requestedAt: 1, respondedAt: 2, bodyBytes: 5, usedAt: 2 },
};

Deno.test("a 304 changes the stored fields, but none of the body's (RFC 9111 3.2, 4.3.4)", () => {
  const head = {
    status: 304,
    headers: [
      ["Content-Type", "text/plain"],
      ["Content-Length", "0"],
      ["Content-Encoding", "gzip"],
      ["X", "new"],
      ["Cache-Control", "max-age=9"],
      ["Connection", "close"],
    ] satisfies Header[],
  };
  const entry = refreshed(STORED, head, { requestedAt: 10, respondedAt: 11 });
  assert.deepEqual(entry.headers, [
    ["etag", '"1"'],
    ["content-type", "text/css"],
    ["content-length", "5"],
    ["x", "new"],
    ["cache-control", "max-age=9"],
  ]);
  assert.deepEqual([entry.requestedAt, entry.respondedAt, entry.id], [10, 11, "1"]);
});

Deno.test("a 304 speaks of the answer whose ETag it has, or of the one asked about (RFC 9111 4.3.4)", () => {
  const told = (...headers: Header[]) => confirms({ status: 304, headers }, STORED);
  assert.ok(told(["ETag", '"1"']));
  assert.ok(told(["ETag", 'W/"1"']));
  assert.ok(told());
  assert.ok(!told(["ETag", '"2"']));
  assert.ok(!confirms({ status: 304, headers: [["etag", '"1"']] }, { ...STORED, headers: [] }));
});

Deno.test("Vary compares what was sent, blanks aside, and never what nobody sees (RFC 9111 4.1)", () => {
  const varying = varyingOf([["Vary", "Accept, accept-language"]], [["accept", "a, b"]]);
  assert.deepEqual(varying, [["accept", "a,b"], ["accept-language", null]]);
  const entry = { ...STORED, varying };
  assert.ok(fits(entry, [["Accept", "a,b"]]));
  assert.ok(!fits(entry, [["accept", "b"]]));
  assert.ok(!fits(entry, [["accept", "a,b"], ["accept-language", "de"]]));
  assert.ok(!fits({ ...STORED, varying: varyingOf([["vary", "*"]], []) }, []));
  assert.ok(!fits({ ...STORED, varying: varyingOf([["vary", "Cookie"]], []) }, []));
  assert.ok(sameVariant(entry, { ...entry, varying: [...varying].reverse() }));
  assert.ok(!sameVariant(entry, STORED));
});

Deno.test("an unsafe method makes its path, Location and Content-Location doubtful (RFC 9111 4.4)", () => {
  assert.deepEqual(
    ["GET", "HEAD", "OPTIONS", "TRACE", "POST", "PUT", "DELETE", "PATCH", "X"].filter(isUnsafe),
    [
      "POST",
      "PUT",
      "DELETE",
      "PATCH",
      "X",
    ],
  );
  const url = "https://x.example/dir/a?q";
  const paths = (status: number, ...headers: Header[]) =>
    invalidatedPaths(url, { status, headers });
  assert.deepEqual(paths(204), ["/dir/a?q"]);
  assert.deepEqual(paths(201, ["Location", "b"], ["content-location", "/c#d"]), [
    "/dir/a?q",
    "/dir/b",
    "/c",
  ]);
  assert.deepEqual(paths(303, ["location", "https://y.example/z"]), ["/dir/a?q"]);
  assert.deepEqual(paths(303, ["location", "http://["]), ["/dir/a?q"]);
  assert.deepEqual(paths(404, ["location", "b"]), []);
  assert.ok(clearsCache({ status: 200, headers: [["Clear-Site-Data", '"cache", "cookies"']] }));
  assert.ok(!clearsCache({ status: 200, headers: [["clear-site-data", '"cookies"']] }));
});

Deno.test("a record of the store is checked", () => {
  assert.deepEqual(parseStored(structuredClone(STORED)), STORED);
  for (
    const broken of [
      { status: 101 },
      { path: "a" },
      { path: 1 },
      { headers: [["a b", "x"]] },
      { headers: [["a", "x\n"]] },
      { headers: "x" },
      { varying: [["a", 1]] },
      { bodyBytes: -1 },
      { respondedAt: NaN },
      { holder: undefined },
    ]
  ) {
    assert.equal(parseStored({ ...STORED, ...broken }), undefined, JSON.stringify(broken));
  }
  fc.assert(fc.property(fc.anything(), (value) => void parseStored(value)));
});
