/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import type { Header } from "../../src/protocol/http.ts";
import { adaptHeaders, toHeaders } from "./headers.ts";

const OPTIONS = {
  ownUrl: "https://x.example/a/b",
  needs: {
    shellOrigin: "https://shell",
    script: "https://x.example/.porthole/inject.js",
    nonce: "N",
  },
};

function adapt(...headers: Header[]) {
  return adaptHeaders({ status: 200, headers }, OPTIONS);
}

Deno.test("adaptHeaders() drops what is of the hop, of the device's origin, and what Connection names", () => {
  const { headers } = adapt(
    ["Connection", "keep-alive, X-Private"],
    ["Keep-Alive", "timeout=5"],
    ["Transfer-Encoding", "chunked"],
    ["x-private", "1"],
    ["Set-Cookie", "a=b"],
    ["Strict-Transport-Security", "max-age=1"],
    ["Alt-Svc", "h3"],
    ["Clear-Site-Data", '"*"'],
    ["X-Frame-Options", "DENY"],
    ["Service-Worker-Allowed", "/"],
    ["Content-Security-Policy", "upgrade-insecure-requests"],
    ["ETag", '"1"'],
    ["Link", "<a>"],
    ["Link", "<b>"],
  );
  assert.deepEqual(headers, [["etag", '"1"'], ["link", "<a>"], ["link", "<b>"]]);
});

Deno.test("adaptHeaders() keeps a length only for a body that stays as it is", () => {
  const plain = adapt(["content-length", "5"], ["content-type", "text/plain"]);
  assert.deepEqual(plain.headers, [["content-length", "5"], ["content-type", "text/plain"]]);
  assert.equal(plain.contentType, "text/plain");
  const packed = adapt(["content-length", "5"], ["Content-Encoding", "GZIP"]);
  assert.deepEqual(packed.headers, []);
  assert.equal(packed.coding, "gzip");
  assert.equal(adapt(["content-encoding", "identity"], ["content-length", "5"]).coding, undefined);
});

Deno.test("adaptHeaders() names codings that nobody can undo", () => {
  assert.equal(adapt(["content-encoding", "br"]).unknownCoding, "br");
  assert.equal(adapt(["content-encoding", "gzip, deflate"]).unknownCoding, "gzip, deflate");
  assert.equal(adapt(["content-encoding", "deflate"]).coding, "deflate");
  assert.equal(adapt(["content-encoding", "x-gzip"]).coding, "gzip");
});

Deno.test("adaptHeaders() changes Location only for our own host under another scheme", () => {
  const location = (value: string) => adapt(["Location", value]).headers[0]?.[1];
  assert.equal(location("http://x.example/c?d#e"), "/c?d#e");
  assert.equal(location("https://x.example/c"), "https://x.example/c");
  assert.equal(location("//x.example/c"), "//x.example/c");
  assert.equal(location("../c"), "../c");
  assert.equal(location("https://other.example/c"), "https://other.example/c");
  assert.equal(location("http://["), "http://[");
});

Deno.test("adaptHeaders() lets a page that has no origin load nothing, for no worker would see it", () => {
  const policies = (value: string) =>
    adapt(["content-type", "text/html"], ["content-security-policy", value]).headers
      .filter(([name]) => name === "content-security-policy").length;
  const [kept, boxed] = [2, 3];
  assert.equal(policies("sandbox"), boxed);
  assert.equal(policies("img-src 'self', default-src *; Sandbox allow-scripts"), boxed);
  assert.equal(policies("sandbox allow-scripts Allow-Same-Origin"), kept);
  assert.equal(policies("img-src sandbox"), kept);
});

Deno.test("toHeaders() leaves out lines that no browser takes, and keeps the others", () => {
  const headers = toHeaders([["a", "1"], ["b", "\u{1f600}"], ["a", "2"], ["c d", "3"]]);
  assert.deepEqual([...headers], [["a", "1, 2"]]);
});

Deno.test("adaptHeaders() lets the shell frame a page, keeps its own rule, and holds back what bypasses us", () => {
  const html: Header = ["content-type", "text/html"];
  const policies = (...headers: Header[]) =>
    adapt(html, ...headers).headers.filter(([name]) => name !== "content-type").map(([, value]) =>
      value
    );
  const ours = "object-src blob: data:";
  assert.deepEqual(policies(), [ours]);
  assert.deepEqual(policies(["X-Frame-Options", "DENY"]), ["frame-ancestors https://shell", ours]);
  assert.deepEqual(policies(["X-Frame-Options", " SameOrigin"]), [
    "frame-ancestors 'self' https://shell",
    ours,
  ]);
  assert.deepEqual(policies(["x-frame-options", "ALLOW-FROM https://a"]), [ours]);
  assert.deepEqual(
    policies(["x-frame-options", "DENY"], ["content-security-policy", "frame-ancestors *"]),
    ["frame-ancestors * https://shell", ours],
  );
  assert.deepEqual(policies(["Cross-Origin-Opener-Policy", "same-origin"], ["NEL", "{}"]), [ours]);
});
