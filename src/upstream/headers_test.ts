import assert from "node:assert/strict";
import fc from "fast-check";
import { StreamError } from "../protocol/errors.ts";
import type { Header, RequestHead } from "../protocol/http.ts";
import { checkRequestHead, claimedLength, endToEnd, pairs } from "./headers.ts";

function head(part: Partial<RequestHead>): RequestHead {
  return { kind: "http", service: "ui", method: "GET", path: "/", headers: [], ...part };
}

function refusedAs(code: string): (error: unknown) => boolean {
  return (error) => error instanceof StreamError && error.code === code;
}

Deno.test("head check takes every raw path that a browser can write", () => {
  for (
    const path of [
      "/",
      "//",
      "/%2F",
      "/a/../b",
      "/?a=1&a=2",
      "/?",
      "/a+b",
      '/[x]|`{}^\\"<>',
      "/%zz",
    ]
  ) {
    checkRequestHead(head({ path }));
  }
});

Deno.test("head check refuses paths that two parsers could read differently", () => {
  const paths = [
    "",
    "a",
    "*",
    "http://a/",
    "/a b",
    "/a\tb",
    "/a\r\nX: y",
    "/\0",
    "/ä",
    "/a#b",
    "/\x7f",
    "\\a",
  ];
  for (const path of paths) {
    assert.throws(
      () => checkRequestHead(head({ path })),
      refusedAs("protocol"),
      JSON.stringify(path),
    );
  }
});

Deno.test("head check refuses methods that are no token, tunnels and echoes", () => {
  for (
    const method of [
      "",
      "CONNECT",
      "connect",
      "TRACE",
      "TRACK",
      "G ET",
      "GET\r\n",
      "GÉT",
      "X".repeat(33),
    ]
  ) {
    assert.throws(() => checkRequestHead(head({ method })), refusedAs("protocol"), method);
  }
  for (const method of ["GET", "PROPFIND", "M-SEARCH", "patch"]) checkRequestHead(head({ method }));
});

Deno.test("head check refuses foreign characters in names and values", () => {
  const bad: Header[] = [["", "x"], ["a b", "x"], ["a:", "x"], ["ä", "x"], ["a\r", "x"], [
    "a",
    "x\r\ny",
  ]];
  bad.push(["a", "x\ny"], ["a", "\0"], ["a", "\x7f"], ["a", "Ā"]);
  for (const header of bad) {
    assert.throws(() => checkRequestHead(head({ headers: [header] })), refusedAs("protocol"));
  }
  checkRequestHead(head({ headers: [["a", ""], ["a", "\té ~"]] }));
});

Deno.test("head check refuses a head above its limit as such", () => {
  const headers: Header[] = [["a", "x".repeat(70_000)]];
  assert.throws(() => checkRequestHead(head({ headers })), refusedAs("limit"));
  checkRequestHead(head({ headers: [["a", "x".repeat(60_000)]] }));
});

Deno.test("what concerns one connection stops, however it is spelled, and the rest keeps its order", () => {
  const stopped = [
    "Connection",
    "keep-alive",
    "Proxy-Authorization",
    "Proxy_Connection",
    "TE",
    "Trailer",
  ];
  stopped.push("Transfer-Encoding", "Transfer_Encoding", "Upgrade", "HTTP2-Settings", "Expect");
  const kept: Header[] = [["Set-Cookie", "a"], ["X", "1"], ["set-cookie", "b"], ["x", "2"]];
  const headers: Header[] = [...stopped.map((name): Header => [name, "x-y"]), ...kept];
  assert.deepEqual(endToEnd(headers), kept);
});

Deno.test("what Connection names stops too", () => {
  const headers: Header[] = [
    ["connection", "close, X-Hop ,"],
    ["x-hop", "1"],
    ["X_HOP", "2"],
    ["X-Hope", "3"],
    ["Connection", "another"],
    ["Another", "4"],
  ];
  assert.deepEqual(endToEnd(headers), [["X-Hope", "3"]]);
});

Deno.test("a body's length is believed only if it is one plain number", () => {
  const lengths = (...values: string[]) =>
    claimedLength(values.map((v): Header => ["Content-Length", v]));
  assert.equal(lengths("0"), 0);
  assert.equal(lengths("123"), 123);
  for (const bad of ["", "+5", "-1", "0x10", "5,5", " 5", "5 ", "1e3", "9".repeat(16)]) {
    assert.equal(lengths(bad), undefined, bad);
  }
  assert.equal(lengths("5", "5"), undefined);
  assert.equal(claimedLength([]), undefined);
});

Deno.test("flat lists become pairs", () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.string(), fc.string())), (list) => {
    assert.deepEqual(pairs(list.flat()), list);
  }));
});
